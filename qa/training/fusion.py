"""Choose how much the dense score counts beside BM25: the curve over shares, on questions with known paragraphs.

    python -m qa.training.fusion --questions piaf_train.json [--distractors squad.json ...] [--half a|b]

Prints recall@1, recall@5 and MRR@10 for each share; `qa.retriever.DENSE_SHARE` is set from it by hand.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from qa.library import Library
from qa.retriever import CANDIDATES, fuse
from qa.training.evidence import build_library
from qa.training.examples import Question, half, read_squad

SHARES = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0)


def ranks(library: Library, questions: Sequence[Question]) -> dict[float, np.ndarray]:
    """For each share, the rank (from 0) of each question's paragraph, 10,000 where it is not found."""
    found: dict[float, list[int]] = {share: [] for share in SHARES}
    vectors = library.encoder.encode_queries([q.text for q in questions])
    for question, vector in zip(questions, vectors, strict=True):
        scores, words = library.search_lexical(question.text, CANDIDATES)
        _, near = library.search_dense(vector, CANDIDATES)
        rows = np.union1d(words, near[near >= 0])
        lexical = np.zeros(len(rows), np.float32)
        lexical[np.searchsorted(rows, words)] = scores
        dense = library.vectors(rows) @ vector
        articles = {s.row: s.passage.article_id for s in library.passages(rows.tolist())}
        for share in SHARES:
            order = rows[np.argsort(-fuse(lexical, dense, share), kind="stable")]
            ranking = list(dict.fromkeys(articles[row][:6] for row in order.tolist()))
            right = f"{question.paragraph:06d}"
            found[share].append(ranking.index(right) if right in ranking else 10_000)
    return {share: np.array(values) for share, values in found.items()}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--questions", type=Path, required=True, help="SQuAD format")
    parser.add_argument(
        "--distractors", type=Path, nargs="*", default=[], help="files whose paragraphs stand beside"
    )
    parser.add_argument(
        "--half", choices=("a", "b"), help="only that half of the questions, split by article"
    )
    parser.add_argument("--embedding", default="french-small")
    options = parser.parse_args()
    asked = read_squad([options.questions])
    questions = half(asked, options.half) if options.half else asked.questions
    data = read_squad([options.questions, *options.distractors])
    with (
        tempfile.TemporaryDirectory() as folder,
        build_library(data, Path(folder), options.embedding) as library,
    ):
        for share, rank in ranks(library, [q for q in questions if q.answers]).items():
            mrr = np.where(rank < 10, 1 / (rank + 1), 0)
            print(
                f"{share:.1f}: R@1 {(rank < 1).mean():.3f}, R@5 {(rank < 5).mean():.3f}, MRR@10 {mrr.mean():.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
