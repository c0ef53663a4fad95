"""An article in passages: whole sentences in a row, cut where its headings are, with exact character offsets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from qa.ingest.sentences import split_sentences
from qa.ingest.structure import Heading, is_mail_head, text_of

if TYPE_CHECKING:
    from qa.ingest.articles import Article

CUT = 1
"""The version of the way articles are cut: a library that was cut otherwise is brought up to date."""
HEADER_CHARACTERS = 200

_SHORT_WORDS = 40
_SHORTEST_WORDS = 15
_LONGEST_HEADING = 120
_FREE, _LOOSE, _FIRM = 0, 1, 2

_LIST_ITEM = re.compile(r"(?:[-–—•*·▪]|\d{1,2}[.)]|[a-z]\))\s")


@dataclass(frozen=True, slots=True)
class Span:
    """Character offsets in an article's text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Passage:
    """Sentences of an article in a row; `text` is `article.text[start:end]`, all offsets are the article's.

    `sentences` are those that can be quoted: headings are in the text, and not among them (but for the heads of
    mails). `headings` are those above it, the outermost first, without one that is the article's title.
    """

    article_id: str
    index: int
    start: int
    end: int
    text: str
    sentences: tuple[Span, ...]
    headings: tuple[str, ...] = ()


def header_of(title: str, headings: Sequence[str], date: str | None) -> str:
    """« Titre › Partie › Sous-partie · 2024-03-14 »: the context of a passage, of at most 200 characters.

    Where there is no room for all, the title and the inmost headings stay.
    """
    ending = f" · {date}" if date else ""
    room = HEADER_CHARACTERS - len(ending)
    kept = [_shortened(title, room // 2 if headings else room)] if title else []
    room -= len("".join(kept))
    inner: list[str] = []
    for heading in reversed(headings):
        if room <= 10:
            break
        inner.insert(0, _shortened(heading, room - 3))
        room -= len(inner[0]) + 3
    return (" › ".join([*kept, *inner]) + ending).removeprefix(" · ")


def with_header(header: str, text: str) -> str:
    """A passage as it is encoded: its context on the line above it."""
    return f"{header}\n{text}" if header else text


def split_passages(article: Article, *, target_words: int = 120, overlap: int = 1) -> list[Passage]:
    """Passages of whole sentences of at most `target_words` words, or of one sentence where it alone has more.

    A heading begins a passage, but neighbouring sections of a few words share one. A section that is too long is
    cut into windows, each of which begins with the last `overlap` sentences of the one before, where they leave room
    for a new one; not inside a row of a table nor, where it can be helped, inside a list, and never between a
    heading, or a line that ends with a colon, and what follows.
    """
    units = list(_units(article))
    joints = [_joint(article.text, before, after) for before, after in pairwise(units)]
    passages: list[Passage] = []
    for first, last in _pieces(units, target_words):
        for begin, end in _windows(units, joints, first, last, target_words, overlap):
            passages.append(_passage(article, len(passages), units[begin:end]))
    return passages


@dataclass(frozen=True, slots=True)
class _Unit:
    """A sentence, or a heading, with the headings above it (of a heading: itself included)."""

    start: int
    end: int
    words: int
    heading: Heading | None
    above: tuple[Heading, ...]


def _units(article: Article) -> Iterator[_Unit]:
    """Every sentence and every heading, in order; no sentence reaches across a heading."""
    text, at = article.text, 0
    above: tuple[Heading, ...] = ()
    for heading in [*article.headings, None]:
        for start, end in split_sentences(text[at : heading.start if heading else len(text)]):
            yield _Unit(at + start, at + end, _size(text[at + start : at + end]), None, above)
        if heading is None:
            return
        above = (*(outer for outer in above if outer.level < heading.level), heading)
        yield _Unit(heading.start, heading.end, _size(text[heading.start : heading.end]), heading, above)
        at = heading.end


def _pieces(units: Sequence[_Unit], target_words: int) -> Iterator[tuple[int, int]]:
    """The sections of an article as ranges of units, small neighbours together."""
    if not units:
        return
    starts = [
        number
        for number, unit in enumerate(units)
        if number == 0 or (unit.heading and not units[number - 1].heading)
    ]
    first = 0
    for start, after in zip(starts, [*starts[1:], len(units)], strict=True):
        if start == first:
            continue
        here, coming = _words(units[first:start]), _words(units[start:after])
        body = _words([unit for unit in units[first:start] if not unit.heading])
        outer = _level(units[start]) < _level(units[first])
        tail = after == len(units) and coming < _SHORTEST_WORDS
        short = body < (_SHORTEST_WORDS if outer else _SHORT_WORDS) or tail
        if not (short and here + coming <= target_words):
            yield first, start
            first = start
    yield first, len(units)


def _windows(
    units: Sequence[_Unit], joints: Sequence[int], first: int, last: int, target_words: int, overlap: int
) -> Iterator[tuple[int, int]]:
    """The windows of a piece, as ranges of units."""
    reached = first
    while reached < last:
        end, words = first + 1, units[first].words
        while end < last and words + units[end].words <= target_words:
            words += units[end].words
            end += 1
        if end <= reached:
            first += 1
            continue
        if end < last:
            end = _best_cut(units, joints, max(first, reached), end, target_words)
        yield first, end
        reached = end
        if end < last:
            back = max(first + 1, end - overlap)
            while back < end and (units[back].heading or joints[back - 1] == _FIRM):
                back += 1
            first = back


def _best_cut(
    units: Sequence[_Unit], joints: Sequence[int], reached: int, end: int, target_words: int
) -> int:
    """The last place up to `end` where units can well be parted, if that leaves a third of the words; else `end`."""
    for allowed in (_FREE, _LOOSE):
        for cut in range(end, reached, -1):
            if joints[cut - 1] <= allowed:
                if _words(units[reached:cut]) * 3 >= target_words or allowed == _LOOSE:
                    return cut
                break
    return end


def _joint(text: str, before: _Unit, after: _Unit) -> int:
    """How much two units that follow each other belong together."""
    between = text[before.end : after.start]
    if before.heading:
        return _FIRM
    if "\n" not in between:
        row = text[text.rfind("\n", 0, before.start) + 1 : _line_end(text, after.start)]
        return _FIRM if " | " in row else _FREE
    if text[before.end - 1] == ":" and not after.heading:
        return _FIRM
    if after.heading:
        return _FREE
    item = _LIST_ITEM.match(text, after.start)
    table = " | " in text[after.start : _line_end(text, after.start)] and "\n\n" not in between
    return _LOOSE if item or table else _FREE


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _passage(article: Article, number: int, units: Sequence[_Unit]) -> Passage:
    start, end = units[0].start, units[-1].end
    quoted = [unit for unit in units if not unit.heading or is_mail_head(article.text, unit.heading)]
    above = next((unit for unit in units if not unit.heading), units[0]).above
    texts = [text_of(article.text, heading)[:_LONGEST_HEADING] for heading in above]
    title = _plain(article.title)
    return Passage(
        article.id,
        number,
        start,
        end,
        article.text[start:end],
        tuple(span for unit in quoted or units for span in _lines(article.text, unit)),
        tuple(text for text in texts if text and _plain(text) != title),
    )


def _lines(text: str, unit: _Unit) -> Iterator[Span]:
    """A sentence; of the head of a mail, each line."""
    at = unit.start
    for line in text[unit.start : unit.end].split("\n") if unit.heading else ():
        if line.strip():
            yield Span(at + len(line) - len(line.lstrip()), at + len(line.rstrip()))
        at += len(line) + 1
    if not unit.heading:
        yield Span(unit.start, unit.end)


def _level(unit: _Unit) -> int:
    return unit.heading.level if unit.heading else 9


def _words(units: Sequence[_Unit]) -> int:
    return sum(unit.words for unit in units)


def _plain(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()


def _shortened(text: str, characters: int) -> str:
    """The text, or its beginning and « … », of at most so many characters."""
    text = " ".join(text.split())
    if len(text) <= characters:
        return text
    cut = text[: max(0, characters - 1)]
    return (cut.rsplit(" ", 1)[0] if " " in cut[characters // 2 :] else cut).rstrip(" ,;:") + "…"


def _size(sentence: str) -> int:
    """Its words; a text without spaces counts as words of 12 letters, so that no passage grows without bound."""
    return max(len(sentence.split()), len(sentence) // 12)
