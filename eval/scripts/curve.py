"""Draw how a reader's F1 grew with the tokens it was trained on, from the logs of its passes, one after another.

python -m eval.scripts.curve --logs log.jsonl log-second.jsonl --output learning.svg
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path

from eval.report import plots

STYLE = (
    "text{font:11px sans-serif;fill:#666}.grid{stroke:#ddd}.line{fill:none;stroke:#2563eb;stroke-width:2}"
    ".dot{fill:#2563eb}"
)


def learned(logs: Sequence[Path]) -> list[tuple[float, float]]:
    """(millions of tokens so far, F1 on the questions watched), over all the passes."""
    points, before = [], 0
    for log in logs:
        rows = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
        points += [((before + row["tokens"]) / 1e6, row["f1"]) for row in rows if "f1" in row]
        before += rows[-1]["tokens"]
    return points


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--logs", type=Path, nargs="+", required=True, help="in the order of the passes")
    parser.add_argument("--output", type=Path, required=True, help="an SVG file")
    options = parser.parse_args()
    points = learned(options.logs)
    step = math.ceil(points[-1][0] / 5)
    drawn = plots.curve(
        points,
        title="F1 against the tokens trained on",
        x_label="million tokens",
        y_label="F1",
        x_ticks=[float(x) for x in range(0, 6 * step, step) if x < points[-1][0] + step],
    )
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" width="{plots.WIDTH}" height="{plots.HEIGHT}"><style>{STYLE}</style>'
    options.output.write_text(f"{opening}{drawn}</svg>\n", "utf-8")


if __name__ == "__main__":
    main()
