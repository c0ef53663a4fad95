"""What a process does until a test kills it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from fakes import HashEncoder

import qa.library.library
from qa.library.library import Library

SECONDS_A_TEXT = 0.002
BATCH = 16


class SlowEncoder(HashEncoder):
    """Takes its time, as a model does."""

    def encode_passages(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> np.ndarray:
        time.sleep(SECONDS_A_TEXT * len(texts))
        return super().encode_passages(texts, progress=progress)


def index_slowly(library: Path, articles: Path, told: Connection) -> None:
    qa.library.library.BATCH_PASSAGES = BATCH
    with Library.open(library, embedding=SlowEncoder(), create=True) as opened:
        opened.add([articles], prune=True, progress=told.send)


def reencode_slowly(library: Path, told: Connection) -> None:
    qa.library.library.BATCH_PASSAGES = BATCH
    with Library.open(library) as opened:
        opened.reencode(SlowEncoder(48), progress=told.send)
