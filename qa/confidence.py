"""How likely a short answer is right, and that there is one: logistic models over what the steps before say."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from embeddings.encoders.encoder import DEFAULT_ENCODER

MODEL = Path(__file__).parent / "models" / "confidence.json"
SIGNALS = ("span", "no_answer", "evidence", "dense", "margin")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where the short answer is less likely right than `short`, only the best sentence is shown; where the
    articles less likely hold an answer than `abstain`, nothing is answered."""

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
class Logistic:
    """A logistic model over `SIGNALS`."""

    intercept: float
    weights: tuple[float, ...]

    def probability(self, signals: Signals) -> float:
        """Calibrated probability, 0 to 1."""
        score = self.intercept + sum(w * v for w, v in zip(self.weights, signals.values(), strict=True))
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, score))))


@dataclass(frozen=True, slots=True)
class Confidence:
    """The fitted models: that the short answer is `right`, and that the question is `answerable` from what was
    found. `evidence_weight` is what a sentence's evidence log-odds add to its spans' scores; `usual_dense` is the
    mean cosine of the best passage, by the encoder the models were fitted with."""

    right: Logistic
    answerable: Logistic
    evidence_weight: float
    usual_dense: float
    thresholds: Thresholds

    def known(self, signals: Signals, encoder: str) -> Signals:
        """The signals as the models know them: cosines of another encoder, on another scale, count as usual."""
        return signals if encoder == DEFAULT_ENCODER else replace(signals, dense=self.usual_dense)


@lru_cache(maxsize=1)
def load_confidence(path: Path = MODEL) -> Confidence:
    """The shipped model; see `qa.training.confidence`."""
    saved = json.loads(path.read_text("utf-8"))
    right, answerable = (
        Logistic(saved[name]["intercept"], tuple(saved[name]["weights"][signal] for signal in SIGNALS))
        for name in ("right", "answerable")
    )
    return Confidence(
        right,
        answerable,
        saved["evidence_weight"],
        saved["usual_dense"],
        Thresholds(**saved["thresholds"]),
    )


def log_odds(probability: float) -> float:
    """The logit, kept within ±7."""
    p = min(max(probability, 1e-3), 1 - 1e-3)
    return math.log(p / (1 - p))
