"""Measure retrieval by words, by meaning and by both, and the first choice of sentences made from each.

    python -m eval.scripts.retrieval --questions squad.json [--distractors squad.json ...] [--half a|b]
        [--embedding NAME] [--shares 0 0.6 1]

Every paragraph is an article of a temporary library. Prints a Markdown table: a row for each share of
meaning in the fused score (0: BM25 alone, 1: vectors alone), each figure with its 95 % interval. The
reader has no say here; `sourcier eval` measures the whole way.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from eval import metrics
from eval.intervals import measured
from eval.report.summary import SENTENCES
from qa.library.library import Library
from qa.retrieval.evidence import EvidenceRanker
from qa.retrieval.retriever import DENSE_SHARES, OTHER_SHARE, Hit, Retriever
from qa.training.evidence import build_library, proves
from qa.training.examples import Question, half, read_questions

PASSAGES = 10
COLUMNS = (*metrics.RETRIEVAL, *(f"sentence@{k}" for k in SENTENCES))


def first_right(question: Question, hits: Sequence[Hit], ranker: EvidenceRanker) -> int:
    """The rank, from 0, of the first sentence that holds the answer; far beyond the last where none does."""
    ranked = ranker.rank(question.text, hits)
    return next((i for i, r in enumerate(ranked) if proves(r.candidate, question)), 10**6)


def rows(
    library: Library, questions: Sequence[Question], shares: Sequence[float]
) -> Iterator[tuple[float, float, dict[str, np.ndarray]]]:
    """For each share: milliseconds a question, and the values of each column, one a question."""
    ranker = EvidenceRanker()
    right = {q.id: [q.article] for q in questions}
    for share in shares:
        began = time.perf_counter()
        found = Retriever(library, share).search_batch([q.text for q in questions], PASSAGES)
        spent = (time.perf_counter() - began) * 1000 / len(questions)
        rankings = {
            q.id: [hit.stored.passage.article_id for hit in hits]
            for q, hits in zip(questions, found, strict=True)
        }
        values = {
            name: np.array([by_question[q.id] for q in questions])
            for name, by_question in metrics.retrieval(rankings, right).items()
        }
        first = np.array([first_right(q, hits, ranker) for q, hits in zip(questions, found, strict=True)])
        yield share, spent, values | {f"sentence@{k}": (first < k).astype(float) for k in SENTENCES}


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
    parser.add_argument(
        "--shares", type=float, nargs="+", help="default: words alone, the encoder's share, meaning alone"
    )
    options = parser.parse_args()
    shares = options.shares or [0.0, DENSE_SHARES.get(options.embedding, OTHER_SHARE), 1.0]
    asked = read_questions([options.questions])
    questions = [q for q in (half(asked, options.half) if options.half else asked.questions) if q.answers]
    data = read_questions([options.questions, *options.distractors])
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        with build_library(data, Path(folder), options.embedding) as library:
            speed = len(data.paragraphs) / (time.perf_counter() - began)
            print(
                f"{len(questions)} questions, {len(data.paragraphs)} paragraphs, {options.embedding}: "
                f"{speed:.0f} paragraphs indexed a second\n"
            )
            print(f"| share | {' | '.join(COLUMNS)} | ms |\n|{'---|' * (len(COLUMNS) + 2)}")
            for share, spent, values in rows(library, questions, shares):
                figures = [measured(values[name][:, None], metrics.mean, 0) for name in COLUMNS]
                cells = [f"{f.value:.3f} ({f.low:.3f}–{f.high:.3f})" for f in figures]
                print(f"| {share} | {' | '.join(cells)} | {spent:.1f} |", flush=True)


if __name__ == "__main__":
    main()
