"""Measure speed and size: `make bench`, or `python -m eval.scripts.bench --corpus corpus.jsonl.xz`.

Indexes passages of the given corpus, or of the sample articles, repeated until there are enough, then asks
questions one after the other, and prints seconds, megabytes and milliseconds as one JSON object.
"""

from __future__ import annotations

import argparse
import itertools
import json
import lzma
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from embeddings.encoders.bert import threads
from embeddings.encoders.encoder import DEFAULT_ENCODER
from eval.conditions import memory_mb
from qa.assistant import Assistant
from qa.ingest.articles import Article, read_file, read_text
from qa.ingest.indexing import IndexProgress
from qa.library.library import Library

HERE = Path(__file__).parents[1]
CHARACTERS = 6000


def corpus_articles(path: Path) -> Iterator[Article]:
    """The documents of a `.jsonl.xz` corpus in pieces of about 6,000 characters, as articles."""
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            record = json.loads(line)
            text = record["text"]
            for at in range(0, len(text), CHARACTERS):
                yield read_text(
                    text[at : at + CHARACTERS], title=record["title"], id=f"{number:06d}-{at // CHARACTERS}"
                )


def sample_articles() -> Iterator[Article]:
    """The sample articles."""
    for path in sorted((HERE / "articles").glob("*.md")):
        yield from read_file(path)


def repeated(articles: Callable[[], Iterator[Article]]) -> Iterator[Article]:
    """The articles, again and again, each copy told apart by a number in its text."""
    for copy in itertools.count():
        for article in articles():
            yield read_text(
                f"{article.text}\n\nCopie numéro {copy}.", title=article.title, id=f"{copy:05d}-{article.id}"
            )


def questions() -> list[str]:
    """The questions of the sample set."""
    lines = (HERE / "questions" / "samples.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line)["question"] for line in lines if line.strip()]


def measure(articles: Iterator[Article], passages: int, embedding: str, folder: Path) -> dict[str, object]:
    """Index, then ask; times in seconds and milliseconds, sizes in megabytes."""
    library = Library.open(folder, embedding=embedding, create=True)
    began = time.perf_counter()
    made = 0

    def count(progress: IndexProgress) -> None:
        nonlocal made
        made = progress.passages

    library.add_articles(itertools.takewhile(lambda _: made < passages, articles), progress=count)
    seconds = time.perf_counter() - began
    assistant = Assistant(library)
    assistant.warm_up()
    steps: dict[str, list[float]] = {}
    for question in questions():
        for step, spent in assistant.answer(question).timings.items():
            steps.setdefault(step, []).append(spent)
    stats = library.stats()
    library.close()
    return {
        "machine": f"{platform.machine()}, {threads()} processors",
        "embedding": embedding,
        "passages": stats.passages,
        "index_seconds": round(seconds, 1),
        "passages_per_second": round(stats.passages / seconds, 1),
        "disk_mb": round(sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / 1e6, 1),
        "memory_mb": memory_mb(),
        "milliseconds": {
            step: {
                "p50": round(float(np.percentile(spent, 50)), 1),
                "p95": round(float(np.percentile(spent, 95)), 1),
            }
            for step, spent in steps.items()
        },
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--corpus", type=Path, help=".jsonl.xz of {title, text}; default: the sample articles"
    )
    parser.add_argument("--passages", type=int, default=2000)
    parser.add_argument("--embedding", default=DEFAULT_ENCODER)
    options = parser.parse_args()
    articles = repeated(partial(corpus_articles, options.corpus) if options.corpus else sample_articles)
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(articles, options.passages, options.embedding, Path(folder)), indent=2))


if __name__ == "__main__":
    main()
