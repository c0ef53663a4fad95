"""The data a user gets: an `Answer` of some kind, its `Citation`s, its `Evidence`, the passages retrieved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

AnswerKind = Literal["span", "list", "yes", "no", "sentences", "articles", "none", "talk"]
Topic = Literal["", "hello", "thanks", "help", "goodbye", "foreign"]


@dataclass(frozen=True, slots=True)
class RetrievedPassage:
    """A passage as retrieval found it; `start` and `end` are character offsets in the article's text.

    `headings` are those above it in its article, the outermost first.
    """

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
    headings: tuple[str, ...] = ()


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
    sentence, or None where the sentence is quoted whole. `score` is a probability, 0 to 1. `page` is that
    of a PDF, from 1, or None; `headings` are those above the sentence, the outermost first.
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
    page: int | None = None
    headings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a list: a verbatim span of the sentence that the citation of that marker quotes."""

    text: str
    marker: int


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with its citations; its French text is made by `qa.wording`, and by it alone.

    `short` is a verbatim span of the first cited sentence (of a "sentences" answer the exact clause, of any of
    them), or None; `items` are those of a list. `passages` come in the order of their best sentence, which is not
    always that of their scores; `confidence` is a calibrated probability (0 to 1) that what is asserted is right,
    `timings` are milliseconds a step, `question` is the question as searched, after a follow-up was completed.
    `topic` says what a "talk" answer is about; `suggestions` are questions that the library answers.
    """

    kind: AnswerKind
    question: str
    short: str | None = None
    items: tuple[Item, ...] = ()
    confidence: float = 0.0
    citations: tuple[Citation, ...] = ()
    passages: tuple[RetrievedPassage, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    topic: Topic = ""
    suggestions: tuple[str, ...] = ()

    @property
    def answerable(self) -> bool:
        """Whether the articles answer: false for "none" and "talk"."""
        return self.kind not in ("none", "talk")

    @property
    def text(self) -> str:
        """What a person reads, with its markers."""
        from qa.wording import text_of

        return text_of(self)

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain JSON types, and what is derived from them: `text` and `answerable`."""
        return {**asdict(self), "text": self.text, "answerable": self.answerable}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Answer:
        """The answer that `to_dict` gave, by this version or another: fields that are not known are left out.

        Raises ValueError where what is there is not an answer.
        """
        try:
            return cls(
                kind=_kind(saved),
                question=str(saved["question"]),
                short=saved.get("short"),
                items=tuple(_known(Item, one) for one in saved.get("items", ())),
                confidence=float(saved.get("confidence", 0.0)),
                citations=tuple(_known(Citation, one) for one in saved.get("citations", ())),
                passages=tuple(_known(RetrievedPassage, one) for one in saved.get("passages", ())),
                evidence=tuple(_known(Evidence, one) for one in saved.get("evidence", ())),
                timings={str(step): float(ms) for step, ms in dict(saved.get("timings", {})).items()},
                topic=saved.get("topic", ""),
                suggestions=tuple(saved.get("suggestions", ())),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not an answer: {error}") from error


def _kind(saved: Mapping[str, Any]) -> AnswerKind:
    """The kind saved; answers older than kinds are spans, sentences, or none."""
    kind: AnswerKind = saved.get("kind", "none")
    if "kind" in saved and kind in get_args(AnswerKind):
        return kind
    if not saved.get("answerable", False):
        return "none"
    return "span" if saved.get("short") else "sentences"


def _known(kind: Any, saved: Mapping[str, Any]) -> Any:
    """A dataclass of the fields it knows, its lists as tuples."""
    names = {one.name for one in fields(kind)}
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in saved.items() if k in names})


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
    """A step of the way to an answer has begun, with the passages found before it; `label` is French, for the screen."""

    name: str
    label: str
    passages: tuple[RetrievedPassage, ...] = ()
