"""The shipped reader: the pointer network's encoder in 8-bit integers, its decoder in numpy."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from embeddings.encoders.bert import BertEngine, batches, fingerprint
from qa.reading.encoding import Encoded, PassageEncoder, ReaderInput
from qa.reading.reading import PassageReading, Span

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController
    from transformers import BertModel

MODEL = Path(__file__).parents[1] / "models" / "reader"
IMPOSSIBLE = -1e4
BEGIN, INSIDE = 1, 2


class PointerNetwork:
    """Reads passages with the shipped weights; they load on first use."""

    name = "sourcier"

    def __init__(self, model: Path = MODEL, *, n_best: int = 10) -> None:
        self._directory, self._n_best = model, n_best

    @cached_property
    def _passages(self) -> PassageEncoder:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self._directory / "tokenizer.json"))
        tokenizer.no_truncation()
        return PassageEncoder(tokenizer)

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
        vocabulary = sorted(self._passages.vocabulary.items(), key=lambda item: item[1])
        return BertEngine(fingerprint(self._directory), self._load, [token for token, _ in vocabulary])

    def _load(self) -> BertModel:
        from qa.reading.pointer import PointerReader

        return PointerReader.from_pretrained(self._directory).float().encoder

    def read_batch(self, inputs: Sequence[ReaderInput]) -> list[PassageReading]:
        """Read each input; what passes the encoding's bound of tokens is not read."""
        encoded = self._passages.encode(inputs)
        results: dict[int, PassageReading] = {}
        groups = batches([len(e.ids) for e in encoded])
        padded = [self._passages.pad([encoded[i] for i in group]) for group in groups]
        states = self._engine.hidden_each([(ids, attention.sum(1)) for ids, attention, _ in padded])
        for group, hidden in zip(groups, states, strict=True):
            with self._threads.limit(limits=1, user_api="blas"):
                for row, i in enumerate(group):
                    results[i] = self._decode(hidden[row, : len(encoded[i].ids)], encoded[i], inputs[i])
        return [results[i] for i in range(len(inputs))]

    def _decode(self, hidden: np.ndarray, pair: Encoded, given: ReaderInput) -> PassageReading:
        """What `PointerReader.decode` does, for one input, in numpy; spans stay within one sentence each."""
        h = self._heads
        members = pair.members(given.sentences)
        owner = np.where(members.any(0), members.argmax(0), -1) if len(members) else np.full(len(hidden), -1)
        mean = members.astype(np.float32) @ hidden / np.maximum(members.sum(1, keepdims=True), 1)
        whole = np.broadcast_to(hidden[0], mean.shape)
        inner = np.tanh(np.concatenate([mean, whole], 1) @ h["sentence.weight"].T + h["sentence.bias"])
        supports = _sigmoid(inner @ h["support.weight"][0] + h["support.bias"])
        supports = np.where(members.any(1), supports, 0.0)  # a sentence that was cut off proves nothing
        kinds = np.exp(_log_softmax(hidden[0] @ h["kind.weight"].T + h["kind.bias"]))
        none, spans = self._spans(hidden, pair, owner)
        return PassageReading(
            tuple(float(p) for p in kinds),
            none,
            spans,
            self._items(hidden, pair, owner),
            tuple(float(p) for p in supports),
        )

    def _spans(self, hidden: np.ndarray, pair: Encoded, owner: np.ndarray) -> tuple[float, tuple[Span, ...]]:
        joint = self._log_probabilities(hidden, pair.context)
        none = float(joint[0, 0])
        flat = np.where((owner[:, None] == owner[None, :]) & (owner[:, None] >= 0), joint, IMPOSSIBLE).ravel()
        best = np.argpartition(-flat, min(self._n_best, len(flat) - 1))[: self._n_best]
        best = best[np.argsort(-flat[best], kind="stable")]
        spans = []
        for index in best[flat[best] > IMPOSSIBLE / 2]:
            a, b = divmod(int(index), len(joint))
            start, end = int(pair.offsets[a - pair.first, 0]), int(pair.offsets[b - pair.first, 1])
            spans.append(Span(int(owner[a]), start, end, float(flat[index])))
        return none, tuple(spans)

    def _items(self, hidden: np.ndarray, pair: Encoded, owner: np.ndarray) -> tuple[Span, ...]:
        tags = _log_softmax(hidden @ self._heads["tag.weight"].T + self._heads["tag.bias"])
        said = np.where(owner >= 0, tags.argmax(1), 0)
        items = []
        for a in np.flatnonzero(said == BEGIN):
            b = int(a)
            while b + 1 < len(said) and said[b + 1] == INSIDE and owner[b + 1] == owner[a]:
                b += 1
            start, end = int(pair.offsets[a - pair.first, 0]), int(pair.offsets[b - pair.first, 1])
            items.append(Span(int(owner[a]), start, end, float(tags[a, BEGIN])))
        return tuple(items)

    def _log_probabilities(self, hidden: np.ndarray, context: np.ndarray) -> np.ndarray:
        """Log-probability of every (start, end)."""
        h = self._heads
        start = np.where(context, hidden @ h["start.weight"][0] + h["start.bias"], IMPOSSIBLE)
        query = hidden @ h["query.weight"].T + h["query.bias"]
        key = hidden @ h["key.weight"].T + h["key.bias"]
        affinity = query @ key.T / self._config["pointer_size"] ** 0.5
        end = affinity + (hidden @ h["end.weight"][0] + h["end.bias"])
        position = np.arange(len(hidden))
        distance = position[None, :] - position[:, None]
        reachable = (distance >= 0) & (distance < self._config["max_answer_tokens"]) & context[None, :]
        reachable[0, 1:] = False
        return _log_softmax(start)[:, None] + _log_softmax(np.where(reachable, end, IMPOSSIBLE))


def _sigmoid(x: np.ndarray) -> np.ndarray:
    result: np.ndarray = 1 / (1 + np.exp(-np.clip(x, -30, 30)))
    return result


def _log_softmax(x: np.ndarray) -> np.ndarray:
    shifted = x - x.max(-1, keepdims=True)
    result: np.ndarray = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return result
