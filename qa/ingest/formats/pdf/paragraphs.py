"""The lines of all pages to paragraphs: no running heads, notes apart, words whole."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from qa.ingest.formats.notes import without_typed_calls
from qa.ingest.formats.pdf.hyphens import joined, words_of
from qa.ingest.formats.pdf.page import Line

_EDGE_LINES = 4
_FEWEST_PAGES = 3
_NUMBER_OF_PAGE = re.compile(
    r"(?:[–—-]\s*)?(?:(?:page|p\.|pages?)\s*)?(?:\d{1,4}|[ivxlc]{1,6})(?:\s*(?:/|sur|de|of)\s*\d{1,4})?(?:\s*[–—-])?",
    re.I,
)
_FOOTNOTE = re.compile(r"\d{1,3}(?:[.)]|\s)\s*\S")
_SENTENCE_END = (".", "!", "?", "…", "»", ":")
_ITEM = re.compile(r"(?:[•●▪■◦·*‣⁃–—-]|\d{1,2}[.)]|[a-z]\))\s")
_SMALL_PRINT = 0.92
_LARGE_PRINT = 1.12
_WIDE_GAP = 1.35
_DOUBLE_SPACED = 2.6


@dataclass(frozen=True, slots=True)
class Page:
    """The lines of a page in order, and its height in points."""

    lines: list[Line]
    height: float


def paragraphs(pages: Sequence[Page]) -> tuple[str, tuple[int, ...]]:
    """The text of the pages, a blank line between paragraphs, and where in it each page begins."""
    pages = _without_running_lines(pages)
    body = _usual_size(pages)
    words = words_of("\n".join(line.text for page in pages for line in page.lines))
    widths = _right_edges(pages)
    parts: list[str] = []
    begins: list[int] = []
    length = 0
    open_line: Line | None = None
    notes: list[str] = []

    def add(text: str) -> None:
        nonlocal length
        parts.append(text)
        length += len(text)

    def close() -> None:
        nonlocal open_line
        open_line = None
        for note in notes:
            add(f"\n\n{note}" if length else note)
        notes.clear()

    for page in pages:
        prose, page_notes = _without_notes(page, body)
        gap = _usual_gap(prose)
        began = False
        for line in prose:
            text = without_typed_calls(line.text)
            across = not began
            if (
                open_line is None
                or line.whole
                or open_line.whole
                or _begins(line, open_line, widths, gap, across)
            ):
                close()
                add("\n\n" if length else "")
                if across:
                    begins.append(length)
                add(text)
            else:
                before = parts[-1]
                whole = joined(before, text, words)
                if whole is None:
                    add(" ")
                elif len(whole) < len(before):
                    parts[-1] = whole
                    length -= len(before) - len(whole)
                if across:
                    begins.append(length)
                add(text)
            began = True
            open_line = line
        if not began:
            begins.append(length + 2 if length and open_line is None else length)
        notes += page_notes
    close()
    text = "".join(parts)
    return text, tuple(min(at, len(text)) for at in begins)


def _begins(line: Line, last: Line, widths: Mapping[int, float], gap: float, across: bool) -> bool:
    """Whether a line begins a paragraph."""
    ends = last.text.endswith(_SENTENCE_END)
    small = line.text[:1].islower()
    if joined(last.text, line.text, frozenset()) is not None:
        return False
    if abs(line.size - last.size) > 0.12 * last.size and not (small and not ends):
        return True
    if _ITEM.match(line.text):
        return True
    drop = last.base - line.base
    if across or drop < 0 or line.left > last.right or line.right < last.left:
        return not small and (ends or _leaves_room(last, line, widths))
    if gap and drop > _WIDE_GAP * gap and (ends or not small):
        return True
    if drop > _DOUBLE_SPACED * max(line.size, last.size) and not small:
        return True
    if ends and line.left - last.left > 0.8 * line.size and drop > 0:
        return True
    return _leaves_room(last, line, widths) and (ends or not small)


def _leaves_room(last: Line, line: Line, widths: Mapping[int, float]) -> bool:
    """Whether the first word of the line would have had its place at the end of the last one."""
    first = line.text.split(maxsplit=1)[0] if line.text else ""
    letter = (line.right - line.left) / max(len(line.text), 1)
    room = widths.get(_column(last), last.right) - last.right
    return room > (len(first) + 2.5) * letter


def _column(line: Line) -> int:
    return round(line.left / 8)


def _right_edges(pages: Sequence[Page]) -> dict[int, float]:
    """How far the lines of each column reach, by where they begin; that of short lines is what lines above reach."""
    edges: dict[int, float] = defaultdict(float)
    for page in pages:
        for line in page.lines:
            if not line.whole:
                for near in (-1, 0, 1):
                    edges[_column(line) + near] = max(edges[_column(line) + near], line.right)
    return edges


def _usual_size(pages: Sequence[Page]) -> float:
    sizes: Counter[float] = Counter()
    for page in pages:
        for line in page.lines:
            sizes[round(line.size, 1)] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 10.0


def _usual_gap(lines: Sequence[Line]) -> float:
    """The usual distance between the base lines of a page, 0 where it has too few."""
    drops = [
        above.base - line.base
        for above, line in pairwise(lines)
        if 0 < above.base - line.base < 3 * line.size and not line.whole
    ]
    return float(median(drops)) if len(drops) > 2 else 0.0


def _without_notes(page: Page, body: float) -> tuple[list[Line], list[str]]:
    """The lines of a page, and apart the notes in small print at its foot."""
    lowest = min((line.base for line in page.lines if line.size >= _SMALL_PRINT * body), default=0.0)
    small = [
        line
        for line in page.lines
        if line.size < _SMALL_PRINT * body and line.base < lowest and not line.whole
    ]
    first = next((at for at, line in enumerate(small) if _FOOTNOTE.match(line.text)), None)
    if first is None:
        return page.lines, []
    notes: list[str] = []
    for line in small[first:]:
        if _FOOTNOTE.match(line.text) or not notes:
            notes.append(line.text)
        else:
            whole = joined(notes[-1], line.text, frozenset())
            notes[-1] = f"{notes[-1]} {line.text}" if whole is None else f"{whole}{line.text}"
    apart = {id(line) for line in small[first:]}
    return [line for line in page.lines if id(line) not in apart], notes


def _without_running_lines(pages: Sequence[Page]) -> list[Page]:
    """The pages less the heads, feet and page numbers that stand at the same place of many of them.

    Odd and even pages are counted apart too; in a text of two pages, what is repeated must stand in the margin.
    """
    edges = [_edges(page) for page in pages]
    body = _usual_size(pages)
    seen: dict[str, list[tuple[int, Line]]] = defaultdict(list)
    for number, lines in enumerate(edges):
        for line in lines:
            seen[_numberless(line.text)].append((number, line))
    running: set[tuple[int, int]] = set()
    for found in seen.values():
        places: dict[int, list[tuple[int, Line]]] = defaultdict(list)
        for number, line in found:
            places[round(line.base / 6)].append((number, line))
        for at, placed in places.items():
            near = placed + places.get(at + 1, [])
            if _runs(near, pages, body):
                running |= {(number, id(line)) for number, line in near}
    for number, (page, lines) in enumerate(zip(pages, edges, strict=True)):
        for line in lines:
            outside = not 0.1 * page.height < line.base < 0.9 * page.height
            alone = _NUMBER_OF_PAGE.fullmatch(line.text) and not line.whole
            if alone and line.size <= _LARGE_PRINT * body and (outside or len(pages) >= _FEWEST_PAGES):
                running |= (
                    {(number, id(line))}
                    if outside or _beside_running(line, lines, number, running)
                    else set()
                )
    return [
        Page([line for line in page.lines if (number, id(line)) not in running], page.height)
        for number, page in enumerate(pages)
    ]


def _beside_running(line: Line, edges: Sequence[Line], number: int, running: set[tuple[int, int]]) -> bool:
    return any(
        (number, id(other)) in running and abs(other.base - line.base) < 3 * line.size
        for other in edges
        if other is not line
    )


def _runs(found: Sequence[tuple[int, Line]], pages: Sequence[Page], body: float) -> bool:
    """Whether a line that stands at one place of several pages is a head or a foot."""
    numbers = {number for number, _ in found}
    texts = {line.text for _, line in found}
    if len(texts) > 1 and any(line.size > _LARGE_PRINT * body for _, line in found):
        return False  # « Chapitre 1 », « Chapitre 2 »
    total, half = len(pages), (len(pages) + 1) // 2
    apart = len({number % 2 for number in numbers}) == 1
    outside = all(
        not 0.12 * pages[number].height < line.base < 0.88 * pages[number].height for number, line in found
    )
    if len(numbers) >= _FEWEST_PAGES:
        return (
            len(numbers) > total / 2
            or (apart and len(numbers) > half / 2)
            or (outside and len(numbers) > 0.25 * total)
        )
    return len(numbers) == 2 and outside and (total <= 3 or (apart and total <= 5))


def _edges(page: Page) -> list[Line]:
    """The lines nearest to the head and the foot of a page."""
    lines = sorted(page.lines, key=lambda line: -line.base)
    bases = sorted({round(line.base) for line in lines}, reverse=True)
    if len(bases) <= 2 * _EDGE_LINES:
        return lines
    high, low = bases[_EDGE_LINES - 1], bases[-_EDGE_LINES]
    return [line for line in lines if round(line.base) >= high or round(line.base) <= low]


def _numberless(line: str) -> str:
    return re.sub(r"\d+", "#", line)
