"""A turn of a conversation, as the window shows it: a question and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from qa.answer import Answer, RetrievedPassage

State = Literal["running", "done", "unreadable", "stopped", "failed"]


@dataclass(frozen=True, slots=True)
class Turn:
    """A question as asked, and its answer once there is one.

    `step` is the French name of the step under way, `passages` what was found before it, `error` a French line
    where the turn failed; "unreadable" is an answer whose saved data is damaged. `message_id` names the saved turn, None until it is saved; `replaces`
    the saved turn that this one is to take the place of, with those after it.
    """

    asked: str
    state: State = "running"
    step: str = ""
    passages: tuple[RetrievedPassage, ...] = ()
    error: str = ""
    answer: Answer | None = None
    message_id: str | None = None
    replaces: str | None = None
    good: bool | None = None
    comment: str = ""
