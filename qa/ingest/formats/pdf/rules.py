"""The lines drawn on a page: the frames of its tables and boxes."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

_MOST_OBJECTS = 20_000
_MOST_POINTS = 4_000
_MOST_RULES = 1_500
_THIN = 3.0
_SHORTEST = 4.0


@dataclass(frozen=True, slots=True)
class Rule:
    """A line at `at` (x of an upright one, y of a level one) from `start` to `end`, in points."""

    at: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Frame:
    """The cell of a table or the box around a place."""

    left: float
    bottom: float
    right: float
    top: float


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is drawn on a page: upright and level rules, and the share of the page its pictures cover."""

    upright: tuple[Rule, ...] = ()
    level: tuple[Rule, ...] = ()
    pictures: float = 0.0

    def frame_of(self, x: float, y: float) -> Frame | None:
        """The nearest rules around a place, where there is one on each of the four sides."""
        sides = [
            max((r.at for r in self.upright if r.at <= x and r.start - 1 <= y <= r.end + 1), default=None),
            max((r.at for r in self.level if r.at <= y and r.start - 1 <= x <= r.end + 1), default=None),
            min((r.at for r in self.upright if r.at > x and r.start - 1 <= y <= r.end + 1), default=None),
            min((r.at for r in self.level if r.at > y and r.start - 1 <= x <= r.end + 1), default=None),
        ]
        left, bottom, right, top = sides
        if left is None or bottom is None or right is None or top is None:
            return None
        return Frame(left, bottom, right, top)


def read_drawn(page: Any) -> Drawn:
    """The rules and pictures of a page; none where it has too many to be a table."""
    from pypdfium2 import raw

    upright: list[Rule] = []
    level: list[Rule] = []
    width, height = raw.FPDF_GetPageWidthF(page), raw.FPDF_GetPageHeightF(page)
    pictures = 0.0
    waiting = [
        raw.FPDFPage_GetObject(page, at) for at in range(min(raw.FPDFPage_CountObjects(page), _MOST_OBJECTS))
    ]
    top_level = len(waiting)
    for number, thing in enumerate(waiting):
        kind = raw.FPDFPageObj_GetType(thing)
        if kind == raw.FPDF_PAGEOBJ_FORM and number < top_level:
            waiting += [
                raw.FPDFFormObj_GetObject(thing, at)
                for at in range(min(max(raw.FPDFFormObj_CountObjects(thing), 0), 200))
            ]
        elif kind == raw.FPDF_PAGEOBJ_IMAGE and number < top_level:
            left, bottom, right, top = _bounds(thing)
            pictures += max(0.0, right - left) * max(0.0, top - bottom)
        elif kind == raw.FPDF_PAGEOBJ_IMAGE:
            pictures += width * height
        elif kind == raw.FPDF_PAGEOBJ_PATH and number < top_level and len(upright) + len(level) < _MOST_RULES:
            _add_rules(thing, upright, level)
    share = pictures / (width * height) if width > 0 and height > 0 else 0.0
    if len(upright) + len(level) >= _MOST_RULES:
        upright, level = [], []
    return Drawn(tuple(upright), tuple(level), share)


def _bounds(thing: Any) -> tuple[float, float, float, float]:
    from pypdfium2 import raw

    edges = [ctypes.c_float() for _ in range(4)]
    if not raw.FPDFPageObj_GetBounds(thing, *map(ctypes.byref, edges)):
        return 0.0, 0.0, 0.0, 0.0
    left, bottom, right, top = (edge.value for edge in edges)
    return left, bottom, right, top


def _add_rules(path: Any, upright: list[Rule], level: list[Rule]) -> None:
    from pypdfium2 import raw

    left, bottom, right, top = _bounds(path)
    if right - left <= _THIN:
        if top - bottom > _SHORTEST:
            upright.append(Rule((left + right) / 2, bottom, top))
        return
    if top - bottom <= _THIN:
        level.append(Rule((bottom + top) / 2, left, right))
        return
    matrix = raw.FS_MATRIX()
    raw.FPDFPageObj_GetMatrix(path, ctypes.byref(matrix))
    points = _points(path, matrix)
    for (x, y), (to_x, to_y) in pairwise(points):
        if abs(x - to_x) <= 1 and abs(y - to_y) > _SHORTEST:
            upright.append(Rule(x, min(y, to_y), max(y, to_y)))
        elif abs(y - to_y) <= 1 and abs(x - to_x) > _SHORTEST:
            level.append(Rule(y, min(x, to_x), max(x, to_x)))


def _points(path: Any, matrix: Any) -> Sequence[tuple[float, float]]:
    """The corners of a path; a new part of it begins with a step that is neither upright nor level."""
    from pypdfium2 import raw

    x, y = ctypes.c_float(), ctypes.c_float()
    points: list[tuple[float, float]] = []
    start = (0.0, 0.0)
    for at in range(min(raw.FPDFPath_CountSegments(path), _MOST_POINTS)):
        segment = raw.FPDFPath_GetPathSegment(path, at)
        raw.FPDFPathSegment_GetPoint(segment, ctypes.byref(x), ctypes.byref(y))
        place = (
            matrix.a * x.value + matrix.c * y.value + matrix.e,
            matrix.b * x.value + matrix.d * y.value + matrix.f,
        )
        if raw.FPDFPathSegment_GetType(segment) == raw.FPDF_SEGMENT_MOVETO:
            start = place
            points.append((float("inf"), float("inf")))
        points.append(place)
        if raw.FPDFPathSegment_GetClose(segment):
            points.append(start)
    return points
