"""The answers under way, a session each, so that "stop" reaches the work itself."""

from __future__ import annotations

import threading


class Running:
    """The cancel event of each session's answer; a session that asks again stops its former answer."""

    def __init__(self) -> None:
        self._events: dict[str, threading.Event] = {}
        self._lock = threading.Lock()

    def start(self, session: str) -> threading.Event:
        """A fresh cancel event for this session; the former one is set."""
        event = threading.Event()
        with self._lock:
            former = self._events.get(session)
            self._events[session] = event
        if former is not None:
            former.set()
        return event

    def stop(self, session: str) -> None:
        """Sets the event of this session's answer, if one is under way."""
        with self._lock:
            event = self._events.pop(session, None)
        if event is not None:
            event.set()

    def finish(self, session: str, event: threading.Event) -> None:
        """Forgets an answer that has come to its end."""
        with self._lock:
            if self._events.get(session) is event:
                del self._events[session]
