"""Evaluation files: the project's JSON lines, with natural questions among them or not, and SQuAD v1.1 and v2.0."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embeddings.errors import cause_of
from embeddings.records import RecordError, field, identifier, read_lines, texts
from embeddings.squad import SquadParagraph, paragraph_id, read_squad
from qa.errors import SourcierError
from qa.ingest.articles import Article, read_text
from qa.ingest.formats.content import clean

MAX_QUESTION_CHARACTERS = 2000
DOCUMENTS = "docs"
QUOTING = frozenset({"why", "how", "definition", "what-happened"})
"""Kinds of natural questions that a quoted sentence answers."""


class DatasetError(SourcierError):
    """An evaluation file is malformed; the message names the file, the line or place, and the field."""


@dataclass(frozen=True, slots=True)
class EvalQuestion:
    """A question with its accepted answers and right sources; `context` is SQuAD's text, which may hold none.

    A source matches an article whose id, or whose file's name, starts with it. A natural question has a `kind`
    (see `eval.natural`): `items` are those of a list, each with the ways to write it, `polarity` is « oui » or
    « non », `support` are the sentences that prove its answer, `history` the (question, answer) pairs asked before
    it, `style` is how it is written.
    """

    id: str
    question: str
    answers: tuple[str, ...]
    sources: tuple[str, ...]
    answerable: bool
    context: str | None = None
    kind: str = ""
    items: tuple[tuple[str, ...], ...] = ()
    polarity: str | None = None
    support: tuple[str, ...] = ()
    history: tuple[tuple[str, str], ...] = ()
    style: str = ""


@dataclass(frozen=True, slots=True)
class Dataset:
    """Questions, the articles or the folder of documents they are asked of, and what looks wrong, in French.

    Without articles or documents, they are asked of a library.
    """

    name: str
    questions: tuple[EvalQuestion, ...]
    articles: tuple[Article, ...]
    warnings: tuple[str, ...]
    fingerprint: str
    documents: Path | None = None


def load(path: str | Path) -> Dataset:
    """Read a file of either kind; raises DatasetError in one French line.

    Questions that cannot be asked or judged are left out, with a warning: those that are empty, too long,
    said to be answerable without what to judge an answer by, or that repeat an identifier.
    """
    path = Path(path)
    articles: dict[str, Article] = {}
    try:
        if path.suffix.lower() == ".jsonl":
            found = [_question(place, record) for place, record in read_lines(path)]
        else:
            found = list(_squad(read_squad(path), articles))
        digest = hashlib.blake2b(path.read_bytes(), digest_size=8).hexdigest()
    except RecordError as error:
        raise DatasetError(str(error)) from error
    except OSError as error:
        raise DatasetError(f"{path} : lecture impossible ({cause_of(error)}).") from error
    questions, warnings = _sound(found)
    if not questions:
        raise DatasetError(f"{path} : aucune question à poser dans ce fichier.")
    beside = path.parent / DOCUMENTS
    documents = beside if not articles and beside.is_dir() and any(q.sources for q in questions) else None
    return Dataset(path.name, questions, tuple(articles.values()), warnings, digest, documents)


def _question(place: str, record: dict[str, Any]) -> EvalQuestion:
    name = identifier(place, record)
    question = clean(field(place, record, "question", str))
    answers, sources = _cleaned(texts(place, record, "answers")), _cleaned(texts(place, record, "sources"))
    answerable = field(place, record, "answerable", bool)
    if "kind" not in record:
        return EvalQuestion(name, question, answers, sources, answerable)
    polarity = record.get("polarity")
    if polarity not in (None, "oui", "non"):
        raise RecordError(f"{place} : le champ « polarity » doit être « oui », « non » ou null.")
    return EvalQuestion(
        name,
        question,
        answers,
        sources,
        answerable,
        kind=field(place, record, "kind", str),
        items=tuple(_lists(place, record, "items")),
        polarity=polarity,
        support=tuple(map(clean, texts(place, record, "support"))),
        history=tuple(_pair(place, turn) for turn in _lists(place, record, "history")),
        style=str(record.get("style") or ""),
    )


def _lists(place: str, record: dict[str, Any], name: str) -> Iterator[tuple[str, ...]]:
    """A field that may be missing, a list of lists of texts."""
    if record.get(name) is not None:
        for number, value in enumerate(field(place, record, name, list)):
            label = f"{name}[{number}]"
            yield texts(place, {label: value}, label)


def _pair(place: str, turn: tuple[str, ...]) -> tuple[str, str]:
    if len(turn) != 2:
        raise RecordError(f"{place} : le champ « history » doit être une liste de [question, réponse].")
    return turn[0], turn[1]


def _squad(paragraphs: Sequence[SquadParagraph], articles: dict[str, Article]) -> Iterator[EvalQuestion]:
    """The questions of the paragraphs, each of which becomes an article, once."""
    for paragraph in paragraphs:
        given = paragraph.context
        if given not in articles:
            articles[given] = read_text(given, title=paragraph.title, id=paragraph_id(len(articles)))
        article = articles[given]
        for asked in paragraph.questions:
            yield EvalQuestion(
                asked.id,
                clean(asked.text),
                _cleaned([answer.text for answer in asked.answers]) if asked.answerable else (),
                (article.id,) if asked.answerable else (),
                asked.answerable,
                article.text,
            )


def _cleaned(values: Sequence[str]) -> tuple[str, ...]:
    """The texts, each once, without those that are empty."""
    return tuple(dict.fromkeys(text for value in values if (text := clean(value))))


def _sound(found: Sequence[EvalQuestion]) -> tuple[tuple[EvalQuestion, ...], tuple[str, ...]]:
    """The questions that can be asked and judged, and what is wrong with the others, or looks so."""
    kept: dict[str, EvalQuestion] = {}
    warnings: list[str] = []
    for question in found:
        name = f"Question « {question.id} »"
        if question.id in kept:
            warnings.append(f"{name} : identifiant en double, laissée de côté.")
        elif not any(c.isalnum() for c in question.question):
            warnings.append(f"{name} : texte vide, laissée de côté.")
        elif len(question.question) > MAX_QUESTION_CHARACTERS:
            warnings.append(f"{name} : plus de {MAX_QUESTION_CHARACTERS} caractères, laissée de côté.")
        elif question.answerable and not _judgeable(question):
            warnings.append(f"{name} : dite avec réponse, mais aucune n’est donnée ; laissée de côté.")
        else:
            kept[question.id] = question
            if question.context is not None and any(a not in question.context for a in question.answers):
                warnings.append(f"{name} : une réponse n’est pas dans son texte.")
    return tuple(kept.values()), tuple(warnings)


def _judgeable(question: EvalQuestion) -> bool:
    """Whether a question that has an answer gives what one can be judged by."""
    if question.kind == "list":
        return all(question.items) and bool(question.items)
    if question.kind == "yesno":
        return question.polarity is not None
    if question.kind in QUOTING or question.kind == "summary":
        return bool(question.support)
    return bool(question.answers)
