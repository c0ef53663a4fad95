"""The answers under way, one a tab, so that "stop" reaches the work itself."""

from __future__ import annotations

import threading


class Cancel(threading.Event):
    """Set when an answer is to end; `abandoned` where nobody looks at it any more, so nothing is drawn."""

    abandoned = False


class Running:
    """The answer of each tab; a tab that asks again, or shows another conversation, abandons the former."""

    def __init__(self) -> None:
        self._cancels: dict[str, Cancel] = {}
        self._lock = threading.Lock()

    def start(self, tab: str) -> Cancel:
        """A fresh cancel event for this tab; its former answer is abandoned."""
        cancel = Cancel()
        with self._lock:
            former = self._cancels.get(tab)
            self._cancels[tab] = cancel
        if former is not None:
            former.abandoned = True
            former.set()
        return cancel

    def stop(self, tab: str, *, abandon: bool = False) -> None:
        """Ends this tab's answer, if one is under way."""
        with self._lock:
            cancel = self._cancels.pop(tab, None)
        if cancel is not None:
            cancel.abandoned = abandon
            cancel.set()

    def finish(self, tab: str, cancel: Cancel) -> None:
        """Forgets an answer that has come to its end, or that was left where it stood: its work ends too."""
        cancel.set()
        with self._lock:
            if self._cancels.get(tab) is cancel:
                del self._cancels[tab]
