"""Outcomes to figures: the object that `--json` prints, with an interval beside each figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from eval import metrics
from eval.runner import RIGHT, Outcome

Figures = dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class Summary:
    """Figures by group (`retrieval`, `answer`, …), their 95 % intervals, the number of questions."""

    figures: Figures
    intervals: dict[str, dict[str, tuple[float, float]]]
    n: int

    def to_dict(self) -> dict[str, Any]:
        """The keys that programs rely on."""
        return {**self.figures, "n": self.n, "ci": self.intervals}


def per_question(outcomes: Sequence[Outcome]) -> dict[str, dict[str, dict[str, float]]]:
    """For each figure that is a mean, its value for each question it is taken over."""
    asked = [o for o in outcomes if o.answerable]
    read = [o for o in asked if o.read_scores is not None]
    groups: dict[str, dict[str, dict[str, float]]] = {
        "retrieval": metrics.retrieval({o.id: o.retrieved for o in asked}, {o.id: o.right for o in asked})
        if asked
        else {},
        "evidence": {
            f"sentence@{k}": {
                o.id: float(o.sentence_rank is not None and o.sentence_rank <= k) for o in asked
            }
            for k in (1, 3, 5)
        },
        "answer": {
            name: {o.id: getattr(o, name) for o in asked} for name in ("em", "f1", "em_squad", "f1_squad")
        },
        "citation": {
            "precision": {o.id: float(np.mean(o.supported)) for o in outcomes if o.citations},
            "recall": {o.id: float(any(o.supported)) for o in asked},
        },
    }
    if read:
        names = ("em", "f1", "em_squad", "f1_squad")
        groups["reading"] = {
            name: {o.id: o.read_scores[i] for o in read if o.read_scores} for i, name in enumerate(names)
        }
    return groups


def summarise(outcomes: Sequence[Outcome], seed: int = 0) -> Summary:
    """All figures of a run."""
    figures: Figures = {}
    intervals: dict[str, dict[str, tuple[float, float]]] = {}

    def put(group: str, name: str, value: float, interval: tuple[float, float]) -> None:
        figures.setdefault(group, {})[name] = round(value, 4)
        intervals.setdefault(group, {})[name] = (round(interval[0], 4), round(interval[1], 4))

    for group, named in per_question(outcomes).items():
        for name, values in named.items():
            numbers = list(values.values())
            put(group, name, float(np.mean(numbers)) if numbers else 0.0, metrics.bootstrap(numbers, seed))
    refusals = np.array([(not o.answered, not o.answerable) for o in outcomes], float).reshape(-1, 2)
    for i, name in enumerate(("precision", "recall", "f1")):

        def figure(rows: np.ndarray, i: int = i) -> float:
            return metrics.precision_recall_f1(rows)[i]

        put("abstention", name, figure(refusals), metrics.bootstrap_of(refusals, figure, seed))
    judged = np.array([(o.confidence, o.answerable and o.f1 >= RIGHT) for o in outcomes], float).reshape(
        -1, 2
    )

    def error(rows: np.ndarray) -> float:
        return metrics.calibration_error(rows[:, 0].tolist(), rows[:, 1].tolist())

    put(
        "calibration", "ece", error(judged) if len(judged) else 0.0, metrics.bootstrap_of(judged, error, seed)
    )
    total = np.array([o.timings["total"] for o in outcomes])
    for percent in (50, 95):

        def percentile(rows: np.ndarray, percent: int = percent) -> float:
            return float(np.percentile(rows, percent))

        put(
            "latency_ms",
            f"p{percent}",
            percentile(total) if len(total) else 0.0,
            metrics.bootstrap_of(total, percentile, seed),
        )
    return Summary(figures, intervals, len(outcomes))
