"""Asking in the window: the steps shown as they come, the answer stopped, redone, rewritten, rated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gradio as gr

from qa.errors import SourcierError
from ui.window.asking import ask
from ui.window.drawing import Drawing
from ui.window.rendering import render_conversation
from ui.window.session import Engine, Session, Tab, detail, place, tab_of, user_of
from ui.window.source_panel import SourcePanel

Outputs = tuple[Any, ...]


class ChatEvents:
    """What the events of the talk do. Those that ask give the page's four parts, then the sources, the
    question's field, and whether the button to send and the button to stop are there."""

    def __init__(self, engine: Engine, drawing: Drawing, sources: SourcePanel) -> None:
        self.engine = engine
        self.drawing = drawing
        self.sources = sources

    def ask_typed(self, tab: Tab, question: str, request: gr.Request) -> Iterator[Outputs]:
        """Asks what was typed."""
        yield from self._ask(tab, question, request)

    def ask_example(self, tab: Tab, event: gr.EventData, request: gr.Request) -> Iterator[Outputs]:
        """Asks a question that was suggested."""
        yield from self._ask(tab, detail(event, "question"), request)

    def regenerate(self, tab: Tab, event: gr.EventData, request: gr.Request) -> Iterator[Outputs]:
        """Asks the last turn's question again, in its place."""
        turns = tab.session.turns
        number = place(event, "turn", len(turns))
        if number is not None and number == len(turns) - 1:
            tab.session = replace(tab.session, editing=number)
            yield from self._ask(tab, turns[number].asked, request)

    def _ask(self, tab: Tab, question: str, request: gr.Request) -> Iterator[Outputs]:
        question = question.strip()
        if not question:
            yield tuple(gr.skip() for _ in range(8))
            return
        user, name = user_of(request), tab_of(request)
        preferences = self.engine.history.preferences(user)
        cancel = self.engine.running.start(name)
        begun = False
        try:
            for step in ask(self.engine, tab.session, question, preferences, user, cancel):
                if cancel.abandoned:
                    return
                session = tab.session = merged(tab.session, step)
                under_way = session.turns[-1].state == "running"
                if under_way:
                    talk = render_conversation(session.turns, detailed=preferences.detailed)
                    page: Outputs = (
                        gr.skip(),
                        gr.skip(),
                        talk,
                        gr.skip() if begun else self.drawing.scope(session),
                    )
                else:
                    page = self.drawing.page(tab, user)
                sources = gr.skip() if under_way else self.sources.first(session)
                field = gr.skip() if begun else ""
                begun = True
                yield *page, sources, field, gr.update(visible=not under_way), gr.update(visible=under_way)
        finally:
            self.engine.running.finish(name, cancel)

    def stop(self, request: gr.Request) -> None:
        """Stops this tab's answer: the work itself, not only its display."""
        self.engine.running.stop(tab_of(request))

    def leave(self, request: gr.Request) -> None:
        """Stops the answer of a tab that closes."""
        self.engine.running.stop(tab_of(request), abandon=True)

    def edit(self, tab: Tab, event: gr.EventData) -> Outputs:
        """Puts a question back in the field, to be corrected and asked in its turn's place."""
        number = place(event, "turn", len(tab.session.turns))
        if number is None:
            return gr.skip(), gr.skip()
        tab.session = replace(tab.session, editing=number)
        return detail(event, "question"), self.drawing.scope(tab.session)

    def give_up_edit(self, tab: Tab) -> Outputs:
        """Leaves the question that was being rewritten as it is."""
        tab.session = replace(tab.session, editing=None)
        return "", self.drawing.scope(tab.session)

    def rate(self, tab: Tab, event: gr.EventData, request: gr.Request) -> Any:
        """Keeps a thumb up or down, with its comment."""
        number = place(event, "turn", len(tab.session.turns))
        message_id = tab.session.turns[number].message_id if number is not None else None
        if number is None or message_id is None:
            return gr.skip()
        good, comment, user = detail(event, "good") == "1", detail(event, "text"), user_of(request)
        try:
            self.engine.history.rate(message_id, user, good, comment)
        except SourcierError as error:
            gr.Warning(str(error), title="Avis non gardé")
            return gr.skip()
        turns = list(tab.session.turns)
        turns[number] = replace(turns[number], good=good, comment=comment)
        tab.session = replace(tab.session, turns=tuple(turns))
        return self.drawing.talk(tab.session, user)


def merged(current: Session, step: Session) -> Session:
    """A step of an answer, with what was changed since it began: the articles chosen, a thumb given."""
    earlier = (
        replace(turn, good=now.good, comment=now.comment)
        for turn, now in zip(step.turns[:-1], current.turns, strict=False)
    )
    return replace(step, turns=(*earlier, step.turns[-1]), article_ids=current.article_ids)
