"""What is on screen, drawn from a session: the talk, the welcome, the list, the lines around them."""

from __future__ import annotations

from contextlib import suppress

from qa.cli.output import samples
from qa.errors import SourcierError
from ui.window.conversations import render_list, render_toolbar
from ui.window.rendering import render_conversation
from ui.window.session import Engine, Session, Tab
from ui.window.text import count, escape
from ui.window.welcome import library_summary, render_welcome


class Drawing:
    """Draws the parts of the first page as HTML."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def page(self, tab: Tab, user: str) -> tuple[str, str, str, str]:
        """The list of conversations, the line above the talk, the talk, the line below it."""
        session, history, current = tab.session, self.engine.history, None
        if session.conversation_id is not None:
            with suppress(SourcierError):  # another tab may have deleted it
                current = history.conversation(session.conversation_id, user)
        return (
            self.conversations(tab, user),
            render_toolbar(current, history.preferences(user).theme),
            self.talk(session, user),
            self.scope(session),
        )

    def conversations(self, tab: Tab, user: str) -> str:
        """The list of conversations, of those that hold the words searched for where there are any."""
        history = self.engine.history
        found = history.search(user, tab.query) if tab.query.strip() else history.conversations(user)
        return render_list(found, tab.session.conversation_id, query=tab.query)

    def talk(self, session: Session, user: str) -> str:
        """The conversation, or the welcome where nothing has been asked yet."""
        if session.turns:
            return render_conversation(session.turns, detailed=self.engine.history.preferences(user).detailed)
        library = self.engine.assistant.library
        infos = library.articles()
        dates = sorted(info.date for info in infos if info.date)
        summary = library_summary(len(infos), *((dates[0], dates[-1]) if dates else (None, None)))
        questions = (self.engine.suggestions.current() or ()) if infos else ()
        return render_welcome(summary, questions, offer_samples=not infos and samples() is not None)

    def scope(self, session: Session) -> str:
        """A line that says which articles are asked, and that a question is being rewritten."""
        parts = []
        if session.editing is not None:
            parts.append(
                "<span>Vous modifiez une question\u00a0: la nouvelle réponse remplacera l’ancienne.</span>"
                '<button type="button" class="link" data-event="giveup">Annuler</button>'
            )
        if session.article_ids is not None:
            chosen = count(len(session.article_ids), "article choisi", "articles choisis")
            parts.append(
                f"<span>La question porte sur {escape(chosen)}.</span>"
                '<button type="button" class="link" data-event="everything">Tout interroger</button>'
            )
        return f'<p class="scope">{" ".join(parts)}</p>' if parts else ""
