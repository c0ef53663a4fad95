"""Small plots as inline SVG, in the page's own colours, so that a report needs nothing from outside."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from eval.report.labels import number

WIDTH, HEIGHT = 380, 230
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 12, 42
LABEL, VALUE, BAR, STEP = 120, 92, 14, 28
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a value, a line from `low` to `high` across its end, and what is written after it."""

    label: str
    value: float
    low: float
    high: float
    note: str


def bars(rows: Sequence[Bar], *, title: str, top: float | None = None) -> Markup:
    """Horizontal bars, on a scale from 0 to `top`, or to the highest value."""
    top = top or max((row.high for row in rows), default=1.0) or 1.0
    scale = (WIDTH - LABEL - VALUE) / top
    parts = []
    for i, row in enumerate(rows):
        y = i * STEP + STEP / 2
        low, high = LABEL + row.low * scale, LABEL + row.high * scale
        parts.append(
            f'<text x="{LABEL - 8}" y="{y + 4}" text-anchor="end">{escape(row.label)}</text>'
            f'<rect class="bar" x="{LABEL}" y="{y - BAR / 2}" width="{max(row.value * scale, 1):.1f}" height="{BAR}" rx="2"/>'
            f'<path class="whisker" d="M{low:.1f} {y}H{high:.1f}M{low:.1f} {y - 3}v6M{high:.1f} {y - 3}v6"/>'
            f'<text class="note" x="{WIDTH}" y="{y + 4}" text-anchor="end">{escape(row.note)}</text>'
        )
    return _svg(len(rows) * STEP, title, parts)


def stack(shares: Sequence[tuple[str, int]], *, title: str) -> Markup:
    """One bar cut in parts, each of a CSS class and a count."""
    total = sum(count for _, count in shares) or 1
    at, parts = 0.0, []
    for name, count in shares:
        parts.append(
            f'<rect class="{escape(name)}" x="{at:.2f}" y="0" width="{1000 * count / total:.2f}" height="10"/>'
        )
        at += 1000 * count / total
    return Markup(
        f'<svg class="stack" viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" aria-label="{escape(title)}">'
        f"{''.join(parts)}</svg>"
    )


def interval(value: float, low: float, high: float) -> Markup:
    """A value between 0 and 1 and its interval on a thin track; the numbers stand beside it."""
    return Markup(
        '<svg class="interval" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="100" height="8"/>'
        f'<rect class="band" x="{100 * low:.1f}" width="{max(100 * (high - low), 0.5):.1f}" height="8"/>'
        f'<rect class="tick" x="{min(100 * value, 99):.1f}" width="1" height="8"/></svg>'
    )


def curve(
    points: Sequence[tuple[float, float]],
    *,
    title: str,
    x_label: str,
    y_label: str,
    x_ticks: Sequence[float] = TICKS,
    weights: Sequence[int] | None = None,
    diagonal: bool = False,
) -> Markup:
    """A line through points whose y lies between 0 and 1.

    `x_ticks` span the x axis; `weights` make dots whose areas follow them; `diagonal` draws the ideal of a
    calibration.
    """
    low, high = x_ticks[0], x_ticks[-1]

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            LEFT + (WIDTH - LEFT - RIGHT) * (x - low) / (high - low),
            TOP + (HEIGHT - TOP - BOTTOM) * (1 - y),
        )

    parts = []
    for tick in TICKS:
        _, y = place(low, tick)
        parts.append(
            f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>'
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_short(tick)}</text>'
        )
    for tick in x_ticks:
        x, _ = place(tick, 0)
        parts.append(
            f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{_short(tick)}</text>'
        )
    if diagonal:
        (x1, y1), (x2, y2) = place(0, 0), place(1, 1)
        parts.append(f'<path class="ideal" d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"/>')
    placed = [place(x, y) for x, y in points]
    parts.append(f'<polyline class="line" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in placed)}"/>')
    most = max(weights or [1])
    for (x, y), weight in zip(placed, weights or [0] * len(placed), strict=True):
        parts.append(
            f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="{2 + 6 * math.sqrt(weight / most if most else 0):.1f}"/>'
        )
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 6}" text-anchor="middle">{escape(x_label)}</text>'
        f'<text x="12" y="{middle}" text-anchor="middle" transform="rotate(-90 12 {middle})">{escape(y_label)}</text>'
    )
    return _svg(HEIGHT, title, parts)


def _short(tick: float) -> str:
    return number(tick, 2).rstrip("0").rstrip(",") if tick % 1 else str(int(tick))


def _svg(height: float, title: str, parts: Sequence[str]) -> Markup:
    return Markup(
        f'<svg class="plot" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">'
        f"{''.join(parts)}</svg>"
    )
