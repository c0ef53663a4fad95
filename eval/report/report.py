"""A run's report: everything it found, for a program (report.json) and for a person (report.html)."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from eval.conditions import Conditions, write_whole
from eval.outcome import FAILURES, SUCCESSES, Outcome
from eval.report.comparison import FILE, Comparison
from eval.report.summary import Summary
from eval.subject import Subject

PAGE = "report.html"


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured on which file, under what conditions, and what came of it."""

    name: str
    subject: Subject
    conditions: Conditions
    warnings: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    summary: Summary
    comparison: Comparison | None = None

    @property
    def verdicts(self) -> dict[str, int]:
        """How many questions have each verdict, failures first."""
        counts = Counter(outcome.verdict for outcome in self.outcomes)
        return {verdict: counts[verdict] for verdict in (*FAILURES, *SUCCESSES) if counts[verdict]}

    def to_dict(self) -> dict[str, Any]:
        """The figures, and every outcome: what a later run can be compared with."""
        return {
            **self.summary.to_dict(),
            "steps_ms": self.summary.steps_ms,
            "name": self.name,
            "subject": asdict(self.subject),
            "conditions": asdict(self.conditions),
            "warnings": list(self.warnings),
            "verdicts": self.verdicts,
            "comparison": self.comparison.to_dict() if self.comparison else None,
            "outcomes": [asdict(outcome) for outcome in self.outcomes],
        }

    def save(self, folder: Path) -> None:
        """Write report.json and report.html, each whole or not at all."""
        from eval.report.page import render

        write_whole(folder / FILE, json.dumps(self.to_dict(), ensure_ascii=False, indent=1))
        write_whole(folder / PAGE, render(self))
