"""Small plots as inline SVG, in the page's own colours, so that a report needs nothing from outside."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 420, 240, 46, 34, 10, 12
BAR, GAP, LABEL = 18, 10, 130


def bars(rows: Sequence[tuple[str, float, int]], *, digits: int = 2) -> Markup:
    """Horizontal bars of (label, value, count)."""
    top = max([value for _, value, _ in rows] or [1.0]) or 1.0
    height = len(rows) * (BAR + GAP) + GAP
    parts = []
    for i, (label, value, count) in enumerate(rows):
        y = GAP + i * (BAR + GAP)
        length = (WIDTH - LABEL - 50) * value / top
        parts.append(
            f'<text x="{LABEL - 8}" y="{y + 13}" text-anchor="end">{escape(label)} ({count})</text>'
            f'<rect class="bar" x="{LABEL}" y="{y}" width="{length:.1f}" height="{BAR}" rx="2"/>'
            f'<text x="{LABEL + length + 6:.1f}" y="{y + 13}">{f"{value:.{digits}f}".replace(".", ",")}</text>'
        )
    return _svg(height, parts)


def line(
    points: Sequence[tuple[float, float]], x_label: str, y_label: str, *, diagonal: bool = False
) -> Markup:
    """A line through points whose y lies between 0 and 1; `diagonal` draws the ideal of a calibration."""
    low, high = (
        (0.0, 1.0) if diagonal or not points else (min(0.0, points[0][0]), max(x for x, _ in points) or 1.0)
    )

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            LEFT + (WIDTH - LEFT - RIGHT) * (x - low) / ((high - low) or 1.0),
            TOP + (HEIGHT - TOP - BOTTOM) * (1 - y),
        )

    parts = []
    for tick in (0, 0.25, 0.5, 0.75, 1):
        _, y = place(low, tick)
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{str(tick).replace(".", ",")}</text>'
        )
    for tick in (low, (low + high) / 2, high):
        x, _ = place(tick, 0)
        parts.append(
            f'<text x="{x:.1f}" y="{HEIGHT - 18}" text-anchor="middle">{f"{tick:.2g}".replace(".", ",")}</text>'
        )
    if diagonal:
        (x1, y1), (x2, y2) = place(0, 0), place(1, 1)
        parts.append(f'<line class="ideal" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>')
    placed = [place(x, y) for x, y in points]
    parts.append(f'<polyline class="line" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in placed)}"/>')
    parts += [f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>' for x, y in placed]
    parts.append(
        f'<text x="{(LEFT + WIDTH) / 2}" y="{HEIGHT - 3}" text-anchor="middle">{escape(x_label)}</text>'
    )
    parts.append(
        f'<text x="12" y="{HEIGHT / 2}" text-anchor="middle" transform="rotate(-90 12 {HEIGHT / 2})">{escape(y_label)}</text>'
    )
    return _svg(HEIGHT, parts)


def _svg(height: int, parts: Sequence[str]) -> Markup:
    return Markup(f'<svg viewBox="0 0 {WIDTH} {height}" role="img">{"".join(parts)}</svg>')
