"""Two runs over the same questions: what differs, how surely, and which questions were won and lost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from embeddings.errors import cause_of
from eval.datasets import DatasetError
from eval.intervals import Shift, moved
from eval.outcome import SUCCESSES, Outcome, outcome_of
from eval.report.summary import Measure, measures

FILE = "report.json"


@dataclass(frozen=True, slots=True)
class Turned:
    """A question that was answered well in one run and not in the other."""

    id: str
    question: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """The change of each figure, (group, name) to it, over the questions that both runs asked."""

    common: int
    shifts: dict[tuple[str, str], Shift]
    won: tuple[Turned, ...]
    lost: tuple[Turned, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        figures: dict[str, dict[str, Any]] = {}
        for (group, name), shift in self.shifts.items():
            figures.setdefault(group, {})[name] = asdict(shift)
        turned = {"won": [asdict(t) for t in self.won], "lost": [asdict(t) for t in self.lost]}
        return {"common": self.common, "figures": figures, **turned}


def read_outcomes(path: str | Path) -> tuple[Outcome, ...]:
    """The outcomes of an earlier report.json, or of the folder it is in; raises DatasetError where it is none."""
    path = Path(path)
    path = path / FILE if path.is_dir() else path
    try:
        return tuple(outcome_of(record) for record in json.loads(path.read_text("utf-8"))["outcomes"])
    except OSError as error:
        raise DatasetError(f"{path} : lecture impossible ({cause_of(error)}).") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DatasetError(f"{path} : ce n’est pas un {FILE} de « sourcier eval --output ».") from error


def compare(earlier: Sequence[Outcome], later: Sequence[Outcome], seed: int) -> Comparison:
    """Compare over the questions that both asked, in the same words; DatasetError where there is none."""
    old = {o.id: o for o in earlier}
    after = [o for o in later if o.id in old and old[o.id].question == o.question]
    if not after:
        raise DatasetError("Les deux essais n’ont aucune question en commun : rien à comparer.")
    before = [old[o.id] for o in after]
    shifts = {
        (new.group, new.name): moved(*rows, new.statistic, seed)
        for was, new in zip(measures(before), measures(after), strict=True)
        if len((rows := _paired(was, new))[0])
    }
    turned = [
        (a.verdict in SUCCESSES, Turned(a.id, a.question, b.verdict, a.verdict))
        for b, a in zip(before, after, strict=True)
        if (b.verdict in SUCCESSES) != (a.verdict in SUCCESSES)
    ]
    won, lost = (tuple(t for good, t in turned if good is wanted) for wanted in (True, False))
    return Comparison(len(after), shifts, won, lost)


def _paired(before: Measure, after: Measure) -> tuple[np.ndarray, np.ndarray]:
    """The rows of the questions that the figure is made from in both runs, in the same order."""
    place = {i: at for at, i in enumerate(before.ids)}
    both = [(place[i], at) for at, i in enumerate(after.ids) if i in place]
    return before.rows[[b for b, _ in both]], after.rows[[a for _, a in both]]
