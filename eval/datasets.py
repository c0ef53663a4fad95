"""Evaluation files: the project's JSON lines, and SQuAD v1.1 and v2.0."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embeddings.errors import cause_of
from qa.errors import SourcierError
from qa.ingest.articles import Article, clean, read_text

FIELDS = ("id", "question", "answers", "sources", "answerable")
MAX_QUESTION_CHARACTERS = 2000


class DatasetError(SourcierError):
    """An evaluation file is malformed; the message names the file, the line or place, and the field."""


@dataclass(frozen=True, slots=True)
class EvalQuestion:
    """A question with its accepted answers and right sources; `context` is SQuAD's text, which may hold none.

    A source matches an article whose id, or whose file's name, starts with it.
    """

    id: str
    question: str
    answers: tuple[str, ...]
    sources: tuple[str, ...]
    answerable: bool
    context: str | None = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """Questions, the articles they are asked of (none: the library's), and what looks wrong, in French."""

    name: str
    questions: tuple[EvalQuestion, ...]
    articles: tuple[Article, ...]
    warnings: tuple[str, ...]
    fingerprint: str


def load(path: str | Path) -> Dataset:
    """Read a file of either kind; raises DatasetError in one French line.

    Questions that cannot be asked or judged are left out, with a warning: those that are empty, too long,
    said to be answerable without an answer, or that repeat an identifier.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise DatasetError(f"{path} : lecture impossible ({cause_of(error)}).") from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} : ce fichier n’est pas en UTF-8 (octet {error.start}).") from error
    if path.suffix.lower() == ".jsonl":
        found, articles = tuple(_json_lines(path, text)), dict[str, Article]()
    else:
        found, articles = _squad(path, text)
    questions, warnings = _sound(found)
    if not questions:
        raise DatasetError(f"{path} : aucune question à poser dans ce fichier.")
    digest = hashlib.blake2b(data, digest_size=8).hexdigest()
    return Dataset(path.name, questions, tuple(articles.values()), warnings, digest)


def _json_lines(path: Path, text: str) -> Iterator[EvalQuestion]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{path}, ligne {number}"
        record = _parsed(place, line)
        if not isinstance(record, dict):
            raise DatasetError(f"{place} : il faut un objet JSON avec les champs {', '.join(FIELDS)}.")
        yield EvalQuestion(
            _identifier(place, record),
            clean(_field(place, record, "question", str)),
            _texts(place, record, "answers"),
            _texts(place, record, "sources"),
            _field(place, record, "answerable", bool),
        )


def _squad(path: Path, text: str) -> tuple[tuple[EvalQuestion, ...], dict[str, Article]]:
    questions: list[EvalQuestion] = []
    articles: dict[str, Article] = {}
    for a, entry in enumerate(_field(str(path), _parsed(str(path), text), "data", list)):
        about = f"{path}, data[{a}]"
        for p, paragraph in enumerate(_field(about, entry, "paragraphs", list)):
            place = f"{about}.paragraphs[{p}]"
            given = _field(place, paragraph, "context", str)
            if given not in articles:
                articles[given] = read_text(
                    given, title=str(entry.get("title") or ""), id=f"contexte-{len(articles):07d}"
                )
            article = articles[given]
            for q, record in enumerate(_field(place, paragraph, "qas", list)):
                here = f"{place}.qas[{q}]"
                texts = [
                    clean(_field(f"{here}.answers[{n}]", answer, "text", str))
                    for n, answer in enumerate(_field(here, record, "answers", list))
                ]
                answerable = not record.get("is_impossible", not texts)
                questions.append(
                    EvalQuestion(
                        _identifier(here, record),
                        clean(_field(here, record, "question", str)),
                        tuple(dict.fromkeys(t for t in texts if t)) if answerable else (),
                        (article.id,) if answerable else (),
                        answerable,
                        article.text,
                    )
                )
    return tuple(questions), articles


def _parsed(place: str, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = (
            f"ligne {error.lineno}, colonne {error.colno}" if error.lineno > 1 else f"colonne {error.colno}"
        )
        raise DatasetError(f"{place} : ce n’est pas du JSON valide ({where}).") from error
    except RecursionError as error:
        raise DatasetError(f"{place} : ce JSON est trop imbriqué.") from error


def _field(place: str, record: Any, name: str, kind: type) -> Any:
    if not isinstance(record, dict) or name not in record:
        raise DatasetError(f"{place} : le champ « {name} » manque.")
    if not isinstance(record[name], kind):
        wanted = {str: "un texte", list: "une liste", bool: "true ou false"}[kind]
        raise DatasetError(f"{place} : le champ « {name} » doit être {wanted}.")
    return record[name]


def _identifier(place: str, record: Any) -> str:
    if not isinstance(record, dict) or not isinstance(record.get("id"), str | int):
        raise DatasetError(f"{place} : le champ « id » manque, ou n’est ni un texte ni un nombre.")
    return str(record["id"])


def _texts(place: str, record: Any, name: str) -> tuple[str, ...]:
    values = _field(place, record, name, list)
    if not all(isinstance(value, str) for value in values):
        raise DatasetError(f"{place} : le champ « {name} » doit être une liste de textes.")
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
        elif question.answerable and not question.answers:
            warnings.append(f"{name} : dite avec réponse, mais aucune n’est donnée ; laissée de côté.")
        else:
            kept[question.id] = question
            if question.context is not None and any(a not in question.context for a in question.answers):
                warnings.append(f"{name} : une réponse n’est pas dans son texte.")
    return tuple(kept.values()), tuple(warnings)
