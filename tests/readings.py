"""Passages and readings made by hand, for the tests of what follows the reader."""

from __future__ import annotations

from collections.abc import Sequence

from qa.ingest.passages import Passage, Span
from qa.ingest.sentences import split_sentences
from qa.library.storage import StoredPassage
from qa.reading.choice import Read
from qa.reading.kinds import KINDS
from qa.reading.reading import PassageReading
from qa.reading.reading import Span as ReadSpan
from qa.retrieval.retriever import Hit


def hit(text: str, *, article: str = "a", title: str = "Le pont", row: int = 0, at: int = 0) -> Hit:
    """A passage of these sentences, `at` characters into its article."""
    sentences = tuple(Span(at + a, at + b) for a, b in split_sentences(text))
    passage = Passage(article, 0, at, at + len(text), text, sentences)
    return Hit(StoredPassage(row, passage, title, "source", None), 1.0, 1.0, 0.8)


def read(
    found: Hit,
    *,
    kind: str = "span",
    answers: float = 0.9,
    spans: Sequence[tuple[str, float]] = (),
    items: Sequence[str] = (),
    supports: Sequence[float] = (),
) -> Read:
    """What a reader could say of the passage: probabilities of the kind, of spans by their text, of its sentences."""
    passage = found.stored.passage
    kinds = [0.0] * len(KINDS)
    kinds[KINDS.index("none")] = 1 - answers
    kinds[KINDS.index(kind)] += answers

    def place(text: str, log_probability: float) -> ReadSpan:
        start = passage.text.index(text)
        number = next(
            n
            for n, s in enumerate(passage.sentences)
            if s.start - passage.start <= start < s.end - passage.start
        )
        return ReadSpan(number, start, start + len(text), log_probability)

    import math

    reading = PassageReading(
        tuple(kinds),
        math.log(max(1 - answers, 1e-9)),
        tuple(place(text, math.log(p)) for text, p in spans),
        tuple(place(text, 0.0) for text in items),
        tuple(supports) or (0.5,) * len(passage.sentences),
    )
    return Read(found, reading)
