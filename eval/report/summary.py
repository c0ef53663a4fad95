"""Outcomes to figures: the object that `--json` prints, with an interval beside each figure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from eval import metrics
from eval.datasets import QUOTING
from eval.intervals import Figure, Statistic, measured
from eval.natural import CHITCHAT
from eval.outcome import Outcome, Scores
from qa.scoring import calibration_error

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
class OfKind:
    """How useful the answers to the natural questions of a kind are, and how many of them do harm."""

    n: int
    useful: Figure
    harm: Figure


@dataclass(frozen=True, slots=True)
class Summary:
    """Figures by group (`retrieval`, `answer`, …) and name, those of natural questions by their kind too, and
    percentiles of milliseconds by step."""

    figures: Mapping[str, Mapping[str, Figure]]
    steps_ms: Mapping[str, Mapping[str, float]]
    n: int
    kinds: Mapping[str, OfKind]

    def to_dict(self) -> dict[str, Any]:
        """The keys that programs rely on; what could not be measured is None."""
        values: dict[str, Any] = {
            group: {name: figure.value for name, figure in named.items()}
            for group, named in self.figures.items()
        }
        intervals: dict[str, Any] = {
            group: {name: figure.interval for name, figure in named.items()}
            for group, named in self.figures.items()
        }
        values["natural"]["kinds"] = {
            kind: {"n": of.n, "useful": of.useful.value, "harm": of.harm.value}
            for kind, of in self.kinds.items()
        }
        intervals["natural"]["kinds"] = {
            kind: {"useful": of.useful.interval, "harm": of.harm.interval} for kind, of in self.kinds.items()
        }
        return {**values, "n": self.n, "ci": intervals}


def summarise(outcomes: Sequence[Outcome], seed: int) -> Summary:
    """All figures of a run."""
    figures: dict[str, dict[str, Figure]] = {}
    for measure in measures(outcomes):
        figure = measured(measure.rows, measure.statistic, seed, biased=measure.biased)
        figures.setdefault(measure.group, {})[measure.name] = figure
    kinds: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.judged:
            kinds.setdefault(outcome.kind, []).append(outcome)
    by_kind = {
        kind: OfKind(len(group), *(measured(m.rows, m.statistic, seed) for m in _natural(group)))
        for kind, group in sorted(kinds.items(), key=lambda pair: -len(pair[1]))
    }
    return Summary(figures, _steps(outcomes), len(outcomes), by_kind)


def measures(outcomes: Sequence[Outcome]) -> list[Measure]:
    """Every figure of a run, with the numbers it is made from.

    Retrieval and evidence are measured on answerable questions, answers on those that a short one is expected of,
    refusals where some questions have no answer (small talk is no question), calibration on what is asserted, the
    usefulness of answers on natural questions (`eval.natural`). A citation is precise if it supports an
    expected answer, an answer without one is not; a question is covered if one of its citations does, and
    one left unanswered is not: neither is a free pass.
    """
    asked = [o for o in outcomes if o.answerable]
    stated = [(o.id, o.scores) for o in asked if o.answers and o.kind not in (*QUOTING, "list")]
    read = [(o.id, o.read_scores) for o in asked if o.read_scores is not None]
    claimed = [o for o in outcomes if o.answered]
    judged = [o for o in outcomes if o.short is not None]
    questions = [o for o in outcomes if o.kind != CHITCHAT]
    refusable = questions if len(asked) < len(questions) else []
    timed = [o for o in outcomes if "total" in o.timings]
    found = metrics.retrieval({o.id: o.retrieved for o in asked}, {o.id: o.right for o in asked})
    made = [_means("retrieval", name, found[name].items()) for name in metrics.RETRIEVAL]
    made += [
        _means("evidence", f"sentence@{k}", ((o.id, float((o.sentence_rank or np.inf) <= k)) for o in asked))
        for k in SENTENCES
    ]
    made += _scores("reading", read)
    made += _scores("answer", stated)
    made += _natural([o for o in outcomes if o.judged])
    made.append(_means("citation", "precision", ((o.id, _citation_precision(o)) for o in claimed)))
    made.append(
        _means("citation", "recall", ((o.id, float(any(c.supported for c in o.citations))) for o in asked))
    )
    refused = _rows(refusable, [(not o.answered, not o.answerable) for o in refusable])
    for statistic in (metrics.precision, metrics.recall, metrics.f1):
        made.append(Measure("abstention", statistic.__name__, *refused, statistic))
    sure = _rows(judged, [(o.confidence, o.correct) for o in judged])
    made.append(Measure("calibration", "ece", *sure, calibration_error, biased=True))
    total = _rows(timed, [(o.timings["total"],) for o in timed])
    made += [
        Measure("latency_ms", f"p{percent}", *total, partial(_percentile, percent=percent))
        for percent in PERCENTILES[:2]
    ]
    return made


def _natural(outcomes: Sequence[Outcome]) -> list[Measure]:
    """Usefulness and harm of the answers to natural questions."""
    judged = [(o.id, o.judged) for o in outcomes if o.judged]
    return [
        _means("natural", "useful", ((i, j.useful) for i, j in judged)),
        _means("natural", "harm", ((i, float(j.harm)) for i, j in judged)),
    ]


def _means(group: str, name: str, values: Iterable[tuple[str, float]]) -> Measure:
    pairs = list(values)
    rows = np.array([value for _, value in pairs], float).reshape(-1, 1)
    return Measure(group, name, tuple(i for i, _ in pairs), rows)


def _scores(group: str, scored: Sequence[tuple[str, Scores]]) -> list[Measure]:
    return [_means(group, name, ((i, getattr(scores, name)) for i, scores in scored)) for name in SCORES]


def _rows(outcomes: Sequence[Outcome], rows: list[tuple[Any, ...]]) -> tuple[tuple[str, ...], np.ndarray]:
    return tuple(o.id for o in outcomes), np.array(rows, float)


def _citation_precision(outcome: Outcome) -> float:
    cited = outcome.citations
    return sum(c.supported for c in cited) / len(cited) if cited else 0.0


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
