"""The letters of a page, in the order they were drawn, to pieces of lines with their places."""

from __future__ import annotations

import ctypes
import math
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import median
from typing import Any

from qa.ingest.formats.notes import raised
from qa.ingest.formats.pdf.rules import Rule

CELL_GAP = 0.45  # in heights of letters: what is further apart are two pieces

_HYPHENS = {0x02: "-", 0xFFFE: "-", 0x2010: "-", 0x2011: "-"}
_ROTATED = 0.2
_WORD_GAP = 0.2
_TYPED_GAP = 0.75
LEADER = " – "
_LEADERS = re.compile(r"(?: ?\.){5,} ?|(?: ?…){2,} ?|(?: ?_){5,} ?")
_SPACED_LETTERS, _FEWEST_LETTERS = 0.8, 8


@dataclass(frozen=True, slots=True)
class Glyph:
    """A letter with its place in points, y upwards; `spaced` tells whether a space stands before it, `space` its width."""

    letter: str
    left: float
    right: float
    base: float
    size: float
    spaced: bool
    space: float = 0.0


@dataclass(slots=True)
class Piece:
    """Letters in a row on one base line, without a wide gap."""

    text: str
    left: float
    right: float
    base: float
    size: float


@dataclass(slots=True)
class _Open:
    """A piece under way; `lifted` are raised letters not yet judged."""

    glyphs: list[Glyph]
    base: float
    size: float
    right: float
    text: str = ""
    lifted: list[Glyph] = field(default_factory=list)


