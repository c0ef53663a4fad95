"""Questions with their texts: SQuAD's files (v1.1, v2.0), and a question a line with its context.

The formats are those of Rajpurkar et al. 2016 and 2018, and, in `.jsonl` and `.jsonl.xz`, one object a line with
`question`, `context` and `answers`, or `answer` ("yes" or "no"), as data sets of extractive questions are given.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from embeddings.records import RecordError, contents, field, identifier, parsed, read_lines

LINES = (".jsonl", ".jsonl.xz")
Polarity = Literal["yes", "no"]


@dataclass(frozen=True, slots=True)
class SquadAnswer:
    """An accepted answer; `start` is its offset in the context, or None where it has no known place."""

    text: str
    start: int | None


@dataclass(frozen=True, slots=True)
class SquadQuestion:
    """A question; `answerable` is false where its context holds no answer, `polarity` is a yes/no question's answer."""

    id: str
    text: str
    answers: tuple[SquadAnswer, ...]
    answerable: bool
    polarity: Polarity | None = None


@dataclass(frozen=True, slots=True)
class SquadParagraph:
    """A context, the title of its article ("" where it has none), and the questions on it.

    `article` is the number of the article it comes from, from 0, in its file.
    """

    context: str
    title: str
    article: int
    questions: tuple[SquadQuestion, ...]


def read_squad(path: Path) -> list[SquadParagraph]:
    """The paragraphs of a file, in order; of a file of lines each context once, an article each.

    Raises RecordError in one French line that names the place.
    """
    return _lines(path) if path.name.endswith(LINES) else _articles(path)


def paragraph_id(number: int) -> str:
    """The id of the article that a library makes of the paragraph of that number, from 0."""
    return f"contexte-{number:07d}"


def _articles(path: Path) -> list[SquadParagraph]:
    found = []
    for a, entry in enumerate(field(str(path), parsed(str(path), contents(path)), "data", list)):
        about = f"{path}, data[{a}]"
        for p, paragraph in enumerate(field(about, entry, "paragraphs", list)):
            place = f"{about}.paragraphs[{p}]"
            context = field(place, paragraph, "context", str)
            questions = tuple(
                _question(f"{place}.qas[{q}]", record, identifier(f"{place}.qas[{q}]", record))
                for q, record in enumerate(field(place, paragraph, "qas", list))
            )
            found.append(SquadParagraph(context, str(entry.get("title") or ""), a, questions))
    return found


def _lines(path: Path) -> list[SquadParagraph]:
    asked: dict[str, list[SquadQuestion]] = defaultdict(list)
    titles: dict[str, str] = {}
    for number, (place, record) in enumerate(read_lines(path)):
        context = field(place, record, "context", str)
        titles.setdefault(context, str(record.get("title") or ""))
        asked[context].append(_question(place, record, str(record.get("id") or f"{path.stem}-{number}")))
    return [SquadParagraph(c, titles[c], n, tuple(qs)) for n, (c, qs) in enumerate(asked.items())]


def _question(place: str, record: Any, name: str) -> SquadQuestion:
    text = field(place, record, "question", str)
    polarity = record.get("answer")
    if "answers" not in record and polarity in ("yes", "no"):
        return SquadQuestion(name, text, (), True, polarity)
    given = field(place, record, "answers", list)
    answers = tuple(_answer(f"{place}.answers[{n}]", answer) for n, answer in enumerate(given))
    impossible = record.get("is_impossible", not any(a.text.strip() for a in answers))
    return SquadQuestion(name, text, answers, not impossible)


def _answer(place: str, record: Any) -> SquadAnswer:
    text, start = field(place, record, "text", str), record.get("answer_start")
    if start is not None and not isinstance(start, int):
        raise RecordError(f"{place} : le champ « answer_start » doit être un nombre entier.")
    return SquadAnswer(text, start if start is not None and start >= 0 else None)
