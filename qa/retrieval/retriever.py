"""A question to scored passages: BM25 and dense search, fused."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from qa.library.library import Library, StoredPassage

DENSE_SHARES = {"french-small": 0.7, "french-static": 0.3}
OTHER_SHARE = 0.3
CANDIDATES = 50


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found: its fused score (0 to 1), and its BM25 and cosine scores."""

    stored: StoredPassage
    score: float
    lexical: float
    dense: float


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
        """The `k` best passages of each question."""
        vectors = self._library.encoder.encode_queries(questions)
        found = [self._search(q, v, k, article_ids) for q, v in zip(questions, vectors, strict=True)]
        stored = {s.row: s for s in self._library.passages([row for hits in found for row, *_ in hits])}
        return [[Hit(stored[row], *scores) for row, *scores in hits if row in stored] for hits in found]

    def _search(
        self, question: str, vector: np.ndarray, k: int, article_ids: Collection[str] | None
    ) -> list[tuple[int, float, float, float]]:
        count = max(CANDIDATES, k)
        lexical_scores, lexical_rows = self._library.search_lexical(question, count, article_ids=article_ids)
        _, dense_rows = self._library.search_dense(vector, count, article_ids=article_ids)
        rows = np.union1d(lexical_rows[lexical_rows >= 0], dense_rows[dense_rows >= 0])
        if not len(rows):
            return []
        dense = self._library.vectors(rows) @ vector
        lexical = np.zeros(len(rows), np.float32)
        lexical[np.searchsorted(rows, lexical_rows[lexical_rows >= 0])] = lexical_scores[lexical_rows >= 0]
        fused = fuse(lexical, dense, self._dense_share)
        order = np.argsort(-fused, kind="stable")[:k]
        return [(int(rows[i]), float(fused[i]), float(lexical[i]), float(dense[i])) for i in order]


def fuse(lexical: np.ndarray, dense: np.ndarray, dense_share: float) -> np.ndarray:
    """Convex combination of the two scores, each brought to 0–1 over the candidates of the question.

    After Bruch, Gai and Ingber 2023 (https://arxiv.org/abs/2210.11934), who find it better than
    reciprocal ranks; BM25's lowest possible score, 0, is its minimum. Without any match of words the
    dense score decides alone.
    """
    top, low, high = lexical.max(), dense.min(), dense.max()
    return (1 - dense_share) * lexical / max(top, 1e-9) + dense_share * (dense - low) / max(high - low, 1e-9)
