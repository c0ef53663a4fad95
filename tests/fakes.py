"""Small stand-ins for the parts that take seconds to load."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence

import numpy as np


class HashEncoder:
    """An encoder without a model: hashed bags of words as unit vectors, so shared words make near texts."""

    def __init__(self, dimension: int = 64) -> None:
        self.name = "hash"
        self.dimension = dimension
        self.fingerprint = f"hash-{dimension}"

    def encode_queries(self, texts: Sequence[str]) -> np.ndarray:
        return self.encode_passages(texts)

    def encode_passages(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> np.ndarray:
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                vectors[row, zlib.crc32(word.encode()) % self.dimension] += 1
        if progress:
            progress(len(texts))
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
