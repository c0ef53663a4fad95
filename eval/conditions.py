"""Under what conditions a run was made, and the folder that it has to itself."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from embeddings.encoders.bert import threads
from embeddings.errors import cause_of
from eval.datasets import DatasetError


@dataclass(frozen=True, slots=True)
class Conditions:
    """When, how long, with how much memory at most, on what machine; `resumed` questions were done before."""

    date: str
    seconds: float
    resumed: int
    memory_mb: int | None
    machine: str
    processors: int
    python: str


class Clock:
    """Runs from when it is made."""

    def __init__(self) -> None:
        self._date = datetime.now(UTC).isoformat(timespec="seconds")
        self._began = time.perf_counter()

    def stop(self, resumed: int) -> Conditions:
        """The conditions of what ran meanwhile."""
        return Conditions(
            self._date,
            round(time.perf_counter() - self._began, 1),
            resumed,
            memory_mb(),
            platform.machine(),
            threads(),
            platform.python_version(),
        )


def memory_mb() -> int | None:
    """The most memory that this process has had, in megabytes; None on Windows, which does not say."""
    if sys.platform == "win32":
        return None
    import resource

    per_megabyte = 1024**2 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / per_megabyte)


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Makes the folder and keeps other runs out of it; raises DatasetError where it cannot."""
    lock = FileLock(folder / ".lock", timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise DatasetError(f"Un autre essai écrit déjà dans {folder} : donnez un autre dossier.") from error
    except OSError as error:
        raise DatasetError(f"{folder} : écriture impossible ({cause_of(error)}).") from error
    try:
        yield
    finally:
        lock.release()


def write_whole(path: Path, text: str) -> None:
    """Write a file that is never seen half written."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, "utf-8")
    part.replace(path)
