"""What is measured: which system, with which models, over which articles."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embeddings.encoders.bert import fingerprint
from eval.datasets import Dataset, DatasetError, EvalQuestion
from eval.sources import check_sources, match, resolve
from qa.ingest.articles import Article
from qa.library.library import IndexProgress, Library

if TYPE_CHECKING:
    from qa.assistant import Assistant

MODELS = Path(__file__).parents[1] / "qa" / "models"
SHORT = 12


@dataclass(frozen=True, slots=True)
class Subject:
    """What was measured; of a Sourcier, its version, hashes of its models, the size of its library, and the
    model that rescores its spans."""

    name: str
    version: str | None = None
    embedding: str | None = None
    vectors: str | None = None
    models: str | None = None
    articles: int | None = None
    passages: int | None = None
    reader: str | None = None


def describe(system: Any, name: str | None = None) -> Subject:
    """The subject of a run; only of a system over a `qa.Library` is more known than its name."""
    name = name or type(system).__name__
    library = getattr(system, "library", None)
    if not isinstance(library, Library):
        return Subject(name)
    stats = library.stats()
    return Subject(
        name,
        version("sourcier"),
        stats.embedding,
        library.fingerprint[:SHORT],
        fingerprint(MODELS)[:SHORT],
        stats.articles,
        stats.passages,
        getattr(system, "reader_name", None),
    )


def check(
    system: Any, dataset: Dataset, questions: list[EvalQuestion]
) -> tuple[list[EvalQuestion], list[str]]:
    """The questions, their sources named by ids of articles too, and what does not fit between them and the library.

    Raises DatasetError where the texts of the file are not in the library.
    """
    library = getattr(system, "library", None)
    if not isinstance(library, Library):
        return questions, []
    if not dataset.articles:
        matched = match(questions, library)
        return resolve(questions, matched), list(check_sources(questions, matched, library))
    present = {article.id for article in library.articles()}
    if not present.issuperset(article.id for article in dataset.articles):
        raise DatasetError(
            f"Les textes de {dataset.name} ne sont pas dans la bibliothèque {library.path} : "
            "mettez-les dans une bibliothèque à eux (eval.subject.assistant_over)."
        )
    return questions, []


@contextmanager
def assistant_over(
    articles: Sequence[Article],
    documents: Path | None = None,
    *,
    embedding: str | None = None,
    reader: str | None = None,
    progress: Callable[[IndexProgress], None] | None = None,
) -> Iterator[Assistant]:
    """A Sourcier over a temporary library of these articles, and of the files of a folder; both are gone at the
    end of the block."""
    from qa.assistant import Assistant

    with (
        tempfile.TemporaryDirectory(prefix="sourcier-eval-") as folder,
        Library.open(folder, embedding=embedding, create=True) as library,
    ):
        if articles:
            library.add_articles(articles, progress=progress)
        if documents is not None:
            library.add([documents], progress=progress)
        yield Assistant(library, reader=reader)
