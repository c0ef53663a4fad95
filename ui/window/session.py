"""What a browser tab holds between two events, and what every page of the window works with."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import gradio as gr

from qa.confidence import Thresholds
from qa.history import History
from ui.server.auth import LOCAL_USER
from ui.server.running import Running
from ui.window.suggestions import Suggestions
from ui.window.turns import Turn

if TYPE_CHECKING:
    from qa.assistant import Assistant

HIDDEN: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
"""How every event is joined: no spinner over what it draws, no entry in a public API."""

EACH: dict[str, Any] = {**HIDDEN, "trigger_mode": "multiple", "concurrency_limit": 1}
"""For events that must not be lost when they follow one another fast: each is run, one after the other."""


@dataclass(frozen=True, slots=True)
class Engine:
    """What the pages share: who answers, what is saved, the thresholds in force, the answers under way,
    what to suggest at first."""

    assistant: Assistant
    history: History
    thresholds: Thresholds
    running: Running = field(default_factory=Running)
    suggestions: Suggestions = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "suggestions", Suggestions(self.assistant))


@dataclass(frozen=True, slots=True)
class Session:
    """The conversation on screen; `editing` is the turn whose question is being rewritten.

    `article_ids` are the articles to ask, None for all of them.
    """

    conversation_id: str | None = None
    turns: tuple[Turn, ...] = ()
    editing: int | None = None
    article_ids: tuple[str, ...] | None = None


class Tab:
    """A browser tab's session, in one place: an answer under way and a click see each other's changes.

    `query` is what the tab's conversations are searched for.
    """

    def __init__(self) -> None:
        self.session = Session()
        self.query = ""


def user_of(request: gr.Request) -> str:
    """The user behind a request; the same one for all where nobody has to log in."""
    return request.username or LOCAL_USER


def tab_of(request: gr.Request) -> str:
    """The name of the tab that sent a request."""
    return request.session_hash or ""


def detail(event: gr.EventData, name: str) -> str:
    """A datum that a button of the page sent with its click; "" where it has none."""
    value = event._data.get(name, "") if isinstance(event._data, dict) else ""
    return value if isinstance(value, str) else ""


def number_of(value: str) -> int | None:
    """The number that a few digits make, or None: what a browser sends is never trusted."""
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None


def place(event: gr.EventData, name: str, length: int) -> int | None:
    """A datum read as an index below `length`, or None."""
    number = number_of(detail(event, name))
    return number if number is not None and number < length else None


def live_html(*events: str, **options: Any) -> gr.HTML:
    """An HTML component whose buttons send these events, named in their `data-event`."""
    script = f"window.sourcier.bind(element, props, trigger, watch, {json.dumps(list(events))})"
    return gr.HTML(js_on_load=script, apply_default_css=False, **options)
