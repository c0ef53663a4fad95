"""Ask French questions of one's own articles: `from qa import answer`.

Importing this package loads no model and none of the heavy libraries; they come with the first question.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qa.answer import Answer, Citation, Evidence

if TYPE_CHECKING:
    from qa.assistant import Assistant
    from qa.library.library import Library

__all__ = ["Answer", "Assistant", "Citation", "Evidence", "Library", "__version__", "answer"]
__version__ = "0.1.0"


def answer(
    question: str,
    *,
    library: str | Path | Library | None = None,
    history: Sequence[tuple[str, str]] = (),
    top_k: int = 5,
) -> Answer:
    """Answer a French question from a library (a folder; None means the default one), with citations.

    `history` holds the (question, answer text) pairs of the conversation so far, so that a follow-up
    ("Et Microsoft ?") is understood. Raises qa.errors.SourcierError with one French line.
    """
    from qa.library.library import TRUTH, Library

    made = 0
    if not isinstance(library, Library):
        library = Path(library if library is not None else Library.default_path()).resolve()
        with suppress(OSError):  # no library there, or none that can be read: opening it says so
            made = (library / TRUTH).stat().st_ino
    return _assistant(library, made).answer(question, history=history, top_k=top_k)


@lru_cache(maxsize=4)
def _assistant(library: Path | Library, made: int) -> Assistant:
    """One for each library; a folder made anew, which `made` tells, is another."""
    from qa.assistant import Assistant

    return Assistant(library)


def __getattr__(name: str) -> Any:
    if name == "Assistant":
        from qa.assistant import Assistant

        return Assistant
    if name == "Library":
        from qa.library.library import Library

        return Library
    raise AttributeError(f"module 'qa' has no attribute {name!r}")
