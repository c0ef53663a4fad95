"""Asks every question, and keeps what came of each on disk, so that a run killed half way goes on."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from eval.datasets import EvalQuestion
from eval.metrics import squad_exact_match, squad_f1
from qa.answer import Answer, Citation, Evidence, Reading, RetrievedPassage
from qa.scoring import exact_match, f1, normalise

BATCH = 32
RANKS = 10
RIGHT = 0.5


class Answerer(Protocol):
    """Any system that answers; `answer_batch` and `read_batch`, where it has them, are used instead."""

    def answer(self, question: str) -> Answer:
        """Answer one question."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one question: plain values, one JSON line.

    `retrieved` are the articles found, best first, `right` those among them that are right sources,
    `sentence_rank` the rank of the first evidence sentence of a right source that holds an answer.
    """

    id: str
    question: str
    answerable: bool
    answers: tuple[str, ...]
    short: str | None
    text: str
    answered: bool
    confidence: float
    retrieved: tuple[str, ...]
    right: tuple[str, ...]
    sentence_rank: int | None
    citations: tuple[str, ...]
    supported: tuple[bool, ...]
    em: float
    f1: float
    em_squad: float
    f1_squad: float
    read: str | None
    read_scores: tuple[float, float, float, float] | None
    timings: dict[str, float]
    verdict: str


def run(
    system: Answerer,
    questions: Sequence[EvalQuestion],
    *,
    kept: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[Outcome]:
    """Ask every question; `kept` is a file of outcomes, one a line, that an interrupted run goes on from."""
    done = {outcome.id: outcome for outcome in _read(kept)} if kept else {}
    left = [q for q in questions if q.id not in done]
    file = kept.open("a", encoding="utf-8") if kept else None
    try:
        for at in range(0, len(left), BATCH):
            made = list(_ask(system, left[at : at + BATCH]))
            done.update((outcome.id, outcome) for outcome in made)
            if file:
                file.writelines(json.dumps(asdict(outcome), ensure_ascii=False) + "\n" for outcome in made)
                file.flush()
                os.fsync(file.fileno())
            if progress:
                progress(len(done))
    finally:
        if file:
            file.close()
    return [done[q.id] for q in questions]


def choose(
    questions: Sequence[EvalQuestion], limit: int | None, sample: int | None, seed: int
) -> list[EvalQuestion]:
    """The first `limit` questions, or `sample` of them drawn at random, in the order of the file."""
    chosen = list({q.id: q for q in questions if q.question.strip()}.values())
    if sample is not None and sample < len(chosen):
        picked = set(random.Random(seed).sample(range(len(chosen)), sample))
        chosen = [q for i, q in enumerate(chosen) if i in picked]
    return chosen[:limit] if limit is not None else chosen


def _read(path: Path) -> Iterator[Outcome]:
    """The outcomes kept; a last line cut short by a crash is left out, and off the file."""
    if not path.is_file():
        return
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) < len(data):
        path.write_bytes(whole)
    for line in whole.decode("utf-8").splitlines():
        yield outcome_of(json.loads(line))


def outcome_of(record: dict[str, Any]) -> Outcome:
    """The outcome that `dataclasses.asdict` and JSON made a record of."""
    return Outcome(**{name: tuple(value) if isinstance(value, list) else value for name, value in record.items()})


def _ask(system: Answerer, questions: Sequence[EvalQuestion]) -> Iterator[Outcome]:
    answers, spent = _timed(system, [q.question for q in questions])
    with_context = [q for q in questions if q.context is not None and q.answerable]
    readings = dict(zip((q.id for q in with_context), _read_contexts(system, with_context), strict=True))
    for question, answer in zip(questions, answers, strict=True):
        yield judge(question, answer, readings.get(question.id), spent)


def _timed(system: Any, questions: Sequence[str]) -> tuple[list[Answer], float]:
    began = time.perf_counter()
    if hasattr(system, "answer_batch"):
        answers = list(system.answer_batch(questions, top_k=2 * RANKS))
    else:
        answers = [system.answer(question) for question in questions]
    return answers, (time.perf_counter() - began) * 1000 / len(questions)


def _read_contexts(system: Any, questions: Sequence[EvalQuestion]) -> list[Reading | None]:
    pairs = [(q.question, q.context) for q in questions]
    if hasattr(system, "read_batch"):
        return list(system.read_batch(pairs))
    if hasattr(system, "read"):
        return [system.read(*pair) for pair in pairs]
    return [None] * len(pairs)


def judge(question: EvalQuestion, answer: Answer, reading: Reading | None, milliseconds: float) -> Outcome:
    """Compare an answer with what was expected."""
    short = answer.short or ""
    retrieved = tuple(dict.fromkeys(p.article_id for p in answer.passages))
    right = tuple(dict.fromkeys(p.article_id for p in answer.passages if _is_right(question, p)))
    rank = next(
        (n for n, e in enumerate(answer.evidence, start=1) if _is_right(question, e) and _holds(question, e)),
        None,
    )
    supported = tuple(_supports(question, c) for c in answer.citations)
    scores = _scores(short, question.answers) if question.answerable else (0.0, 0.0, 0.0, 0.0)
    return Outcome(
        id=question.id,
        question=question.question,
        answerable=question.answerable,
        answers=question.answers,
        short=answer.short,
        text=answer.text,
        answered=answer.answerable,
        confidence=answer.confidence,
        retrieved=retrieved[:RANKS],
        right=right,
        sentence_rank=rank,
        citations=tuple(f"{c.title} : {c.sentence}" for c in answer.citations),
        supported=supported,
        em=scores[0],
        f1=scores[1],
        em_squad=scores[2],
        f1_squad=scores[3],
        read=reading.short if reading else None,
        read_scores=_scores(reading.short or "", question.answers) if reading else None,
        timings=dict(answer.timings) or {"total": milliseconds},
        verdict=_verdict(
            question, answer, scores[1], bool(set(right) & set(retrieved[:RANKS])), rank, any(supported)
        ),
    )


def _scores(short: str, answers: Sequence[str]) -> tuple[float, float, float, float]:
    if not short:
        return 0.0, 0.0, 0.0, 0.0
    return (
        exact_match(short, answers),
        f1(short, answers),
        squad_exact_match(short, answers),
        squad_f1(short, answers),
    )


def _is_right(question: EvalQuestion, found: RetrievedPassage | Evidence | Citation) -> bool:
    """Whether the article's id, or its file's name, starts with one of the question's sources."""
    name = found.source.replace("\\", "/").rsplit("/", 1)[-1]
    return any(found.article_id.startswith(s) or name.startswith(s) for s in question.sources)


def _holds(question: EvalQuestion, found: Evidence | Citation) -> bool:
    sentence = f" {normalise(found.sentence)} "
    return any(f" {normalise(answer)} " in sentence for answer in question.answers if normalise(answer))


def _supports(question: EvalQuestion, citation: Citation) -> bool:
    """After ALCE's entailment (Gao et al. 2023), by identity: it holds a listed answer, or is of a listed source."""
    return question.answerable and (_holds(question, citation) or _is_right(question, citation))


def _verdict(
    question: EvalQuestion, answer: Answer, score: float, found: bool, rank: int | None, supported: bool
) -> str:
    """Right, or the first step of the way that failed."""
    if not question.answerable:
        return "répondu à tort" if answer.answerable else "refusé à raison"
    if score >= RIGHT:
        return "juste"
    if not found:
        return "non retrouvé"
    if rank is None or rank > 3:
        return "retrouvé mais mal classé"
    if not answer.answerable:
        return "refusé à tort"
    return (
        "bonne phrase, sans réponse courte"
        if answer.short is None and supported
        else "bien classé mais mal lu"
    )
