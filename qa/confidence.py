"""How likely a short answer is right: a logistic model over what retrieval, ranking and reading say."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

MODEL = Path(__file__).parent / "models" / "confidence.json"
SIGNALS = ("span", "no_answer", "evidence", "dense", "margin")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Below `short` no short answer is shown, only the best sentence; below `abstain` nothing is answered."""

    short: float
    abstain: float


@dataclass(frozen=True, slots=True)
class Signals:
    """The best span's log-probability, that of no answer, its sentence's evidence log-odds, the best
    passage's cosine, and the span's lead over the best span that overlaps it nowhere."""

    span: float
    no_answer: float
    evidence: float
    dense: float
    margin: float

    def values(self) -> tuple[float, ...]:
        """In the order of `SIGNALS`."""
        return self.span, self.no_answer, self.evidence, self.dense, self.margin


@dataclass(frozen=True, slots=True)
class Confidence:
    """The fitted model: `evidence_weight` is what a sentence's evidence log-odds add to its spans' scores."""

    intercept: float
    weights: tuple[float, ...]
    evidence_weight: float
    thresholds: Thresholds

    def probability(self, signals: Signals) -> float:
        """Calibrated probability (0 to 1) that the short answer is right."""
        score = self.intercept + sum(w * v for w, v in zip(self.weights, signals.values(), strict=True))
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, score))))


@lru_cache(maxsize=1)
def load_confidence(path: Path = MODEL) -> Confidence:
    """The shipped model; see `qa.training.confidence`."""
    saved = json.loads(path.read_text("utf-8"))
    return Confidence(
        saved["intercept"],
        tuple(saved["weights"][name] for name in SIGNALS),
        saved["evidence_weight"],
        Thresholds(saved["thresholds"]["short"], saved["thresholds"]["abstain"]),
    )


def log_odds(probability: float) -> float:
    """The logit, kept within ±7."""
    p = min(max(probability, 1e-3), 1 - 1e-3)
    return math.log(p / (1 - p))
