"""The measures, each after its source.

Those of one question are plain functions; those of a run take an array of shape (…, n, k), a row a question,
and reduce its last two axes, so that a thousand resampled runs are measured in one call.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence

import numpy as np

from qa.scoring import bins_of, word_f1

RETRIEVAL = {
    "recall@1": "R@1",
    "recall@5": "R@5",
    "recall@10": "R@10",
    "mrr@10": "RR@10",
    "ndcg@10": "nDCG@10",
}


def squad_normalise(text: str) -> str:
    """SQuAD's normalisation (Rajpurkar et al. 2016): lower case, no ASCII punctuation, no English article."""
    bare = text.lower().translate(str.maketrans("", "", string.punctuation))
    return " ".join(re.sub(r"\b(?:a|an|the)\b", " ", bare).split())


def squad_exact_match(prediction: str, answers: Sequence[str]) -> float:
    """1.0 where the prediction equals an answer after SQuAD's normalisation, else 0.0."""
    return float(any(squad_normalise(prediction) == squad_normalise(answer) for answer in answers))


def squad_f1(prediction: str, answers: Sequence[str]) -> float:
    """The best word F1 (0 to 1) against an answer after SQuAD's normalisation."""
    words = squad_normalise(prediction).split()
    return max((word_f1(words, squad_normalise(answer).split()) for answer in answers), default=0.0)


def retrieval(
    rankings: Mapping[str, Sequence[str]], right: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, float]]:
    """Recall, reciprocal rank and nDCG (Järvelin and Kekäläinen 2002) of each question, by ir-measures.

    Any right article holds the answer, so one is enough: all of them count as one, at the rank of the first.
    """
    import ir_measures
    from ir_measures import Qrel, ScoredDoc

    measures = {ir_measures.parse_measure(measure): name for name, measure in RETRIEVAL.items()}
    qrels = [Qrel(question, "right", 1) for question in right]
    run = []
    for question, ranking in rankings.items():
        accepted = set(right[question])
        first = next((rank for rank, article in enumerate(ranking) if article in accepted), None)
        run += [
            ScoredDoc(question, "right" if rank == first else f"other-{rank}", 1 / (1 + rank))
            for rank in range(len(ranking))
        ]
    values: dict[str, dict[str, float]] = {name: dict.fromkeys(right, 0.0) for name in RETRIEVAL}
    for found in ir_measures.iter_calc(list(measures), qrels, run):
        values[measures[found.measure]][found.query_id] = found.value
    return values


def mean(rows: np.ndarray) -> np.ndarray:
    """The mean of the only column."""
    return np.asarray(rows[..., 0].mean(-1))


def precision(rows: np.ndarray) -> np.ndarray:
    """Of columns predicted and true (0 or 1): the share of the predicted that is true, 0 where there is none."""
    return _share((rows[..., 0] * rows[..., 1]).sum(-1), rows[..., 0].sum(-1))


def recall(rows: np.ndarray) -> np.ndarray:
    """Of columns predicted and true (0 or 1): the share of the true that is predicted, 0 where there is none."""
    return _share((rows[..., 0] * rows[..., 1]).sum(-1), rows[..., 1].sum(-1))


def f1(rows: np.ndarray) -> np.ndarray:
    """The harmonic mean of `precision` and `recall`."""
    return _share(2 * (rows[..., 0] * rows[..., 1]).sum(-1), rows.sum((-1, -2)))


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros_like(part, float), where=whole > 0)


def reliability(rows: np.ndarray) -> list[tuple[float, float, int]]:
    """Of columns confidence and right, shape (n, 2): mean of each and count, of each bin that is not empty."""
    which = bins_of(rows[:, 0])
    inside = [rows[which == b] for b in np.unique(which)]
    return [(float(bin[:, 0].mean()), float(bin[:, 1].mean()), len(bin)) for bin in inside]
