"""Asks every question, in batches, and some of them again alone, to time them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Protocol

from eval.datasets import EvalQuestion
from eval.kept import BATCH, Kept
from eval.outcome import DEPTH, Outcome, judge
from qa.answer import Answer, Reading
from qa.errors import SourcierError

PASSAGES = 2 * DEPTH
TIMED = 50
Progress = Callable[[int, int], None]
"""Is told how many questions are done, and of how many."""


class Answerer(Protocol):
    """Any system that answers.

    `answer_batch(questions, top_k=...)` is used instead where it has one, and `read_batch(pairs)` or
    `read(question, context)` for reading with the right text given.
    """

    def answer(self, question: str) -> Answer:
        """Answer one question."""


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


def time_alone(system: Answerer, outcomes: Sequence[Outcome], seed: int) -> tuple[list[Outcome], int]:
    """The outcomes, with the milliseconds of some of the questions, asked again one at a time.

    A batch says nothing of how long a person waits. At most 50 are asked, drawn at random; the number says
    how many of them got another answer alone than in their batch. A system without batches needs no
    second asking: its timings are those of the first.
    """
    timed, different = list(outcomes), 0
    if hasattr(system, "answer_batch") and timed:
        _timed(system, timed[0].question)  # models may not be loaded yet, where all was done before
        for i in random.Random(seed).sample(range(len(timed)), min(TIMED, len(timed))):
            answer, timings = _timed(system, timed[i].question)
            different += (answer.short if answer.answerable else None) != timed[i].short
            timed[i] = replace(timed[i], timings=timings)
    return timed, different


def _ask(system: Answerer, questions: Sequence[EvalQuestion]) -> Iterator[Outcome]:
    with ThreadPoolExecutor(1) as other:  # one waits for numbers while the other works on words
        reading = other.submit(_readings, system, questions)
        answers = _answers(system, [question.question for question in questions])
        readings = reading.result()
    for question, (answer, timings) in zip(questions, answers, strict=True):
        yield replace(judge(question, answer, readings.get(question.id)), timings=timings)


def _answers(system: Any, questions: Sequence[str]) -> list[tuple[Answer, dict[str, float]]]:
    if hasattr(system, "answer_batch"):
        try:
            return [(answer, {}) for answer in system.answer_batch(questions, top_k=PASSAGES)]
        except SourcierError:
            pass  # one of them cannot be asked: which one shows when they are asked one by one
    return [_timed(system, question) for question in questions]


def _timed(system: Answerer, question: str) -> tuple[Answer, dict[str, float]]:
    """The answer and its milliseconds a step; what the system refuses to be asked, it does not answer."""
    began = time.perf_counter()
    try:
        answer = system.answer(question)
    except SourcierError as error:
        answer = Answer(str(error), None, False, 0.0, (), (), question)
    total = (time.perf_counter() - began) * 1000
    return answer, {**answer.timings, "total": total}


def _readings(system: Any, questions: Sequence[EvalQuestion]) -> dict[str, Reading]:
    asked = [(q.id, (q.question, q.context)) for q in questions if q.context is not None and q.answerable]
    if not asked:
        return {}
    ids, pairs = zip(*asked, strict=True)
    if hasattr(system, "read_batch"):
        return dict(zip(ids, system.read_batch(pairs), strict=True))
    return {i: system.read(*pair) for i, pair in asked} if hasattr(system, "read") else {}
