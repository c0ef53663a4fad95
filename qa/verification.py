"""Every check of a library: the truth in itself, and the indexes against the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from embeddings.errors import EmbeddingsError

if TYPE_CHECKING:
    from qa.indexes import Indexes
    from qa.storage import Storage

CHECKED_AT_ONCE = 2000


def problems_of_truth(storage: Storage, dimension: int) -> list[str]:
    """Damage in SQLite, offsets that leave their article, vectors that are not unit vectors."""
    problems = [f"SQLite : {line}" for (line,) in storage.db.execute("PRAGMA integrity_check") if line != "ok"]
    if storage.db.execute("PRAGMA foreign_key_check").fetchone():
        problems.append("SQLite : des passages n’ont plus d’article.")
    rows = storage.rows()
    for at in range(0, len(rows), CHECKED_AT_ONCE):
        part = rows[at : at + CHECKED_AT_ONCE].tolist()
        for stored in storage.passages(part):
            passage = stored.passage
            inside = all(passage.start <= s.start < s.end <= passage.end for s in passage.sentences)
            if len(passage.text) != passage.end - passage.start or not inside or not passage.sentences:
                problems.append(f"Passage {stored.row} de « {passage.article_id} » : ses positions sortent du texte.")
        sizes = [size for (size,) in storage.vector_sizes(part)]
        if set(sizes) - {2 * dimension}:
            problems.append("Des vecteurs n’ont pas la dimension de l’embedding : relancez « sourcier index --embedding NOM ».")
            continue
        norms = np.linalg.norm(storage.vectors(part, dimension), axis=1)
        if not np.allclose(norms, 1, atol=0.02):
            problems.append("Des vecteurs ne sont pas de norme 1 : relancez « sourcier index --embedding NOM ».")
    return list(dict.fromkeys(problems))


def problems_of_indexes(storage: Storage, indexes: Indexes) -> list[str]:
    """Indexes that cannot be read, lag behind, or hold other passages than the truth."""
    try:
        opened = indexes.current()
    except EmbeddingsError as error:
        return [str(error)]
    problems = []
    rows, revision = storage.rows(), storage.revision()
    for name, index in (("des mots", opened.lexical), ("des vecteurs", opened.vectors)):
        problems += index.check()
        if index.revision != revision:
            problems.append(f"L’index {name} est à la révision {index.revision}, la bibliothèque à la {revision}.")
        elif len(index) != len(rows):
            problems.append(f"L’index {name} contient {len(index)} passages, la bibliothèque {len(rows)}.")
    return problems
