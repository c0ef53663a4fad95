"""The sample corpus and its questions: sound front matter, and every answer verbatim in its sources."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import date
from pathlib import Path
from typing import Any

import pytest

EVAL = Path(__file__).parent.parent / "eval"
ARTICLES = sorted((EVAL / "articles").glob("*.md"))
QUESTIONS: list[dict[str, Any]] = [
    json.loads(line) for line in (EVAL / "questions" / "samples.jsonl").read_text("utf-8").splitlines()
]
ANSWERABLE = [q for q in QUESTIONS if q["answerable"]]
UNANSWERABLE = [q for q in QUESTIONS if not q["answerable"]]
KINDS = {
    "qui": r"\bqui\b",
    "quand": r"\bquand\b|\bquelle date\b|\bquel jour\b",
    "où": r"\boù\b",
    "combien": r"\bcombien\b",
    "quel": r"\bquel(?:le)?s?\b",
    "pourquoi": r"\bpourquoi\b",
    "comment": r"\bcomment\b",
    "que": r"^(?:que\b|qu')",
}


def parts(path: Path) -> tuple[dict[str, str], str]:
    """Front matter and body of an article."""
    opening, front, body = path.read_text("utf-8").split("---\n", 2)
    assert opening == ""
    return dict(line.split(": ", 1) for line in front.splitlines()), body


BODIES = {path.stem: parts(path)[1] for path in ARTICLES}


def test_there_are_eighteen_articles_of_distinct_titles() -> None:
    assert [path.stem[:3] for path in ARTICLES] == [f"{n:02}_" for n in range(1, 19)]
    assert len({parts(path)[0]["title"] for path in ARTICLES}) == 18


@pytest.mark.parametrize("path", ARTICLES, ids=lambda path: path.stem)
def test_article_is_well_formed(path: Path) -> None:
    front, body = parts(path)
    assert list(front) == ["title", "date", "source", "author"]
    assert all(value.strip() for value in front.values())
    assert date(2023, 11, 17) < date.fromisoformat(front["date"]) < date(2024, 1, 1)
    assert 250 <= len(body.split()) <= 600
    assert body == unicodedata.normalize("NFC", body)
    assert body.count("«") == body.count("»")
    assert not re.search(r"[’\"]|«[^\u00a0]|[^\u00a0][»:;?!]| {2}", body)
    for paragraph in body.strip().split("\n\n"):
        assert re.search(r"(?:[.?!]|[.?!]\u00a0»)$", paragraph), paragraph[-40:]


def test_counts_and_ids_of_the_questions() -> None:
    assert (len(ANSWERABLE), len(UNANSWERABLE)) == (60, 20)
    assert len({q["id"] for q in QUESTIONS}) == 80
    assert len({q["question"] for q in QUESTIONS}) == 80
    for q in QUESTIONS:
        assert set(q) == {"id", "question", "answers", "sources", "answerable"}
        assert q["question"].endswith(" ?")


@pytest.mark.parametrize("question", ANSWERABLE, ids=lambda q: q["id"])
def test_every_answer_stands_verbatim_in_its_sources(question: dict[str, Any]) -> None:
    answers, sources = question["answers"], question["sources"]
    assert answers
    assert len(answers) == len(set(answers))
    assert sources == sorted(set(sources))
    assert set(sources) <= set(BODIES)
    assert all(any(answer in BODIES[source] for source in sources) for answer in answers)
    assert all(any(answer in BODIES[source] for answer in answers) for source in sources)


@pytest.mark.parametrize("question", UNANSWERABLE, ids=lambda q: q["id"])
def test_unanswerable_question_has_neither_answer_nor_source(question: dict[str, Any]) -> None:
    assert question["answers"] == []
    assert question["sources"] == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_question_is_asked(kind: str) -> None:
    asked = [q for q in ANSWERABLE if re.search(KINDS[kind], q["question"], re.IGNORECASE)]
    assert len(asked) >= 4


def test_every_article_answers_some_question() -> None:
    assert {source for q in ANSWERABLE for source in q["sources"]} == set(BODIES)
