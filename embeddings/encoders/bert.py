"""A BERT encoder on the CPU in 8-bit integers, through CTranslate2: four times as fast as torch in float32.

The weights are shipped as transformers has them; the 8-bit form is made from them once, in a few seconds,
and kept in the user's cache folder. From then on neither torch nor transformers is imported.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from platformdirs import user_cache_path

if TYPE_CHECKING:
    import ctranslate2
    from transformers import BertModel

FORMAT = "int8-1"
BATCH_TOKENS = 512  # what stays in a processor’s cache: larger batches take longer a token


def fingerprint(directory: Path) -> str:
    """A hash of every weight, configuration and tokenizer file below a model's folder."""
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(
        p for p in directory.rglob("*") if p.suffix in {".json", ".safetensors", ".npz", ".txt"}
    ):
        digest.update(path.relative_to(directory).as_posix().encode())
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def threads() -> int:
    """The processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def batches(lengths: Sequence[int]) -> list[list[int]]:
    """Positions of inputs of these lengths, the longest first, in batches of at most 512 tokens with their padding."""
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    found: list[list[int]] = []
    while order:
        size = max(1, BATCH_TOKENS // max(1, lengths[order[0]]))
        found.append(order[:size])
        order = order[size:]
    return found


class BertEngine:
    """The last hidden states of a BERT encoder; `load` gives the transformers model when it must be converted."""

    def __init__(self, key: str, load: Callable[[], BertModel], vocabulary: list[str]) -> None:
        self._key, self._load, self._vocabulary = key, load, vocabulary
        self._lock, self._calls = threading.Lock(), 0

    def hidden(self, ids: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Hidden states (batch, length, hidden), float32, of padded token ids (batch, length).

        All processors work on it, or one of them where other calls are under way.
        """
        with self._lock:
            self._calls += 1
            alone = self._calls == 1
        try:
            return _forward(self._one if alone else self._many, ids, lengths)
        finally:
            with self._lock:
                self._calls -= 1

    def hidden_each(self, inputs: Sequence[tuple[np.ndarray, np.ndarray]]) -> Iterator[np.ndarray]:
        """The hidden states of each (ids, lengths), in order.

        All processors work on one input; of several, each works on its own, which is half as fast again.
        """
        if len(inputs) < 2:
            yield from (self.hidden(*one) for one in inputs)
            return
        with ThreadPoolExecutor(threads()) as pool:
            yield from pool.map(lambda one: _forward(self._many, *one), inputs)

    @cached_property
    def _one(self) -> ctranslate2.Encoder:
        return self._encoder(inter_threads=1, intra_threads=threads())

    @cached_property
    def _many(self) -> ctranslate2.Encoder:
        return self._encoder(inter_threads=threads(), intra_threads=1)

    def _encoder(self, **workers: int) -> ctranslate2.Encoder:
        import ctranslate2

        return ctranslate2.Encoder(str(self._converted()), device="cpu", **workers)

    def _converted(self) -> Path:
        engines = user_cache_path("sourcier") / "engines"
        target = engines / f"{self._key}-{FORMAT}"
        if target.is_dir():
            return target
        try:
            engines.mkdir(parents=True, exist_ok=True)
            made = Path(tempfile.mkdtemp(dir=engines))
        except OSError:
            made = target = Path(tempfile.mkdtemp(prefix="sourcier-"))
        convert(self._load(), self._vocabulary, made)
        if made != target:
            try:
                made.rename(target)
            except OSError:  # another process was quicker
                shutil.rmtree(made)
        return target


def _forward(encoder: ctranslate2.Encoder, ids: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    import ctranslate2

    output = encoder.forward_batch(
        ctranslate2.StorageView.from_array(np.ascontiguousarray(ids, np.int32)),
        ctranslate2.StorageView.from_array(np.ascontiguousarray(lengths, np.int32)),
    )
    return np.array(output.last_hidden_state)


def convert(bert: BertModel, vocabulary: list[str], directory: Path) -> None:
    """Write a BERT encoder to `directory` in CTranslate2's format, its matrices in 8-bit integers."""
    from ctranslate2.converters.transformers import BertLoader

    bert.config.position_embedding_type = "absolute"  # the only kind left; the converter asks for it by name
    if bert.pooler is None:  # the converter wants one; nothing reads its output
        bert.pooler = type(bert)(bert.config).pooler
    loader = BertLoader()
    spec = loader.get_model_spec(bert.eval())
    spec.register_vocabulary(vocabulary)
    spec.config.layer_norm_epsilon = bert.config.layer_norm_eps
    spec.validate()
    spec.optimize(quantization="int8")
    spec.save(str(directory))
