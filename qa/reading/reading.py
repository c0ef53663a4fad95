"""What a reader gives, and what a reader is: the `Reader` protocol that every one of them follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from qa.reading.encoding import ReaderInput


@dataclass(frozen=True, slots=True)
class Span:
    """A verbatim piece `text[start:end]` of a passage, inside its sentence number `sentence`.

    `log_probability` is that of the span among all spans of the passage and none; of an item, that it is one.
    """

    sentence: int
    start: int
    end: int
    log_probability: float


@dataclass(frozen=True, slots=True)
class PassageReading:
    """What one passage says to a question.

    `kinds` are the probabilities of `qa.reading.pointer.KINDS`, in their order; `none` the log-probability that no
    span answers; `spans` the n best, best first; `items` those of a list, in the order of the text; `supports` the
    probability of each sentence that it proves the answer.
    """

    kinds: tuple[float, ...]
    none: float
    spans: tuple[Span, ...]
    items: tuple[Span, ...]
    supports: tuple[float, ...]


class Reader(Protocol):
    """Reads passages one by one; what it gives of each can be compared with what it gives of the others."""

    @property
    def name(self) -> str:
        """What it is called, in reports."""

    def read_batch(self, inputs: Sequence[ReaderInput]) -> list[PassageReading]:
        """Read each input: a question over one passage."""
