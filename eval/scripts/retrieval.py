"""Measure retrieval by words, by meaning and by both.

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

from embeddings.squad import SquadParagraph, SquadQuestion, paragraph_id, read_squad
from eval import metrics
from eval.intervals import measured
from qa.ingest.articles import read_text
from qa.library.library import Library
from qa.retrieval.retriever import DENSE_SHARES, OTHER_SHARE, Retriever

PASSAGES = 10


def asked(paragraphs: Sequence[SquadParagraph], half: str | None) -> list[tuple[str, SquadQuestion]]:
    """The questions that have an answer, with the id of their paragraph; of half "a" or "b", split by article."""
    parity = {"a": 0, "b": 1}.get(half or "")
    return [
        (paragraph_id(number), question)
        for number, paragraph in enumerate(paragraphs)
        if parity is None or paragraph.article % 2 == parity
        for question in paragraph.questions
        if question.answerable
    ]


def rows(
    library: Library, questions: Sequence[tuple[str, SquadQuestion]], shares: Sequence[float]
) -> Iterator[tuple[float, float, dict[str, np.ndarray]]]:
    """For each share: milliseconds a question, and the values of each figure, one a question."""
    right = {str(n): [paragraph] for n, (paragraph, _) in enumerate(questions)}
    for share in shares:
        began = time.perf_counter()
        found = Retriever(library, share).search_batch([q.text for _, q in questions], PASSAGES)
        spent = (time.perf_counter() - began) * 1000 / len(questions)
        rankings = {str(n): [hit.stored.passage.article_id for hit in hits] for n, hits in enumerate(found)}
        values = {
            name: np.array([by_question[n] for n in right])
            for name, by_question in metrics.retrieval(rankings, right).items()
        }
        yield share, spent, values


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
    paragraphs = read_squad(options.questions)
    questions = asked(paragraphs, options.half)
    paragraphs += [paragraph for path in options.distractors for paragraph in read_squad(path)]
    with (
        tempfile.TemporaryDirectory() as folder,
        Library.open(folder, embedding=options.embedding, create=True) as library,
    ):
        began = time.perf_counter()
        library.add_articles(read_text(p.context, id=paragraph_id(n)) for n, p in enumerate(paragraphs))
        speed = len(paragraphs) / (time.perf_counter() - began)
        print(
            f"{len(questions)} questions, {len(paragraphs)} paragraphs, {options.embedding}: "
            f"{speed:.0f} paragraphs indexed a second\n"
        )
        columns = tuple(metrics.RETRIEVAL)
        print(f"| share | {' | '.join(columns)} | ms |\n|{'---|' * (len(columns) + 2)}")
        for share, spent, values in rows(library, questions, shares):
            figures = [measured(values[name][:, None], metrics.mean, 0) for name in columns]
            cells = [f"{f.value:.3f} ({f.low:.3f}–{f.high:.3f})" for f in figures]
            print(f"| {share} | {' | '.join(cells)} | {spent:.1f} |", flush=True)


if __name__ == "__main__":
    main()
