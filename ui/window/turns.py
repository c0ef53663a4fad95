"""A turn of a conversation, as the window shows it: a question and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from qa.answer import Answer

State = Literal["running", "done", "stopped", "failed"]


@dataclass(frozen=True, slots=True)
class Turn:
    """A question as asked, and its answer as far as it has come.

    `text` is what has been streamed so far, `step` the French name of the step under way, `error` a
    French line where the turn failed. `message_id` names the saved turn, None until it is saved; `replaces`
    the saved turn that this one is to take the place of, with those after it.
    """

    asked: str
    state: State = "running"
    text: str = ""
    step: str = ""
    error: str = ""
    answer: Answer | None = None
    message_id: str | None = None
    replaces: str | None = None
    good: bool | None = None
    comment: str = ""
