"""A question to scored passages: BM25 and dense search, fused."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qa.retrieval.acronyms import added_forms
from qa.retrieval.shorthand import spelled_out

if TYPE_CHECKING:
    from qa.library.library import Library, StoredPassage

DENSE_SHARES = {"french-small": 0.7, "french-static": 0.3}
OTHER_SHARE = 0.3
CANDIDATES = 50
MOST_CANDIDATES = 800
COPIES = 20
_DEFINING = 10


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found: its fused score (0 to 1), and its BM25 and cosine scores; `copies` say the same elsewhere."""

    stored: StoredPassage
    score: float
    lexical: float
    dense: float
    copies: tuple[StoredPassage, ...] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    """A row with its scores, and the rows that say the same."""

    row: int
    score: float
    lexical: float
    dense: float
    copies: tuple[int, ...]


class Retriever:
    """Finds the passages of a library that may answer a question.

    `dense_share` is as in `fuse`; left out, it is what suits the library's encoder: `eval.scripts.retrieval` shows
    where it is best for one of the shipped, and a small share of an unknown one does not harm.
    """

    def __init__(self, library: Library, dense_share: float | None = None) -> None:
        self._library = library
        usual = DENSE_SHARES.get(library.encoder.name, OTHER_SHARE)
        self._dense_share = usual if dense_share is None else dense_share

    def search(self, question: str, k: int, *, article_ids: Collection[str] | None = None) -> list[Hit]:
        """The `k` best passages, best first."""
        return self.search_batch([question], k, article_ids=article_ids)[0]

    def search_batch(
        self, questions: Sequence[str], k: int, *, article_ids: Collection[str] | None = None
    ) -> list[list[Hit]]:
        """The `k` best passages of each question, each text once.

        What is typed as in a text message is spelled out first; an acronym is searched with its long form, and the
        other way round, where a passage found gives both.
        """
        spelled = [spelled_out(question) for question in questions]
        vectors = self._library.encoder.encode_queries(spelled)
        return [self._hits(q, v, k, article_ids) for q, v in zip(spelled, vectors, strict=True)]

    def _hits(
        self, question: str, vector: np.ndarray, k: int, article_ids: Collection[str] | None
    ) -> list[Hit]:
        hits = self._stored(self._search(question, vector, max(k, _DEFINING), article_ids))
        if added := added_forms(question, (hit.stored.passage.text for hit in hits[:_DEFINING])):
            hits = self._stored(self._search(f"{question} {added}", vector, k, article_ids))
        return hits[:k]

    def _stored(self, found: Sequence[_Found]) -> list[Hit]:
        rows = [row for one in found for row in (one.row, *one.copies)]
        stored = {passage.row: passage for passage in self._library.passages(rows)}
        return [
            Hit(
                stored[one.row],
                one.score,
                one.lexical,
                one.dense,
                tuple(stored[row] for row in one.copies if row in stored),
            )
            for one in found
            if one.row in stored
        ]

    def _search(
        self, question: str, vector: np.ndarray, k: int, article_ids: Collection[str] | None
    ) -> list[_Found]:
        """The best rows; more candidates are looked at where copies take the places of others."""
        library, count = self._library, max(CANDIDATES, k)
        while True:
            scores, lexical_rows = library.search_lexical(question, count, article_ids=article_ids)
            _, dense_rows = library.search_dense(vector, count, article_ids=article_ids)
            rows = np.union1d(lexical_rows, dense_rows).astype(np.int64)
            if not len(rows):
                return []
            same = library.digests(rows.tolist())
            every = max(len(lexical_rows), len(dense_rows)) < count
            if every or len(set(same.values())) >= max(k, count // 2) or count >= MOST_CANDIDATES:
                break
            count *= 4
        dense = library.vectors(rows) @ vector
        lexical = np.zeros(len(rows), np.float32)
        lexical[np.searchsorted(rows, lexical_rows)] = scores
        fused = fuse(lexical, dense, self._dense_share)
        groups: dict[object, list[int]] = {}
        for i in np.argsort(-fused, kind="stable").tolist():
            row = int(rows[i])
            groups.setdefault(same.get(row) or row, []).append(i)
        return [
            _Found(
                int(rows[first]),
                float(fused[first]),
                float(lexical[first]),
                float(dense[first]),
                tuple(int(rows[i]) for i in copies[:COPIES]),
            )
            for first, *copies in list(groups.values())[:k]
        ]


def fuse(lexical: np.ndarray, dense: np.ndarray, dense_share: float) -> np.ndarray:
    """Convex combination of the two scores, each brought to 0–1 over the candidates of the question.

    After Bruch, Gai and Ingber 2023 (https://arxiv.org/abs/2210.11934), who find it better than
    reciprocal ranks; BM25's lowest possible score, 0, is its minimum. Without any match of words the
    dense score decides alone.
    """
    top, low, high = lexical.max(), dense.min(), dense.max()
    return (1 - dense_share) * lexical / max(top, 1e-9) + dense_share * (dense - low) / max(high - low, 1e-9)
