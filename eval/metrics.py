"""The measures, each after its source; every one is a mean over questions, so that intervals can be drawn."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence

import ir_measures
import numpy as np
from ir_measures import RR, Qrel, R, ScoredDoc, nDCG

RETRIEVAL = {
    "recall@1": R @ 1,
    "recall@5": R @ 5,
    "recall@10": R @ 10,
    "mrr@10": RR @ 10,
    "ndcg@10": nDCG @ 10,
}
RESAMPLES = 1000


def squad_normalise(text: str) -> str:
    """SQuAD's own normalisation (Rajpurkar et al. 2016): lower case, no punctuation, no English article."""
    lowered = "".join(c for c in text.lower() if c not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", lowered).split())


def squad_exact_match(prediction: str, answers: Sequence[str]) -> float:
    """1.0 where the prediction equals an answer after SQuAD's normalisation."""
    return float(any(squad_normalise(prediction) == squad_normalise(answer) for answer in answers))


def squad_f1(prediction: str, answers: Sequence[str]) -> float:
    """Best word F1 against an answer after SQuAD's normalisation."""
    return max(
        (_f1(squad_normalise(prediction).split(), squad_normalise(a).split()) for a in answers), default=0.0
    )


def _f1(prediction: list[str], answer: list[str]) -> float:
    if not prediction or not answer:
        return float(prediction == answer)
    common = (Counter(prediction) & Counter(answer)).total()
    return 2 * common / (len(prediction) + len(answer))


def retrieval(
    rankings: dict[str, Sequence[str]], right: dict[str, Sequence[str]]
) -> dict[str, dict[str, float]]:
    """Recall, reciprocal rank and nDCG of each question's ranking of articles, by ir-measures.

    Recall is a hit: one right article is enough, since any of them holds the answer. So all right
    articles count as one, at the rank of the first.
    """
    qrels = [Qrel(question, "right", 1) for question in right]
    run = []
    for question, ranking in rankings.items():
        accepted = set(right[question])
        hit = next((rank for rank, article in enumerate(ranking) if article in accepted), None)
        run += [
            ScoredDoc(question, "right" if rank == hit else f"other-{rank}", 1.0 / (1 + rank))
            for rank in range(len(ranking))
        ]
    values: dict[str, dict[str, float]] = {name: dict.fromkeys(right, 0.0) for name in RETRIEVAL}
    names = {measure: name for name, measure in RETRIEVAL.items()}
    for metric in ir_measures.iter_calc(list(RETRIEVAL.values()), qrels, run):
        values[names[metric.measure]][metric.query_id] = metric.value
    return values


def bootstrap(values: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """95 % percentile interval of the mean (Efron 1979), from 1,000 seeded resamples."""
    if not len(values):
        return 0.0, 0.0
    array = np.asarray(values, float)
    picks = np.random.default_rng(seed).integers(0, len(array), (RESAMPLES, len(array)))
    low, high = np.percentile(array[picks].mean(1), [2.5, 97.5])
    return float(low), float(high)


def bootstrap_of(
    rows: np.ndarray, figure: Callable[[np.ndarray], float], seed: int = 0
) -> tuple[float, float]:
    """95 % percentile interval of a figure that is no mean, over resampled rows (n, …)."""
    if not len(rows):
        return 0.0, 0.0
    picks = np.random.default_rng(seed).integers(0, len(rows), (RESAMPLES, len(rows)))
    low, high = np.percentile([figure(rows[pick]) for pick in picks], [2.5, 97.5])
    return float(low), float(high)


def paired_bootstrap(
    before: Sequence[float], after: Sequence[float], seed: int = 0
) -> tuple[float, float, float, float]:
    """Mean difference, its 95 % interval, and a two-sided p value (Koehn 2004), over the same questions."""
    difference = np.asarray(after, float) - np.asarray(before, float)
    if not len(difference):
        return 0.0, 0.0, 0.0, 1.0
    picks = np.random.default_rng(seed).integers(0, len(difference), (RESAMPLES, len(difference)))
    means = difference[picks].mean(1)
    low, high = np.percentile(means, [2.5, 97.5])
    p = min(1.0, 2 * min(float((means <= 0).mean()), float((means >= 0).mean())))
    return float(difference.mean()), float(low), float(high), p


def precision_recall_f1(flags: np.ndarray) -> tuple[float, float, float]:
    """Of rows (n, 2) of booleans, predicted and true; 0 where a denominator is."""
    predicted, true = flags[:, 0].astype(bool), flags[:, 1].astype(bool)
    hit = float((predicted & true).sum())
    precision = hit / predicted.sum() if predicted.any() else 0.0
    recall = hit / true.sum() if true.any() else 0.0
    return precision, recall, 2 * precision * recall / (precision + recall) if hit else 0.0


def calibration_error(confidence: Sequence[float], right: Sequence[float], bins: int = 10) -> float:
    """Expected calibration error over equal-width bins (Guo et al. 2017)."""
    return sum(abs(mean - share) * weight for mean, share, weight in reliability(confidence, right, bins))


def reliability(
    confidence: Sequence[float], right: Sequence[float], bins: int = 10
) -> list[tuple[float, float, float]]:
    """Mean confidence, share right and share of all, of each bin that is not empty."""
    c, r = np.asarray(confidence, float), np.asarray(right, float)
    which = np.minimum((c * bins).astype(int), bins - 1)
    return [
        (float(c[which == b].mean()), float(r[which == b].mean()), float((which == b).mean()))
        for b in np.unique(which)
    ]
