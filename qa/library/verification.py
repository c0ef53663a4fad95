"""Every check of a library: its texts, its vectors, and the indexes against both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from embeddings.errors import EmbeddingsError
from qa.library.indexes import Indexes
from qa.library.storage import Storage, StoredArticle, unpack

NORM_TOLERANCE = 0.01
SAMPLE = 200
REPAIR = "lancez « sourcier library verify --repair »"


@dataclass(frozen=True, slots=True)
class Problems:
    """French lines: of the texts, which only their files can mend, else of the vectors, else of the indexes."""

    texts: list[str]
    vectors: list[str]
    indexes: list[str]

    @property
    def lines(self) -> list[str]:
        """All of them."""
        return [*self.texts, *self.vectors, *self.indexes]


def examine(storage: Storage, indexes: Indexes) -> Problems:
    """Read everything and compare, the indexes only where what they are made from is sound.

    Only while no one writes. Indexes that merely lag are brought up to date.
    """
    dimension = storage.manifest().dimension
    texts = [f"SQLite : {line}." for line in storage.damage()]
    wrong_vectors = 0
    for stored in storage.contents():
        texts += _problems_of_text(stored)
        wrong_vectors += sum(not _is_unit(vector, dimension) for *_, vector in stored.passages)
    if texts:
        return Problems(texts, [], [])
    if wrong_vectors:
        line = (
            f"{wrong_vectors} vecteurs ne sont pas des vecteurs unités de dimension {dimension} : {REPAIR}."
        )
        return Problems([], [line], [])
    return Problems([], [], list(_problems_of_indexes(storage, indexes, dimension)))


def _problems_of_text(stored: StoredArticle) -> Iterator[str]:
    article = stored.article
    if article.content_hash != stored.hash:
        yield f"Le texte de l’article « {article.id} » n’est plus celui qui a été enregistré : réindexez-le."
    if not stored.passages:
        yield f"L’article « {article.id} » n’a pas de passages : réindexez-le."
    for start, end, packed, _ in stored.passages:
        sentences = unpack(packed) if len(packed) % 8 == 0 else ()
        edges = [start, *(edge for s in sentences for edge in (s.start, s.end)), end]
        pieces = [(piece.start, piece.end) for piece in sentences]
        pieces += [(heading.start, heading.end) for heading in article.headings]
        begins, ends = {begin for begin, _ in pieces}, {stop for _, stop in pieces}
        whole = sentences and start in begins and end in ends and end <= len(article.text)
        if not whole or edges != sorted(edges) or start < 0:
            yield f"Un passage de l’article « {article.id} » a de fausses positions ({start}–{end}) : réindexez-le."


def _is_unit(packed: bytes, dimension: int) -> bool:
    if len(packed) != 2 * dimension:
        return False
    return bool(
        abs(np.linalg.norm(np.frombuffer(packed, np.float16).astype(np.float32)) - 1) < NORM_TOLERANCE
    )


def _problems_of_indexes(storage: Storage, indexes: Indexes, dimension: int) -> Iterator[str]:
    try:
        indexes.open()
    except EmbeddingsError as error:
        yield str(error)
        return
    indexes.catch_up()
    opened, rows = indexes.open(), storage.rows()
    for name, index in (("des mots", opened.lexical), ("des vecteurs", opened.vectors)):
        yield from index.check()
        if len(index) != len(rows):
            yield f"L’index {name} contient {len(index)} passages, et la bibliothèque {len(rows)} : {REPAIR}."
    sample = rows[:: max(1, len(rows) // SAMPLE)]
    for row, vector in zip(sample, storage.vectors(sample, dimension), strict=True):
        _, found = opened.vectors.search(vector[None], 1, allowed=np.array([row]))
        if found[0, 0] != row:
            yield f"L’index des vecteurs n’a pas le passage {row} : {REPAIR}."
    for row, fields in zip(sample, storage.fields(sample), strict=True):
        _, found = opened.lexical.search(fields.text, 1, allowed=np.array([row]))
        if not len(found) and any(c.isalpha() for c in fields.text):
            yield f"L’index des mots n’a pas le passage {row} : {REPAIR}."
