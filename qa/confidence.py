"""How likely what could be asserted is right: logistic models over what the steps before say."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path

from embeddings.encoders.encoder import DEFAULT_ENCODER
from embeddings.text import content_stems
from qa.reading.choice import Chosen, Proof, Read
from qa.reading.kinds import KINDS

MODEL = Path(__file__).parent / "models" / "confidence.json"
SHARPNESS = 3.0


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The short answer or the list is asserted where it is at least `short` likely right, « oui » or « non » where it
    is `polarity` likely, for its opposite is the worst of wrong answers; where the articles less likely hold an answer
    than `abstain`, nothing is answered."""

    short: float
    abstain: float
    polarity: float = 0.75


@dataclass(frozen=True, slots=True)
class Signals:
    """What the decisions are made from; likelihoods as log-odds.

    Of the passages: that the best and the second one answer (`answers`, `second`), the cosine of the nearest
    (`dense`), the share of the question's words in the best sentence and in its passage with its title (`covered`,
    `around`). Of the sentences: the best as a proof (`proof`), its lead over the next (`proof_lead`). Of the spans:
    the best one's score (`span`), its lead over the best that overlaps it nowhere (`lead`), whether that one says the
    same (`agrees`), its words (`words`), the support of its sentence (`support`). The probabilities of the kinds, and
    the likelier polarity's log-odds against the other (`polarity`).
    """

    answers: float
    second: float
    dense: float
    covered: float
    around: float
    proof: float
    proof_lead: float
    span: float
    lead: float
    agrees: float
    words: float
    support: float
    kind_span: float
    kind_list: float
    kind_yes: float
    kind_no: float
    kind_sentences: float
    polarity: float

    def values(self) -> tuple[float, ...]:
        """In the order of `SIGNALS`."""
        return tuple(getattr(self, name) for name in SIGNALS)


SIGNALS = tuple(field.name for field in fields(Signals))


def kinds_of(reads: Sequence[Read]) -> dict[str, float]:
    """The probability of each kind but "none", of the passages that answer best, given that there is an answer."""
    total = dict.fromkeys(KINDS[1:], 1e-6)
    for read in reads:
        weight = read.answers**SHARPNESS
        for kind, probability in zip(KINDS[1:], read.reading.kinds[1:], strict=True):
            total[kind] += weight * probability
    whole = sum(total.values())
    return {kind: value / whole for kind, value in total.items()}


def signals(question: str, reads: Sequence[Read], found: Sequence[Proof], spans: Sequence[Chosen]) -> Signals:
    """The signals of one question; `found` and `spans` are sorted, best first."""
    answers = sorted((r.answers for r in reads), reverse=True)
    kinds = kinds_of(reads)
    asked = set(content_stems(question))
    best = found[0] if found else None
    stored = best.read.hit.stored if best else None
    inside = set(content_stems(best.text)) if best else set()
    whole = set(content_stems(f"{stored.title} {stored.passage.text}")) if stored else set()
    top = spans[0] if spans else None
    others = [
        s for s in spans if top and (s.read is not top.read or s.end <= top.start or s.start >= top.end)
    ]
    agrees = bool(top and others and others[0].text.lower() == top.text.lower())
    return Signals(
        answers=log_odds(answers[0]) if answers else -7.0,
        second=log_odds(answers[1]) if len(answers) > 1 else -7.0,
        dense=max((r.hit.dense for r in reads), default=0.0),
        covered=len(asked & inside) / max(1, len(asked)),
        around=len(asked & whole) / max(1, len(asked)),
        proof=log_odds(best.score) if best else -7.0,
        proof_lead=log_odds(best.score) - log_odds(found[1].score) if len(found) > 1 and best else 0.0,
        span=max(top.score, -12.0) if top else -12.0,
        lead=min(10.0, top.score - others[0].score) if top and others else 10.0,
        agrees=float(agrees),
        words=min(20.0, len(top.text.split())) if top else 0.0,
        support=log_odds(top.read.reading.supports[top.sentence]) if top else -7.0,
        kind_span=kinds["span"],
        kind_list=kinds["list"],
        kind_yes=kinds["yes"],
        kind_no=kinds["no"],
        kind_sentences=kinds["sentences"],
        polarity=abs(math.log(kinds["yes"] / kinds["no"])),
    )


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
    """The fitted models: that there is an answer in what was found, that the short answer is right, that the list is,
    that the polarity is. `usual_dense` is the mean cosine of the best passage, by the encoder they were fitted with."""

    answerable: Logistic
    short: Logistic
    listed: Logistic
    polarity: Logistic
    usual_dense: float
    thresholds: Thresholds

    def known(self, signals: Signals, encoder: str) -> Signals:
        """The signals as the models know them: cosines of another encoder, on another scale, count as usual."""
        return signals if encoder == DEFAULT_ENCODER else replace(signals, dense=self.usual_dense)


MODELS = ("answerable", "short", "listed", "polarity")


@lru_cache(maxsize=1)
def load_confidence(path: Path = MODEL) -> Confidence:
    """The shipped models; see `qa.training.confidence`."""
    saved = json.loads(path.read_text("utf-8"))
    models = {
        name: Logistic(
            saved[name]["intercept"], tuple(saved[name]["weights"].get(signal, 0.0) for signal in SIGNALS)
        )
        for name in MODELS
    }
    return Confidence(
        **models, usual_dense=saved["usual_dense"], thresholds=Thresholds(**saved["thresholds"])
    )


def log_odds(probability: float) -> float:
    """The logit, kept within ±7."""
    p = min(max(probability, 1e-3), 1 - 1e-3)
    return math.log(p / (1 - p))
