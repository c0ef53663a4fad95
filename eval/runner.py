"""Asks every question, in batches, and some of them again alone, to time them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from eval.datasets import EvalQuestion
from eval.kept import BATCH, Kept
from eval.outcome import DEPTH, Outcome, asserted, judge
from qa.answer import Answer, Reading
from qa.errors import SourcierError

PASSAGES = 2 * DEPTH
TIMED = 50
Progress = Callable[[int, int], None]
"""Is told how many questions are done, and of how many."""


class Answerer(Protocol):
    """Any system that answers.

    `answer_batch(questions, top_k=...)` is used instead where it has one, and `read_batch(pairs)` or
    `read(question, context)` for reading with the right text given. Questions of a conversation come with what was
    said before: `answer(question, history=...)`, `answer_batch(questions, top_k=..., histories=...)`.
    """

    def answer(self, question: str) -> Answer:
        """Answer one question."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a system gave for a question, in how many milliseconds a step, or why it could not be asked."""

    answer: Answer
    timings: Mapping[str, float] = field(default_factory=dict)
    error: str = ""


def choose(
    questions: Sequence[EvalQuestion], limit: int | None, sample: int | None, seed: int
) -> list[EvalQuestion]:
    """`sample` questions drawn at random, in the order of the file, then the first `limit` of them."""
    chosen = list(questions)
    if sample is not None and sample < len(chosen):
        chosen = [chosen[i] for i in sorted(random.Random(seed).sample(range(len(chosen)), sample))]
    return chosen[:limit]


def run(
    system: Answerer, questions: Sequence[EvalQuestion], *, kept: Kept | None = None, progress: Progress
) -> list[Outcome]:
    """What came of each question, in order; those already kept are not asked again."""
    outcomes = list(kept.outcomes) if kept else []
    progress(len(outcomes), len(questions))
    for at in range(len(outcomes), len(questions), BATCH):
        made = list(_ask(system, questions[at : at + BATCH]))
        outcomes += made
        if kept:
            kept.add(made)
        progress(len(outcomes), len(questions))
    return outcomes


def time_alone(
    system: Answerer, questions: Sequence[EvalQuestion], outcomes: Sequence[Outcome], seed: int
) -> tuple[list[Outcome], int]:
    """The outcomes, with the milliseconds of some of the questions, asked again one at a time.

    A batch says nothing of how long a person waits. At most 50 are asked, drawn at random; the number says
    how many of them got another answer alone than in their batch. A system without batches needs no
    second asking: its timings are those of the first.
    """
    timed, different = list(outcomes), 0
    if hasattr(system, "answer_batch") and timed:
        _alone(system, questions[0])  # models may not be loaded yet, where all was done before
        for i in random.Random(seed).sample(range(len(timed)), min(TIMED, len(timed))):
            given = _alone(system, questions[i])
            different += asserted(given.answer) != timed[i].short
            timed[i] = replace(timed[i], timings=given.timings)
    return timed, different


def _ask(system: Answerer, questions: Sequence[EvalQuestion]) -> Iterator[Outcome]:
    with ThreadPoolExecutor(1) as other:  # one waits for numbers while the other works on words
        reading = other.submit(_readings, system, questions)
        answers = _answers(system, questions)
        readings = reading.result()
    for question, given in zip(questions, answers, strict=True):
        outcome = judge(question, given.answer, readings.get(question.id))
        yield replace(outcome, timings=given.timings, error=given.error)


def _answers(system: Any, questions: Sequence[EvalQuestion]) -> list[Given]:
    if hasattr(system, "answer_batch"):
        histories = [question.history for question in questions]
        said = {"histories": histories} if any(histories) else {}
        try:
            found = system.answer_batch([q.question for q in questions], top_k=PASSAGES, **said)
            return [Given(answer) for answer in found]
        except SourcierError:
            pass  # one of them cannot be asked: which one shows when they are asked one by one
    return [_alone(system, question) for question in questions]


def _alone(system: Any, question: EvalQuestion) -> Given:
    """The answer and its milliseconds a step; what the system refuses to be asked, it does not answer."""
    began, error = time.perf_counter(), ""
    said = {"history": question.history} if question.history else {}
    try:
        answer = system.answer(question.question, **said)
    except SourcierError as refusal:
        answer, error = Answer(kind="none", question=question.question), str(refusal)
    total = (time.perf_counter() - began) * 1000
    return Given(answer, {**answer.timings, "total": total}, error)


def _readings(system: Any, questions: Sequence[EvalQuestion]) -> dict[str, Reading]:
    asked = [(q.id, (q.question, q.context)) for q in questions if q.context is not None and q.answerable]
    if not asked:
        return {}
    ids, pairs = zip(*asked, strict=True)
    if hasattr(system, "read_batch"):
        return dict(zip(ids, system.read_batch(pairs), strict=True))
    return {i: system.read(*pair) for i, pair in asked} if hasattr(system, "read") else {}
