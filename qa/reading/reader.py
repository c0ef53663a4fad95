"""Question and evidence to the n best verbatim spans, and the probability that none of them answers."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from embeddings.encoders.bert import BertEngine, batches, fingerprint
from qa.reading.encoding import EncodedPair, PairEncoder

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController
    from transformers import BertModel

MODEL = Path(__file__).parents[1] / "models" / "reader"
IMPOSSIBLE = -1e4


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of evidence and the character offsets of its sentences: an answer stands within one of them."""

    text: str
    sentences: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class SpanScore:
    """A verbatim span `segments[segment].text[start:end]` inside sentence `sentence` of its segment."""

    segment: int
    sentence: int
    start: int
    end: int
    log_probability: float


@dataclass(frozen=True, slots=True)
class SpanScores:
    """The n best spans, best first, the log-probability of no answer, and each sentence's share.

    `sentences` gives, for (segment, sentence), the probability that the answer stands in it.
    """

    spans: tuple[SpanScore, ...]
    none: float
    sentences: dict[tuple[int, int], float]


def combine(first: SpanScores, then: SpanScores, segments: int) -> SpanScores:
    """Two readings of one question as one, the second over the segments after the `segments` of the first.

    Each weighs its spans against its own "no answer"; that there is none is the same for both.
    """
    spans: list[SpanScore] = []
    sentences: dict[tuple[int, int], float] = {}
    whole = float(np.logaddexp.reduce([0.0, *(_log_odds_of_any(one) for one in (first, then))]))
    for one, before in ((first, 0), (then, segments)):
        moved = one.none + whole
        for s in one.spans:
            spans.append(replace(s, segment=s.segment + before, log_probability=s.log_probability - moved))
        for (segment, sentence), share in one.sentences.items():
            sentences[segment + before, sentence] = share * math.exp(-moved)
    return SpanScores(tuple(sorted(spans, key=lambda s: -s.log_probability)), -whole, sentences)


def _log_odds_of_any(scores: SpanScores) -> float:
    return math.log1p(-min(math.exp(scores.none), 1 - 1e-9)) - scores.none


class Reader:
    """The shipped pointer network: its encoder in 8-bit integers, its two decoding steps in numpy."""

    def __init__(self, model: Path = MODEL, *, n_best: int = 10) -> None:
        self._directory, self._n_best = model, n_best

    @cached_property
    def _pairs(self) -> PairEncoder:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self._directory / "tokenizer.json"))
        tokenizer.no_truncation()
        return PairEncoder(tokenizer)

    @cached_property
    def _config(self) -> dict[str, int]:
        config: dict[str, int] = json.loads((self._directory / "config.json").read_text("utf-8"))
        return config

    @cached_property
    def _heads(self) -> dict[str, np.ndarray]:
        from safetensors import safe_open

        with safe_open(self._directory / "model.safetensors", "numpy") as file:
            names = [name for name in file.keys() if not name.startswith("encoder.")]  # noqa: SIM118
            return {name: file.get_tensor(name).astype(np.float32) for name in names}

    @cached_property
    def _threads(self) -> ThreadpoolController:
        """Keeps numpy to one thread: more of them gain nothing here, and take the encoder's processors."""
        from threadpoolctl import ThreadpoolController

        return ThreadpoolController()

    @cached_property
    def _engine(self) -> BertEngine:
        vocabulary = sorted(self._pairs.vocabulary.items(), key=lambda item: item[1])
        return BertEngine(fingerprint(self._directory), self._load, [token for token, _ in vocabulary])

    def _load(self) -> BertModel:
        from qa.reading.pointer import PointerReader

        return PointerReader.from_pretrained(self._directory).float().encoder

    def read(self, question: str, segments: Sequence[Segment]) -> SpanScores:
        """Score the spans of one input."""
        return self.read_batch([(question, segments)])[0]

    def read_batch(self, inputs: Sequence[tuple[str, Sequence[Segment]]]) -> list[SpanScores]:
        """Score the spans of each (question, segments); what passes 480 tokens is not read."""
        encoded = self._pairs.encode([(q, [s.text for s in segments]) for q, segments in inputs])
        results: list[SpanScores | None] = [None] * len(inputs)
        groups = batches([len(e.ids) for e in encoded])
        padded = [self._pairs.pad([encoded[i] for i in group]) for group in groups]
        states = self._engine.hidden_each([(ids, attention.sum(1)) for ids, attention, _ in padded])
        for group, hidden in zip(groups, states, strict=True):
            with self._threads.limit(limits=1, user_api="blas"):
                for row, i in enumerate(group):
                    results[i] = self._score(hidden[row, : len(encoded[i].ids)], encoded[i], inputs[i][1])
        return [r for r in results if r is not None]

    def _score(self, hidden: np.ndarray, pair: EncodedPair, segments: Sequence[Segment]) -> SpanScores:
        sentence = _sentence_of_tokens(pair, segments)
        joint = self._log_probabilities(hidden, np.array(pair.context_mask))
        allowed = (sentence[:, None] == sentence[None, :]) & (sentence[:, None] >= 0)
        none = float(joint[0, 0])
        joint = np.where(allowed, joint, IMPOSSIBLE)
        flat = joint.ravel()
        best = np.argpartition(-flat, min(self._n_best, len(flat) - 1))[: self._n_best]
        best = best[np.argsort(-flat[best], kind="stable")]
        owners = [(s, i) for s, segment in enumerate(segments) for i in range(len(segment.sentences))]
        spans = []
        for index in best[flat[best] > IMPOSSIBLE / 2]:
            a, b = divmod(int(index), len(joint))
            segment, inside = owners[sentence[a]]
            spans.append(SpanScore(segment, inside, pair.start[a], pair.end[b], float(flat[index])))
        mass = np.exp(joint).sum(1)
        shares = {owner: float(mass[sentence == n].sum()) for n, owner in enumerate(owners)}
        return SpanScores(tuple(spans), none, shares)

    def _log_probabilities(self, hidden: np.ndarray, context: np.ndarray) -> np.ndarray:
        """Log-probability of every (start, end): as `PointerReader.point`, for one input, in numpy."""
        h = self._heads
        start = np.where(context, hidden @ h["start.weight"][0] + h["start.bias"], IMPOSSIBLE)
        query = hidden @ h["query.weight"].T + h["query.bias"]
        key = hidden @ h["key.weight"].T + h["key.bias"]
        end = query @ key.T / self._config["pointer_size"] ** 0.5 + (
            hidden @ h["end.weight"][0] + h["end.bias"]
        )
        position = np.arange(len(hidden))
        distance = position[None, :] - position[:, None]
        reachable = (distance >= 0) & (distance < self._config["max_answer_tokens"]) & context[None, :]
        reachable[0, 1:] = False
        return _log_softmax(start)[:, None] + _log_softmax(np.where(reachable, end, IMPOSSIBLE))


def _log_softmax(x: np.ndarray) -> np.ndarray:
    shifted = x - x.max(-1, keepdims=True)
    result: np.ndarray = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return result


def _sentence_of_tokens(pair: EncodedPair, segments: Sequence[Segment]) -> np.ndarray:
    """The running number of the sentence each token lies in, -1 outside the evidence or across two sentences."""
    owner = np.full(len(pair.ids), -1)
    number = 0
    segment, start, end = (np.array(x) for x in (pair.segment, pair.start, pair.end))
    for index, one in enumerate(segments):
        for a, b in one.sentences:
            owner[(segment == index) & (start >= a) & (end <= b) & (end > start)] = number
            number += 1
    return owner
