"""A conversation as HTML: each answer in the form of its kind."""

from __future__ import annotations

from collections.abc import Sequence

from ui.window.templates import render
from ui.window.turns import Turn


def render_conversation(turns: Sequence[Turn], *, detailed: bool = True) -> str:
    """The whole conversation; where it is not `detailed`, an answer comes with its first sentence alone."""
    return render("conversation.html", turns=turns, detailed=detailed)
