"""The data a user gets: an `Answer`, its `Citation`s, its `Evidence`, the passages retrieved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class RetrievedPassage:
    """A passage as retrieval found it; `start` and `end` are character offsets in the article's text."""

    article_id: str
    title: str
    source: str
    date: str | None
    text: str
    start: int
    end: int
    score: float
    lexical_score: float
    dense_score: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence that may hold the answer, with its neighbours for display; offsets are the article's."""

    article_id: str
    title: str
    source: str
    date: str | None
    sentence: str
    start: int
    end: int
    score: float
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Citation:
    """The proof of an answer: `sentence` is `article.text[start:end]`, verbatim.

    `answer_start` and `answer_end` are the short answer's offsets in the article's text, inside the
    sentence, or None where the sentence is quoted whole. `score` is a probability, 0 to 1.
    """

    marker: int
    article_id: str
    title: str
    source: str
    date: str | None
    sentence: str
    start: int
    end: int
    answer_start: int | None
    answer_end: int | None
    score: float


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with its citations; `short` is a verbatim span of the first cited sentence, or None.

    `passages` come in the order of their best sentence, which is not always that of their scores;
    `confidence` is a calibrated probability (0 to 1) that the short answer is right, `timings` are
    milliseconds a step, `question` is the question as searched, after a follow-up was completed.
    """

    text: str
    short: str | None
    answerable: bool
    confidence: float
    citations: tuple[Citation, ...]
    passages: tuple[RetrievedPassage, ...]
    question: str
    evidence: tuple[Evidence, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain JSON types."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the reader finds in one given text: a verbatim span `text[start:end]`, or none (`short` None)."""

    short: str | None
    start: int | None
    end: int | None
    confidence: float
    answerable: bool


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a streamed answer has begun; `label` is French, for the screen."""

    name: str
    label: str


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of a streamed answer's text: the deltas of a stream joined are `Answer.text`."""

    text: str
