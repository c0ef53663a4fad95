"""Evaluation files: the project's JSON lines, and SQuAD v1.1 and v2.0."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qa.articles import Article, read_text
from qa.errors import SourcierError

FIELDS = ("id", "question", "answers", "sources", "answerable")


class DatasetError(SourcierError):
    """An evaluation file is malformed; the message names the file, the line or place, and the field."""


@dataclass(frozen=True, slots=True)
class EvalQuestion:
    """A question with its accepted answers and right sources; `context` is the gold text, where there is one.

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
    """Questions, the articles they are asked of (none: the library's), and what looks wrong with them."""

    name: str
    questions: tuple[EvalQuestion, ...]
    articles: tuple[Article, ...]
    articles: tuple[Article, ...] = ()
    warnings: tuple[str, ...] = field(default=())


def load(path: Path) -> Dataset:
    """Read a file of either kind; raises DatasetError in one French line."""
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise DatasetError(f"{path} : lecture impossible ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} : ce fichier n’est pas en UTF-8.") from error
    questions: tuple[EvalQuestion, ...]
    articles: tuple[Article, ...]
    if path.suffix == ".jsonl":
        questions, articles = tuple(_json_lines(path, text)), ()
    else:
        questions, articles = _squad(path, text)
    if not questions:
        raise DatasetError(f"{path} : aucune question dans ce fichier.")
    return Dataset(path.name, questions, articles, tuple(_warnings(questions)))


def _json_lines(path: Path, text: str) -> Iterator[EvalQuestion]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        place = f"{path}, ligne {number}"
        try:
            record = json.loads(line)
        except ValueError as error:
            raise DatasetError(f"{place} : ce n’est pas du JSON valide.") from error
        if not isinstance(record, dict):
            raise DatasetError(f"{place} : il faut un objet JSON avec {', '.join(FIELDS)}.")
        missing = [name for name in FIELDS if name not in record]
        if missing:
            raise DatasetError(f"{place} : champ « {missing[0]} » absent.")
        for name in ("answers", "sources"):
            if not isinstance(record[name], list) or not all(isinstance(v, str) for v in record[name]):
                raise DatasetError(f"{place} : le champ « {name} » doit être une liste de textes.")
        if not isinstance(record["question"], str) or not isinstance(record["answerable"], bool):
            raise DatasetError(f"{place} : « question » doit être un texte, et « answerable » true ou false.")
        yield EvalQuestion(
            str(record["id"]),
            record["question"],
            tuple(record["answers"]),
            tuple(record["sources"]),
            record["answerable"],
        )


def _squad(path: Path, text: str) -> tuple[tuple[EvalQuestion, ...], tuple[Article, ...]]:
    try:
        data = json.loads(text)["data"]
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{path} : ni JSON de SQuAD (champ « data »), ni .jsonl.") from error
    questions: list[EvalQuestion] = []
    articles: list[Article] = []
    seen: dict[str, str] = {}
    for a, entry in enumerate(data):
        for p, paragraph in enumerate(_field(path, f"data[{a}]", entry, "paragraphs", list)):
            place = f"data[{a}].paragraphs[{p}]"
            context = _field(path, place, paragraph, "context", str)
            if context not in seen:
                seen[context] = f"c{len(seen):05d}"
                articles.append(read_text(context, title=str(entry.get("title") or ""), id=seen[context]))
            for q, qa in enumerate(_field(path, place, paragraph, "qas", list)):
                here = f"{place}.qas[{q}]"
                answers = tuple(
                    _field(path, here, answer, "text", str)
                    for answer in _field(path, here, qa, "answers", list)
                )
                answers = tuple(answer for answer in answers if answer.strip())
                answerable = bool(answers) and not qa.get("is_impossible", False)
                question = _field(path, here, qa, "question", str)
                sources = (seen[context],) if answerable else ()
                questions.append(
                    EvalQuestion(str(qa.get("id", here)), question, answers, sources, answerable, context)
                )
    return tuple(questions), tuple(articles)


def _field(path: Path, place: str, record: Any, name: str, kind: type) -> Any:
    if not isinstance(record, dict) or not isinstance(record.get(name), kind):
        raise DatasetError(f"{path}, {place} : champ « {name} » absent ou d’un autre type.")
    return record[name]


def _warnings(questions: tuple[EvalQuestion, ...]) -> Iterator[str]:
    seen: set[str] = set()
    for question in questions:
        if question.id in seen:
            yield f"Identifiant « {question.id} » en double."
        seen.add(question.id)
        if not question.question.strip():
            yield f"Question « {question.id} » vide."
        if question.answerable and not question.answers:
            yield f"Question « {question.id} » : dite avec réponse, mais sans réponse donnée."
        if question.context is not None and any(a not in question.context for a in question.answers):
            yield f"Question « {question.id} » : une réponse n’est pas dans son texte."
