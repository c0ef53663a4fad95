"""Reading one given text, whatever its length: its windows, and the best span of them all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from qa.answer import Reading
from qa.ingest.sentences import split_sentences
from qa.reading.choice import tidy, whole_tokens
from qa.reading.reading import PassageReading

WINDOW_WORDS = 200


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a text that begins at `at`, and the offsets of its sentences in it."""

    at: int
    text: str
    sentences: tuple[tuple[int, int], ...]


def windows_of(text: str) -> list[Window]:
    """A text as windows of at most about 200 words; half a window overlaps."""
    sentences = split_sentences(text)
    windows: list[Window] = []
    first = 0
    while first < len(sentences):
        last, words = first, 0
        while last < len(sentences):
            words += len(text[slice(*sentences[last])].split())
            if words > WINDOW_WORDS and last > first:
                break
            last += 1
        at = sentences[first][0]
        inside = tuple((a - at, b - at) for a, b in sentences[first:last])
        windows.append(Window(at, text[at : sentences[last - 1][1]], inside))
        if last == len(sentences):
            break
        first = max(first + 1, (first + last) // 2)
    return windows


def best_reading(text: str, read: Sequence[tuple[Window, PassageReading]]) -> Reading:
    """The span that leads "no answer" most."""
    best: tuple[float, int, int] | None = None
    for window, reading in read:
        for span in reading.spans[:1]:
            lead = span.log_probability - reading.none
            if best is None or lead > best[0]:
                place = window.sentences[span.sentence]
                sentence = window.text[slice(*place)]
                a, b = tidy(sentence, *whole_tokens(sentence, span.start - place[0], span.end - place[0]))
                best = (lead, window.at + place[0] + a, window.at + place[0] + b)
    if best is None:
        return Reading(None, None, None, 0.0, False)
    lead, start, end = best
    confidence = 1 / (1 + math.exp(-max(-30.0, min(30.0, lead))))
    return Reading(text[start:end], start, end, confidence, lead > 0)
