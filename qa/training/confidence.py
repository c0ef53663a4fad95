"""Fit how much the evidence counts beside the reader, the two confidences, and their thresholds.

    python -m qa.training.confidence --questions squad.json ... --half piaf_dev.json --output qa/models/confidence.json

Nothing here may have been seen by the ranker or the reader in training. A third of the questions that have
an answer, another third each time all are asked, are asked with their paragraph taken out of the search, so
that the right thing is to abstain.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from qa.assistant import Assistant, Trace
from qa.confidence import SIGNALS
from qa.reading.choice import choose, signals
from qa.scoring import f1
from qa.training.evidence import build_library
from qa.training.examples import Question, half, read_squad

WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0)
RIGHT = 0.5
SHORT = 0.2  # a wrong short answer, seen with its sentence and its doubt, costs a quarter of what a right one gains
ABSTAIN = 0.5  # to refuse wrongly costs as much as to answer where there is nothing
TURNS = 2


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with what the steps found, and its answers, none where its paragraph was withheld."""

    trace: Trace
    answers: tuple[str, ...]


def ask(questions: Sequence[Question], assistant: Assistant, seed: int) -> list[Asked]:
    """Ask each question; a third of the answerable ones without their paragraph."""
    rng = random.Random(seed)
    ids = {a.id[:6]: a.id for a in assistant.library.articles()}
    everything = set(ids.values())
    withheld = [q for q in questions if q.answers and rng.random() < 1 / 3]
    kept = [q for q in questions if q not in withheld]
    asked = [
        Asked(trace, tuple(text for text, _ in q.answers))
        for q, trace in zip(kept, assistant.examine([q.text for q in kept]), strict=True)
    ]
    for q in withheld:
        without = everything - {ids[f"{q.paragraph:06d}"]}
        asked.append(Asked(assistant.examine([q.text], article_ids=without)[0], ()))
    return asked


def overlap(one: Asked, weight: float) -> float:
    """F1 of the span chosen with that evidence weight."""
    choice = choose(one.trace.layout, one.trace.scores, weight) if one.trace.scores else None
    return f1(choice.text, one.answers) if choice and one.answers else 0.0


def table(asked: Sequence[Asked], weight: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Signals (n, len(SIGNALS)), whether the span is right, whether there is an answer."""
    rows, right, answerable = [], [], []
    for one in asked:
        choice = choose(one.trace.layout, one.trace.scores, weight) if one.trace.scores else None
        if choice is None or one.trace.scores is None:
            continue
        rows.append(signals(choice, one.trace.scores, one.trace.hits).values())
        right.append(bool(one.answers) and f1(choice.text, one.answers) >= RIGHT)
        answerable.append(bool(one.answers))
    return np.array(rows), np.array(right), np.array(answerable)


def abstention_f1(probability: np.ndarray, answerable: np.ndarray, threshold: float) -> float:
    """F1 of refusing, the questions without an answer being the ones to refuse."""
    refused = probability < threshold
    hit = float((refused & ~answerable).sum())
    return 2 * hit / max(1.0, float(refused.sum() + (~answerable).sum()))


def calibration_error(probability: np.ndarray, right: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error over equal-width bins (Guo et al. 2017)."""
    which = np.minimum((probability * bins).astype(int), bins - 1)
    return float(
        sum(
            abs(probability[which == b].mean() - right[which == b].mean()) * (which == b).mean()
            for b in set(which.tolist())
        )
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--questions", type=Path, nargs="*", default=[], help="SQuAD files used whole")
    parser.add_argument(
        "--half", type=Path, required=True, help="SQuAD file: half A is fitted on, half B measured"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    data = read_squad([options.half, *options.questions])
    split = read_squad([options.half])
    fitted = half(split, "a") + data.questions[len(split.questions) :]
    with (
        tempfile.TemporaryDirectory() as folder,
        build_library(data, Path(folder) / "library", "french-small") as library,
    ):
        assistant = Assistant(library)
        fit, kept = (
            [one for turn in range(TURNS) for one in ask(questions, assistant, options.seed + turn)]
            for questions in (fitted, half(split, "b"))
        )
    means = {w: float(np.mean([overlap(one, w) for one in fit if one.answers])) for w in WEIGHTS}
    weight = max(means, key=lambda w: means[w])
    print("evidence weight:", {w: round(m, 4) for w, m in means.items()}, "->", weight)
    x, right, answerable = table(fit, weight)
    models = {"right": logistic(x, right), "answerable": logistic(x, answerable)}
    report(fit, weight, models, "fitted on")
    report(kept, weight, models, "half B   ")
    saved = {
        name: {
            "intercept": round(float(model.intercept_[0]), 5),
            "weights": dict(zip(SIGNALS, (round(float(w), 5) for w in model.coef_[0]), strict=True)),
        }
        for name, model in models.items()
    } | {
        "evidence_weight": weight,
        "usual_dense": round(float(x[:, SIGNALS.index("dense")].mean()), 4),
        "thresholds": {"short": SHORT, "abstain": ABSTAIN},
    }
    options.output.write_text(json.dumps(saved, indent=2) + "\n", "utf-8")


def logistic(x: np.ndarray, y: np.ndarray) -> LogisticRegression:
    """A logistic model fitted on standardised signals, its weights brought back to the signals' own units."""
    mean, deviation = x.mean(0), x.std(0)
    model = LogisticRegression(C=1.0, max_iter=1000).fit((x - mean) / deviation, y)
    model.coef_ = model.coef_ / deviation
    model.intercept_ = model.intercept_ - model.coef_ @ mean
    return model


def report(
    asked: Sequence[Asked], weight: float, models: Mapping[str, LogisticRegression], name: str
) -> None:
    """Print F1, F1 of refusing, and calibration error on the questions."""
    x, right, answerable = table(asked, weight)
    probability, likely = (models[n].predict_proba(x)[:, 1] for n in ("right", "answerable"))
    print(
        f"{name}: n {len(x)}, F1 of answerable {np.mean([overlap(o, weight) for o in asked if o.answers]):.3f}, "
        f"abstention F1 {abstention_f1(likely, answerable, ABSTAIN):.3f}, "
        f"ECE {calibration_error(probability, right):.3f}"
    )


if __name__ == "__main__":
    main()
