"""The list of conversations and the line above the conversation on screen, as HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable

from qa.history import Conversation
from qa.wording import french_date
from ui.window.text import clean, escape, local_day

TITLE_LENGTH = 80


def title_of(question: str) -> str:
    """A conversation's first title: its first question, on one line, shortened."""
    line = " ".join(clean(question).split())
    return line if len(line) <= TITLE_LENGTH else line[: TITLE_LENGTH - 1].rstrip() + "…"


def file_name(title: str, suffix: str) -> str:
    """A file name for an exported conversation, of letters, digits and dashes."""
    stem = re.sub(r"\W+", "-", title.lower()).strip("-")[:60]
    return f"{stem or 'conversation'}.{suffix}"


def render_list(conversations: Iterable[Conversation], current: str | None, *, query: str = "") -> str:
    """The user's conversations, the current one marked, or a word on why there are none."""
    items = "".join(_item(conversation, current) for conversation in conversations)
    if items:
        inside = f'<ul class="list">{items}</ul>'
    elif query.strip():
        inside = '<p class="hint">Aucune conversation ne contient ces mots.</p>'
    else:
        inside = '<p class="hint">Vos conversations apparaîtront ici.</p>'
    return f'<nav aria-label="Conversations">{inside}</nav>'


def _item(conversation: Conversation, current: str | None) -> str:
    mark = ' aria-current="true"' if conversation.id == current else ""
    return (
        f'<li><button type="button" class="conversation" data-event="open" '
        f'data-conversation="{escape(conversation.id)}"{mark}>'
        f'<span class="title">{escape(conversation.title)}</span>'
        f'<span class="date">{escape(french_date(local_day(conversation.updated)))}</span></button></li>'
    )


def render_toolbar(conversation: Conversation | None, theme: str) -> str:
    """The line above the conversation: the panel's switch, the title, what can be done with it.

    It also tells the page the user's theme, as it is the first thing drawn.
    """
    line = f'<div class="toolbar" data-theme="{escape(theme)}">'
    switch = (
        '<button type="button" class="action switch" data-toggle aria-expanded="true" '
        'aria-controls="conversations" title="Afficher ou masquer les conversations">'
        '<span aria-hidden="true">☰</span><span class="visually-hidden">Conversations</span></button>'
    )
    if conversation is None:
        return f"{line}{switch}<h2>Nouvelle conversation</h2></div>"
    title = escape(conversation.title)
    return (
        f'{line}{switch}<h2 title="{title}">{title}</h2>'
        '<details class="menu" data-keep="menu"><summary class="action">Actions</summary>'
        '<div class="choices">'
        '<button type="button" data-event="rename" data-prompt="Nouveau titre de la conversation" '
        f'data-prompt-accept="Renommer" data-prompt-value="{title}">Renommer</button>'
        '<button type="button" data-event="export" data-format="md">Exporter en Markdown</button>'
        '<button type="button" data-event="export" data-format="json">Exporter en JSON</button>'
        '<button type="button" class="danger" data-event="remove" '
        f'data-confirm="Supprimer définitivement la conversation «\u00a0{title}\u00a0»\u00a0?">'
        "Supprimer</button></div></details></div>"
    )
