"""Outcomes to figures: the object that `--json` prints, with an interval beside each figure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from eval import metrics
from eval.intervals import Figure, Statistic, measured
from eval.outcome import RIGHT, Outcome, Scores

SCORES = ("em", "f1", "em_squad", "f1_squad")
SENTENCES = (1, 3, 5)
PERCENTILES = (50, 95, 99)


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of a run: a row of numbers a question, shape (n, k), and what makes a figure of them.

    `biased` says that the statistic is higher on resamples of the rows than on the rows themselves.
    """

    group: str
    name: str
    ids: tuple[str, ...]
    rows: np.ndarray
    statistic: Statistic = metrics.mean
    biased: bool = False


@dataclass(frozen=True, slots=True)
class Summary:
    """Figures by group (`retrieval`, `answer`, …) and name, percentiles of milliseconds by step."""

    figures: Mapping[str, Mapping[str, Figure]]
    steps_ms: Mapping[str, Mapping[str, float]]
    n: int

    def to_dict(self) -> dict[str, Any]:
        """The keys that programs rely on; what could not be measured is None."""
        values: dict[str, Any] = {
            group: {name: figure.value for name, figure in named.items()}
            for group, named in self.figures.items()
        }
        intervals = {
            group: {
                name: None if figure.value is None else [figure.low, figure.high]
                for name, figure in named.items()
            }
            for group, named in self.figures.items()
        }
        return {**values, "n": self.n, "ci": intervals}


def summarise(outcomes: Sequence[Outcome], seed: int) -> Summary:
    """All figures of a run."""
    figures: dict[str, dict[str, Figure]] = {}
    for measure in measures(outcomes):
        figure = measured(measure.rows, measure.statistic, seed, biased=measure.biased)
        figures.setdefault(measure.group, {})[measure.name] = figure
    return Summary(figures, _steps(outcomes), len(outcomes))


def measures(outcomes: Sequence[Outcome]) -> list[Measure]:
    """Every figure of a run, with the numbers it is made from.

    Retrieval, evidence and answers are measured on answerable questions, refusals where some questions
    have no answer, calibration on the short answers given. A citation is precise if it supports an
    expected answer, an answer without one is not; a question is covered if one of its citations does, and
    one left unanswered is not: neither is a free pass.
    """
    asked = [o for o in outcomes if o.answerable]
    read = [(o.id, o.read_scores) for o in asked if o.read_scores is not None]
    claimed = [o for o in outcomes if o.answered]
    judged = [o for o in outcomes if o.short is not None]
    refusable = outcomes if len(asked) < len(outcomes) else []
    timed = [o for o in outcomes if "total" in o.timings]
    found = metrics.retrieval({o.id: o.retrieved for o in asked}, {o.id: o.right for o in asked})
    made = [_means("retrieval", name, found[name].items()) for name in metrics.RETRIEVAL]
    made += [
        _means("evidence", f"sentence@{k}", ((o.id, float((o.sentence_rank or np.inf) <= k)) for o in asked))
        for k in SENTENCES
    ]
    made += _scores("reading", read)
    made += _scores("answer", [(o.id, o.scores) for o in asked])
    made.append(_means("citation", "precision", ((o.id, _citation_precision(o)) for o in claimed)))
    made.append(
        _means("citation", "recall", ((o.id, float(any(c.supported for c in o.citations))) for o in asked))
    )
    refused = _rows(refusable, [(not o.answered, not o.answerable) for o in refusable])
    for statistic in (metrics.precision, metrics.recall, metrics.f1):
        made.append(Measure("abstention", statistic.__name__, *refused, statistic))
    sure = _rows(judged, [(o.confidence, o.scores.f1 >= RIGHT) for o in judged])
    made.append(Measure("calibration", "ece", *sure, metrics.calibration_error, biased=True))
    total = _rows(timed, [(o.timings["total"],) for o in timed])
    made += [
        Measure("latency_ms", f"p{percent}", *total, partial(_percentile, percent=percent))
        for percent in PERCENTILES[:2]
    ]
    return made


def _means(group: str, name: str, values: Iterable[tuple[str, float]]) -> Measure:
    pairs = list(values)
    rows = np.array([value for _, value in pairs], float).reshape(-1, 1)
    return Measure(group, name, tuple(i for i, _ in pairs), rows)


def _scores(group: str, scored: Sequence[tuple[str, Scores]]) -> list[Measure]:
    return [_means(group, name, ((i, getattr(scores, name)) for i, scores in scored)) for name in SCORES]


def _rows(outcomes: Sequence[Outcome], rows: list[tuple[Any, ...]]) -> tuple[tuple[str, ...], np.ndarray]:
    return tuple(o.id for o in outcomes), np.array(rows, float)


def _citation_precision(outcome: Outcome) -> float:
    cited = len(outcome.citations) + outcome.dangling
    return sum(c.supported for c in outcome.citations) / cited if cited else 0.0


def _percentile(rows: np.ndarray, percent: int) -> np.ndarray:
    return np.asarray(np.percentile(rows[..., 0], percent, axis=-1))


def _steps(outcomes: Sequence[Outcome]) -> dict[str, dict[str, float]]:
    """Percentiles of the milliseconds of each step, in the order the steps come."""
    timed = [o.timings for o in outcomes if o.timings]
    names = dict.fromkeys(step for timings in timed for step in timings)
    return {
        step: {
            f"p{percent}": round(float(np.percentile([t[step] for t in timed if step in t], percent)), 1)
            for percent in PERCENTILES
        }
        for step in names
    }