def read_pieces(textpage: Any, upright_rules: Sequence[Rule] = ()) -> tuple[list[Piece], str, bool]:
    """The pieces of a page, apart the text that stands at an angle to most of it, and whether the page is turned.

    A rule between two letters parts them.
    """
    from pypdfium2 import raw

    count = raw.FPDFText_CountChars(textpage)
    angles = Counter(
        round(raw.FPDFText_GetCharAngle(textpage, at), 1) for at in range(0, count, max(1, count // 50))
    )
    upright = angles.most_common(1)[0][0] if angles else 0.0
    apart: list[str] = []
    rules = () if upright else sorted(upright_rules, key=lambda rule: rule.at)
    pieces = _without_doubles(_pieces(_glyphs(textpage, count, upright, apart), rules))
    return pieces, " ".join("".join(apart).split()), bool(upright)


def _glyphs(textpage: Any, count: int, upright: float, apart: list[str]) -> Iterator[Glyph]:
    from pypdfium2 import raw

    box, matrix = raw.FS_RECTF(), raw.FS_MATRIX()
    x, y = ctypes.c_double(), ctypes.c_double()
    cos, sin = math.cos(upright), math.sin(upright)
    spaced = turned = False
    space, spaces = 0.0, 0
    for at in range(count):
        code = raw.FPDFText_GetUnicode(textpage, at)
        letter = _HYPHENS.get(code) or (chr(code) if code < 0x110000 else "")
        if letter.isspace() or (code not in _HYPHENS and raw.FPDFText_IsGenerated(textpage, at) == 1):
            spaced = spaced or letter not in "\r\n"
            if letter == " " and raw.FPDFText_IsGenerated(textpage, at) == 0:
                raw.FPDFText_GetLooseCharBox(textpage, at, ctypes.byref(box))
                space, spaces = space + abs(box.right - box.left), spaces + 1
            if turned:
                apart.append(" ")
            continue
        if not letter.isprintable() or code == 0xFFFD:
            continue
        turned = abs(math.remainder(raw.FPDFText_GetCharAngle(textpage, at) - upright, math.tau)) > _ROTATED
        if turned:
            apart.append(letter)
            continue
        raw.FPDFText_GetLooseCharBox(textpage, at, ctypes.byref(box))
        raw.FPDFText_GetCharOrigin(textpage, at, ctypes.byref(x), ctypes.byref(y))
        raw.FPDFText_GetMatrix(textpage, at, ctypes.byref(matrix))
        size = abs(raw.FPDFText_GetFontSize(textpage, at)) * math.hypot(matrix.c, matrix.d)
        left, right, base = box.left, box.right, y.value
        if upright:
            across = [cx * cos + cy * sin for cx in (box.left, box.right) for cy in (box.top, box.bottom)]
            left, right = min(across), max(across)
            base = y.value * cos - x.value * sin
        # Three spaces and more stand for a gap, as in the columns of a typewriter.
        yield Glyph(letter, left, max(left, right), base, size or 1.0, spaced, space if spaces < 3 else 0.0)
        spaced, space, spaces = False, 0.0, 0


def _pieces(glyphs: Iterator[Glyph], rules: Sequence[Rule]) -> Iterator[Piece]:
    """Letters in a row to pieces: a call of a note is left out, a raised number that opens a line is « 1. »."""
    at: _Open | None = None
    for glyph in glyphs:
        if at is None:
            at = _Open([glyph], glyph.base, glyph.size, glyph.right)
            continue
        gap, rise, size = glyph.left - at.right, glyph.base - at.base, max(at.size, glyph.size)
        last = at.glyphs[-1]
        if (
            glyph.left == last.left
            and glyph.right == last.right
            and glyph.base == last.base
            and glyph.letter in "filtj"
        ):
            at.glyphs.append(replace(glyph, spaced=False))  # a ligature, given letter by letter
            continue
        if not glyph.spaced and gap > _WORD_GAP * size:
            glyph = replace(glyph, spaced=True)
        if (
            glyph.letter == last.letter
            and abs(glyph.left - last.left) < 0.15 * size
            and abs(rise) < 0.15 * size
        ):
            continue
        leader = glyph.letter == last.letter == "."
        widest = 1.5 if leader else _TYPED_GAP if _typewritten(at.glyphs[-4:]) else CELL_GAP
        near = -0.6 * size <= gap <= widest * size + glyph.space
        if near and rules and gap > 0.05 * size and _ruled(rules, at.right, glyph):
            near = False
        if near and abs(rise) <= 0.12 * size and (not at.lifted or glyph.size > 0.9 * at.size):
            _settle(at, glyph.letter)
            at.glyphs.append(glyph)
            at.size = max(at.size, glyph.size)
        elif near and gap <= 0.5 * size and glyph.size < 0.93 * at.size and 0.08 < rise / at.size < 0.9:
            at.lifted.append(glyph)
        elif near and gap <= 0.3 * size and glyph.size < 0.9 * at.size and -0.5 < rise / at.size < 0:
            at.glyphs.append(glyph)
        elif _opens_a_note(at, glyph, gap):
            last = at.glyphs[-1]
            at.glyphs.append(Glyph(".", last.right, last.right, glyph.base, last.size, False))
            at.glyphs.append(Glyph(glyph.letter, glyph.left, glyph.right, glyph.base, glyph.size, True))
            at.base, at.size = glyph.base, glyph.size
        else:
            yield from _closed(at)
            at = _Open([glyph], glyph.base, glyph.size, glyph.right)
        at.right = glyph.right
    if at:
        yield from _closed(at)


def _typewritten(glyphs: Sequence[Glyph]) -> bool:
    """Whether the letters are all of one width: then a space is as wide as a letter."""
    widths = [glyph.right - glyph.left for glyph in glyphs]
    figures = all(glyph.letter.isdecimal() for glyph in glyphs)
    return len(widths) > 2 and not figures and max(widths) - min(widths) < 0.03 * glyphs[0].size


def _ruled(rules: Sequence[Rule], right: float, glyph: Glyph) -> bool:
    """Whether a rule stands between `right` and the letter."""
    first = bisect_left(rules, right - 0.5, key=lambda rule: rule.at)
    for rule in rules[first : first + 50]:
        if rule.at > glyph.left + 0.5:
            return False
        if rule.start <= glyph.base + 0.3 * glyph.size <= rule.end:
            return True
    return False


def _opens_a_note(at: _Open, glyph: Glyph, gap: float) -> bool:
    """Whether what was read is the raised number of a note, and the letter the first of its text."""
    return (
        len(at.glyphs) <= 3
        and all(g.letter.isdecimal() for g in at.glyphs)
        and at.size < 0.93 * glyph.size
        and 0.08 < (at.base - glyph.base) / glyph.size < 0.9
        and -0.3 * glyph.size < gap < 0.8 * glyph.size
    )


def _settle(at: _Open, after: str = "") -> None:
    """Judge the raised letters, now that what follows is known."""
    if not at.lifted:
        return
    first = at.lifted[0]
    before = _text(at.glyphs)
    signs = _text(at.lifted)
    kept = raised(before, signs.strip(), after)
    if kept:
        place = Glyph(kept, first.left, at.lifted[-1].right, at.base, at.size, first.spaced)
        at.glyphs.append(place)
    at.lifted = []


def _closed(at: _Open) -> Iterator[Piece]:
    _settle(at)
    text = _text(at.glyphs).strip()
    if text:
        yield Piece(text, at.glyphs[0].left, at.glyphs[-1].right, at.base, at.size)


def _text(glyphs: list[Glyph]) -> str:
    words = sum(glyph.spaced for glyph in glyphs[1:])
    if len(glyphs) >= _FEWEST_LETTERS and words >= _SPACED_LETTERS * (len(glyphs) - 1):
        return _regrouped(glyphs)
    return _LEADERS.sub(LEADER, "".join(f" {g.letter}" if g.spaced else g.letter for g in glyphs))


def _regrouped(glyphs: list[Glyph]) -> str:
    """Letters each followed by a space: words end where the gap is wider than most."""
    gaps = [after.left - before.right for before, after in pairwise(glyphs)]
    usual = median(gaps)
    size = glyphs[0].size
    letters = [glyphs[0].letter]
    for glyph, gap in zip(glyphs[1:], gaps, strict=True):
        letters.append(
            f" {glyph.letter}" if gap > usual + max(0.12 * size, 0.4 * abs(usual)) else glyph.letter
        )
    return _LEADERS.sub(LEADER, "".join(letters))


def _without_doubles(pieces: Iterator[Piece]) -> list[Piece]:
    """The pieces, less those drawn twice at almost the same place, for shadows and bold type."""
    kept: list[Piece] = []
    for piece in pieces:
        if not any(
            piece.text == other.text
            and abs(piece.left - other.left) < 0.4 * piece.size
            and abs(piece.base - other.base) < 0.4 * piece.size
            for other in kept[-12:]
        ):
            kept.append(piece)
    return kept
