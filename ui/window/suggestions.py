"""Questions that the library answers, for the first screen: found in the background, once for each revision."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qa.assistant import Assistant

logger = logging.getLogger(__name__)


class Suggestions:
    """The assistant's suggestions for the library as it is; none until they are found."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self._lock = threading.Lock()
        self._found: dict[int, tuple[str, ...]] = {}
        self._sought: set[int] = set()

    def current(self) -> tuple[str, ...] | None:
        """Those of the library as it is; None while they are sought, which this begins where it has not begun."""
        revision = self._assistant.library.revision
        with self._lock:
            if revision in self._found:
                return self._found[revision]
            begin = revision not in self._sought
            self._sought = {revision}
        if begin:
            threading.Thread(target=self._seek, args=(revision,), name="suggestions", daemon=True).start()
        return None

    def _seek(self, revision: int) -> None:
        found: tuple[str, ...] = ()
        try:
            found = tuple(self._assistant.suggestions())
        except Exception:
            logger.exception("no questions could be suggested")
        with self._lock:
            self._found = {revision: found}
