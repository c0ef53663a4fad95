"""What came of one question: its answer compared with what was expected, and the step that failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from eval import natural
from eval.datasets import EvalQuestion
from eval.metrics import squad_exact_match, squad_f1
from eval.natural import Judgement, same_sentence
from eval.sources import is_source
from qa.answer import Answer, Citation, Evidence, Reading, RetrievedPassage
from qa.scoring import exact_match, f1, holds
from qa.wording import polarity

DEPTH = 10
WELL_RANKED = 5
RIGHT = 0.5
TITLES = 3

NOT_FOUND = "non retrouvé"
BADLY_RANKED = "retrouvé mais mal classé"
MISREAD = "bien classé mais mal lu"
NOTHING_SAID = "bonne phrase, rien d’affirmé"
WRONGLY_SAID = "affirmé à tort"
WRONG_POLARITY = "polarité fausse"
INCOMPLETE = "éléments manquants"
BESIDE = "phrases citées à côté"
WRONGLY_REFUSED = "refusé à tort"
WRONGLY_ANSWERED = "répondu à tort"
NEARLY_RIGHT = "presque juste"
RIGHTLY_REFUSED = "refusé à raison"
EXACT = "juste"
FAILURES = (
    WRONGLY_ANSWERED,
    WRONGLY_SAID,
    WRONG_POLARITY,
    MISREAD,
    INCOMPLETE,
    NOTHING_SAID,
    BESIDE,
    WRONGLY_REFUSED,
    BADLY_RANKED,
    NOT_FOUND,
)
SUCCESSES = (NEARLY_RIGHT, EXACT, RIGHTLY_REFUSED)


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

    `short` is what was asserted: the short answer, the items of a list in a row, « Oui » or « Non »; `correct`
    whether it is right: by F1, or, of a natural question, which has a `kind`, by its `judged` harm. `retrieved` are
    the articles found, best first, each once, `right` those of them that are right sources, `titles` those of the
    first passages; `sentence_rank` is the rank, from 1, of the first evidence sentence of a right source that holds
    an answer, or that is one that proves it; `read` is what was read in the given text, where there is one;
    `timings` are milliseconds a step, where the question was asked alone; `error` is why it could not be asked.
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
    scores: Scores
    read: str | None
    read_scores: Scores | None
    verdict: str
    timings: Mapping[str, float] = field(default_factory=dict)
    kind: str = ""
    expected: str = ""
    correct: bool = False
    judged: Judgement | None = None
    error: str = ""


def judge(question: EvalQuestion, answer: Answer, reading: Reading | None) -> Outcome:
    """Compare an answer, and the reading of the given text where there is one, with what was expected."""
    short = asserted(answer)
    articles: dict[str, bool] = {}
    for passage in answer.passages:
        articles[passage.article_id] = articles.get(passage.article_id, False) or _is_right(question, passage)
    retrieved = tuple(articles)[:DEPTH]
    right = tuple(article_id for article_id in retrieved if articles[article_id])
    rank = _sentence_rank(question, answer.evidence)
    scores = score(short, question.answers)
    judged = natural.judge(question, answer) if question.kind else None
    found = _Way(bool(right), rank is not None and rank <= WELL_RANKED)
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
        citations=tuple(Cited(c.title, c.sentence, _supports(question, c)) for c in answer.citations),
        scores=scores,
        read=reading.short if reading else None,
        read_scores=score(reading.short, question.answers) if reading else None,
        verdict=_of_natural(question, answer, judged, found)
        if judged
        else _of_plain(question, answer, scores, found),
        kind=question.kind,
        expected=_expected(question),
        correct=not judged.harm if judged else scores.f1 >= RIGHT,
        judged=judged,
    )


def asserted(answer: Answer) -> str | None:
    """The short answer, the items of a list in a row, « Oui » or « Non »; None where only sentences are quoted."""
    if answer.kind in ("yes", "no"):
        return polarity(answer)
    if answer.kind == "list":
        return ", ".join(item.text for item in answer.items) or None
    return answer.short if answer.answerable else None


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
    """The outcome that `dataclasses.asdict` and JSON made a record of, by this version or an earlier one."""
    names = {one.name for one in fields(Outcome)}
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in record.items()
        if name in names
    }
    values["citations"] = tuple(Cited(**cited) for cited in record["citations"])
    values["scores"] = Scores(**record["scores"])
    values["read_scores"] = Scores(**record["read_scores"]) if record["read_scores"] else None
    values["judged"] = Judgement(**record["judged"]) if record.get("judged") else None
    values.setdefault("correct", values["scores"].f1 >= RIGHT)
    return Outcome(**values)


def _is_right(question: EvalQuestion, found: RetrievedPassage | Evidence | Citation) -> bool:
    return is_source(question.sources, found.article_id, found.source)


def _holds(question: EvalQuestion, sentence: str) -> bool:
    """Whether a sentence holds an accepted answer, or is one that proves it."""
    return holds(sentence, question.answers) or any(same_sentence(s, sentence) for s in question.support)


def _sentence_rank(question: EvalQuestion, evidence: Sequence[Evidence]) -> int | None:
    ranks = (
        rank
        for rank, found in enumerate(evidence, start=1)
        if _holds(question, found.sentence) and _is_right(question, found)
    )
    return next(ranks, None)


def _supports(question: EvalQuestion, citation: Citation) -> bool:
    """ALCE's support (Gao et al. 2023) by identity: it holds a listed answer, or is of a listed source."""
    return _holds(question, citation.sentence) or _is_right(question, citation)


def _expected(question: EvalQuestion) -> str:
    """What a person who reads the report is told to expect, on a line."""
    if question.polarity:
        return question.polarity
    if question.items:
        return ", ".join(item[0] for item in question.items)
    return " / ".join(question.answers or question.support)


@dataclass(frozen=True, slots=True)
class _Way:
    """Whether a right article was found, and a right sentence ranked well."""

    found: bool
    ranked: bool

    def failure(self, otherwise: str) -> str:
        """The first step of the two that failed, or what else did."""
        return NOT_FOUND if not self.found else otherwise if self.ranked else BADLY_RANKED


def _of_plain(question: EvalQuestion, answer: Answer, scores: Scores, way: _Way) -> str:
    """What an answer is worth; of a failure, the first step of the way that failed."""
    if not question.answerable:
        return WRONGLY_ANSWERED if answer.answerable else RIGHTLY_REFUSED
    if scores.f1 >= RIGHT:
        return EXACT if scores.em else NEARLY_RIGHT
    if not answer.answerable:
        return way.failure(WRONGLY_REFUSED)
    held = asserted(answer) is None and any(holds(c.sentence, question.answers) for c in answer.citations)
    return way.failure(NOTHING_SAID if held else MISREAD)


def _of_natural(question: EvalQuestion, answer: Answer, judged: Judgement, way: _Way) -> str:
    """What an answer is worth; of a failure what is wrong with it, or the first step of the way that failed."""
    talked = question.kind == natural.CHITCHAT
    if not question.answerable:
        if judged.useful:
            return EXACT if talked else RIGHTLY_REFUSED
        return WRONGLY_REFUSED if talked and not answer.answerable else WRONGLY_ANSWERED
    if judged.useful == 1:
        return EXACT
    if judged.harm:
        return WRONG_POLARITY if question.kind == "yesno" and answer.kind in ("yes", "no") else WRONGLY_SAID
    if not answer.answerable:
        return way.failure(WRONGLY_REFUSED)
    if not judged.supported:
        return way.failure(BESIDE)
    return INCOMPLETE if question.kind in ("list", "summary") else NOTHING_SAID
