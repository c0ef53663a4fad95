"""Two runs over the same questions: what differs, how surely, and which questions were won and lost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from eval.datasets import DatasetError
from eval.metrics import paired_bootstrap
from eval.report import SUCCESSES, Report
from eval.runner import Outcome, outcome_of
from eval.summary import per_question


@dataclass(frozen=True, slots=True)
class Difference:
    """How far a figure has moved, the 95 % interval of that, and how likely it is by chance."""

    figure: str
    before: float
    after: float
    low: float
    high: float
    p: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Differences of all figures over the questions both runs asked; questions by what became of them."""

    common: int
    differences: tuple[Difference, ...]
    won: tuple[str, ...]
    lost: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        figures = {
            d.figure: {"before": d.before, "after": d.after, "ci": [d.low, d.high], "p": d.p}
            for d in self.differences
        }
        return {"common": self.common, "figures": figures, "won": list(self.won), "lost": list(self.lost)}

    def to_terminal(self) -> RenderableType:
        """A table and two lists."""
        table = Table(
            "Mesure",
            "Avant",
            "Après",
            "Différence",
            "Intervalle à 95 %",
            "p",
            title=f"{self.common} questions communes",
        )
        for d in self.differences:
            cells = (
                f"{d.before:.3f}",
                f"{d.after:.3f}",
                f"{d.after - d.before:+.3f}",
                f"{d.low:+.3f} – {d.high:+.3f}",
                f"{d.p:.3f}",
            )
            table.add_row(d.figure, *cells)
        lists = [
            Text(f"{label} ({len(questions)})" + "".join(f"\n  • {q}" for q in questions[:20]))
            for label, questions in (("Gagnées", self.won), ("Perdues", self.lost))
        ]
        return Group(table, *lists)


def read_outcomes(path: Path) -> tuple[Outcome, ...]:
    """The outcomes of an earlier report.json; raises DatasetError where it is none."""
    try:
        rows = json.loads(path.read_text("utf-8"))["outcomes"]
        return tuple(outcome_of(row) for row in rows)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{path} : ce n’est pas un report.json de « sourcier eval --output ».") from error


def compare(earlier: Sequence[Outcome], report: Report, seed: int = 0) -> Comparison:
    """Compare over the questions asked in both runs."""
    old = {o.id: o for o in earlier}
    both = [o for o in report.outcomes if o.id in old and old[o.id].question == o.question]
    before, after = per_question([old[o.id] for o in both]), per_question(both)
    differences = []
    for group, named in after.items():
        for name, values in named.items():
            theirs = before.get(group, {}).get(name, {})
            ids = [i for i in values if i in theirs]
            if not ids:
                continue
            mean, low, high, p = paired_bootstrap([theirs[i] for i in ids], [values[i] for i in ids], seed)
            first = sum(theirs[i] for i in ids) / len(ids)
            differences.append(Difference(f"{group} · {name}", first, first + mean, low, high, p))
    good = {o.id: (old[o.id].verdict in SUCCESSES, o.verdict in SUCCESSES) for o in both}
    won = tuple(o.question for o in both if good[o.id] == (False, True))
    lost = tuple(o.question for o in both if good[o.id] == (True, False))
    return Comparison(len(both), tuple(differences), won, lost)
