"""A small evaluation: articles, questions, and a system that answers them by looking them up."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from eval import evaluate
from eval.runner import Progress
from qa.answer import Answer, Citation, Evidence, RetrievedPassage

MOON = "Neil Armstrong a marché sur la lune en 1969."
PLACE = {"article_id": "lune-1", "title": "La lune", "source": "/articles/lune.txt", "date": None}
REFUSAL = Answer(kind="none", question="", confidence=0.1)


def moon(short: str | None = "Neil Armstrong", **changes: Any) -> Answer:
    """The answer that cites the sentence on the moon."""
    start = MOON.index(short) if short else None
    end = start + len(short) if short and start is not None else None
    citation = Citation(
        marker=1,
        sentence=MOON,
        start=0,
        end=len(MOON),
        answer_start=start,
        answer_end=end,
        score=0.9,
        **PLACE,
    )
    passage = RetrievedPassage(
        text=MOON, start=0, end=len(MOON), score=1.0, lexical_score=1.0, dense_score=1.0, **PLACE
    )
    evidence = Evidence(sentence=MOON, start=0, end=len(MOON), score=0.9, **PLACE)
    answer = Answer(
        kind="span" if short else "sentences",
        question="",
        short=short,
        confidence=0.9,
        citations=(citation,),
        passages=(passage,),
        evidence=(evidence,),
    )
    return replace(answer, **changes)


def record(id: str, question: str, *answers: str, source: str = "lune") -> dict[str, Any]:
    """A line of an evaluation file; without an answer, a question that has none."""
    sources = [source] if answers else []
    return {
        "id": id, "question": question, "answers": list(answers), "sources": sources, "answerable": bool(answers)
    }  # fmt: skip


def write(path: Path, *records: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records), "utf-8")
    return path


class Lookup:
    """Gives the answer it was told for a question; takes `seconds` over it."""

    def __init__(self, answers: dict[str, Answer], seconds: float = 0.0) -> None:
        self.answers, self.seconds = answers, seconds

    def answer(self, question: str) -> Answer:
        time.sleep(self.seconds)
        return replace(self.answers.get(question, REFUSAL), question=question)


def questions(count: int) -> tuple[dict[str, Any], ...]:
    return tuple(
        record(f"q{n}", f"Qui a marché sur la lune, essai {n} ?", "Neil Armstrong") for n in range(count)
    )


def lookup(count: int, seconds: float = 0.0) -> Lookup:
    """Answers two thirds of `questions(count)`."""
    texts = [q["question"] for q in questions(count)]
    return Lookup({text: moon() for n, text in enumerate(texts) if n % 3}, seconds)


def evaluate_slowly(file: Path, output: Path, count: int, progress: Progress) -> None:
    """What a process does until it is killed."""
    evaluate(lookup(count, seconds=0.01), file, output=output, progress=progress)


class Told:
    """Tells another process how many questions are done."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def __call__(self, done: int, total: int) -> None:
        self.connection.send(done)


def natural_record(id: str, question: str, kind: str, **about: Any) -> dict[str, Any]:
    """A line of an evaluation file with a natural question, proved by the sentence on the moon."""
    answerable = about.get("answerable", True)
    plain = {**record(id, question), "sources": ["lune"] if answerable else [], "answerable": answerable}
    return {**plain, "kind": kind, "support": [MOON] if answerable else [], **about}
