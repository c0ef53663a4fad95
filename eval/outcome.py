"""What came of one question: its answer compared with what was expected, and the step that failed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from eval.datasets import EvalQuestion
from eval.metrics import squad_exact_match, squad_f1
from eval.sources import holds, is_source
from qa.answer import Answer, Citation, Evidence, Reading, RetrievedPassage
from qa.scoring import exact_match, f1

DEPTH = 10
WELL_RANKED = 5
RIGHT = 0.5
TITLES = 3

NOT_FOUND = "non retrouvé"
BADLY_RANKED = "retrouvé mais mal classé"
MISREAD = "bien classé mais mal lu"
NO_SHORT = "bonne phrase, sans réponse courte"
WRONGLY_REFUSED = "refusé à tort"
WRONGLY_ANSWERED = "répondu à tort"
NEARLY_RIGHT = "presque juste"
RIGHTLY_REFUSED = "refusé à raison"
EXACT = "juste"
FAILURES = (WRONGLY_ANSWERED, MISREAD, NO_SHORT, WRONGLY_REFUSED, BADLY_RANKED, NOT_FOUND)
SUCCESSES = (NEARLY_RIGHT, EXACT, RIGHTLY_REFUSED)
_MARKER = re.compile(r"\[(\d{1,3})\]")


@dataclass(frozen=True, slots=True)
class Scores:
    """Exact match and F1, 0 to 1, in French normalisation and in SQuAD's own."""

    em: float = 0.0
    f1: float = 0.0
    em_squad: float = 0.0
    f1_squad: float = 0.0


@dataclass(frozen=True, slots=True)
class Cited:
    """A cited sentence, and whether it supports an expected answer."""

    title: str
    sentence: str
    supported: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one question, in plain values.

    `retrieved` are the articles found, best first, each once, `right` those of them that are right sources,
    `titles` those of the first passages; `sentence_rank` is the rank, from 1, of the first evidence sentence
    of a right source that holds an answer; `dangling` counts markers in the text that cite nothing; `read`
    is what was read in the given text, where there is one; `timings` are milliseconds a step, where the
    question was asked alone.
    """

    id: str
    question: str
    answerable: bool
    answers: tuple[str, ...]
    answered: bool
    short: str | None
    text: str
    confidence: float
    retrieved: tuple[str, ...]
    right: tuple[str, ...]
    titles: tuple[str, ...]
    sentence_rank: int | None
    citations: tuple[Cited, ...]
    dangling: int
    scores: Scores
    read: str | None
    read_scores: Scores | None
    verdict: str
    timings: Mapping[str, float] = field(default_factory=dict)


def judge(question: EvalQuestion, answer: Answer, reading: Reading | None) -> Outcome:
    """Compare an answer, and the reading of the given text where there is one, with what was expected."""
    short = answer.short if answer.answerable else None
    articles: dict[str, bool] = {}
    for passage in answer.passages:
        articles[passage.article_id] = articles.get(passage.article_id, False) or _is_right(question, passage)
    retrieved = tuple(articles)[:DEPTH]
    right = tuple(article_id for article_id in retrieved if articles[article_id])
    rank = _sentence_rank(question, answer.evidence)
    citations = tuple(Cited(c.title, c.sentence, _supports(question, c)) for c in answer.citations)
    scores = score(short, question.answers)
    return Outcome(
        id=question.id,
        question=question.question,
        answerable=question.answerable,
        answers=question.answers,
        answered=answer.answerable,
        short=short,
        text=answer.text,
        confidence=answer.confidence,
        retrieved=retrieved,
        right=right,
        titles=tuple(passage.title for passage in answer.passages[:TITLES]),
        sentence_rank=rank,
        citations=citations,
        dangling=_dangling(answer),
        scores=scores,
        read=reading.short if reading else None,
        read_scores=score(reading.short, question.answers) if reading else None,
        verdict=_verdict(question, answer, scores, found=bool(right), rank=rank, citations=citations),
    )


def score(short: str | None, answers: Sequence[str]) -> Scores:
    """Scores of a short answer; none, or nothing to compare it with, counts 0."""
    if not short:
        return Scores()
    return Scores(
        exact_match(short, answers),
        f1(short, answers),
        squad_exact_match(short, answers),
        squad_f1(short, answers),
    )


def outcome_of(record: dict[str, Any]) -> Outcome:
    """The outcome that `dataclasses.asdict` and JSON made a record of."""
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in record.items()
    }
    values["citations"] = tuple(Cited(**cited) for cited in record["citations"])
    values["scores"] = Scores(**record["scores"])
    values["read_scores"] = Scores(**record["read_scores"]) if record["read_scores"] else None
    return Outcome(**values)


def _is_right(question: EvalQuestion, found: RetrievedPassage | Evidence | Citation) -> bool:
    return is_source(question.sources, found.article_id, found.source)


def _sentence_rank(question: EvalQuestion, evidence: Sequence[Evidence]) -> int | None:
    ranks = (
        rank
        for rank, found in enumerate(evidence, start=1)
        if holds(found.sentence, question.answers) and _is_right(question, found)
    )
    return next(ranks, None)


def _supports(question: EvalQuestion, citation: Citation) -> bool:
    """ALCE's support (Gao et al. 2023) by identity: it holds a listed answer, or is of a listed source."""
    return holds(citation.sentence, question.answers) or _is_right(question, citation)


def _dangling(answer: Answer) -> int:
    """Markers in the text that name no citation; what looks like one inside a quoted sentence is the article's."""
    text = answer.text
    for citation in answer.citations:
        text = text.replace(citation.sentence, "")
    return len(set(map(int, _MARKER.findall(text))) - {citation.marker for citation in answer.citations})


def _verdict(
    question: EvalQuestion,
    answer: Answer,
    scores: Scores,
    *,
    found: bool,
    rank: int | None,
    citations: Sequence[Cited],
) -> str:
    """What it is worth; of a failure, the first step of the way that failed."""
    if not question.answerable:
        return WRONGLY_ANSWERED if answer.answerable else RIGHTLY_REFUSED
    if scores.f1 >= RIGHT:
        return EXACT if scores.em else NEARLY_RIGHT
    if not found:
        return NOT_FOUND
    if rank is None or rank > WELL_RANKED:
        return BADLY_RANKED
    if not answer.answerable:
        return WRONGLY_REFUSED
    held = answer.short is None and any(holds(cited.sentence, question.answers) for cited in citations)
    return NO_SHORT if held else MISREAD
