"""The place where one asks: conversations on the left, the talk in the middle, its sources on the right."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import replace
from typing import Any

import gradio as gr
from anyio.to_thread import run_sync

from qa.errors import SourcierError
from qa.export import as_json, as_markdown
from ui.window.asking import reopen
from ui.window.chat_events import ChatEvents, Outputs
from ui.window.conversations import file_name
from ui.window.drawing import Drawing
from ui.window.session import EACH, HIDDEN, Engine, Session, Tab, detail, live_html, user_of
from ui.window.source_panel import SourcePanel
from ui.window.sources import EMPTY

SUGGESTIONS_SECONDS = 60
"""How long a first screen waits for what to suggest."""

FOCUS_QUESTION = "() => window.sourcier.focusQuestion()"
SAVE_FILE = "watch('value', () => { if (props.value) window.sourcier.save(JSON.parse(props.value)) })"


class ChatPage:
    """The components of the page and what its conversations do; `build` lays it out in the open `Blocks`.

    A conversation that another tab has deleted meanwhile is left alone: the list, drawn anew, shows it gone.
    """

    def __init__(self, engine: Engine, drawing: Drawing) -> None:
        self.engine = engine
        self.drawing = drawing
        self.panel = SourcePanel(engine)
        self.events = ChatEvents(engine, drawing, self.panel)

    def build(self) -> None:
        """Lays the page out, then joins its events."""
        self.tab = gr.State(Tab())
        with gr.Row(elem_id="shell", equal_height=False):
            with gr.Column(elem_id="conversations", min_width=0):
                self.new = gr.Button("Nouvelle conversation", elem_id="new", size="md")
                self.query = gr.Textbox(
                    value="",
                    label="Chercher dans les conversations",
                    elem_id="query",
                    max_lines=1,
                    placeholder="Chercher…",
                )
                self.list = live_html("open", elem_id="list")
            with gr.Column(elem_id="middle", min_width=0):
                self.toolbar = live_html("rename", "remove", "export", elem_id="toolbar")
                self.talk = live_html(
                    "source",
                    "passage",
                    "evidence",
                    "edit",
                    "regenerate",
                    "rate",
                    "example",
                    "samples",
                    elem_id="talk",
                )
                self.scope = live_html("everything", "giveup", elem_id="scope")
                with gr.Row(elem_id="asking", equal_height=True):
                    self.question = gr.Textbox(
                        value="",
                        label="Votre question",
                        elem_id="question",
                        placeholder="Votre question…",
                        lines=1,
                        max_lines=6,
                        autofocus=True,
                        scale=1,
                    )
                    self.send = gr.Button("Demander", variant="primary", elem_id="send", scale=0)
                    self.stop = gr.Button("Arrêter", variant="stop", elem_id="stop", scale=0, visible=False)
            with gr.Column(elem_id="sources-column", min_width=0):
                self.sources = live_html("source", value=EMPTY, elem_id="sources")
        self.download = gr.HTML(visible="hidden", js_on_load=SAVE_FILE, html_template="")
        self._join_talk()
        self._join_conversations()

    def _join_talk(self) -> None:
        events, panel = self.events, self.panel
        asking: dict[str, Any] = {**HIDDEN, "trigger_mode": "multiple", "concurrency_limit": None}
        answer = [*self.parts, self.sources, self.question, self.send, self.stop]
        for sent in (self.send.click, self.question.submit):
            sent(events.ask_typed, [self.tab, self.question], answer, **asking)
        self.talk.example(events.ask_example, [self.tab], answer, **asking)
        self.talk.regenerate(events.regenerate, [self.tab], answer, **asking)
        self.stop.click(events.stop, None, None, queue=False, **HIDDEN)
        self.talk.edit(events.edit, [self.tab], [self.question, self.scope], **EACH).then(
            None, None, None, js=FOCUS_QUESTION, **HIDDEN
        )
        self.scope.giveup(events.give_up_edit, [self.tab], [self.question, self.scope], **EACH)
        self.talk.rate(events.rate, [self.tab], [self.talk], **EACH)
        for shown in (self.talk.source, self.sources.source):
            shown(panel.show_source, [self.tab], [self.sources], **EACH)
        self.talk.passage(panel.show_passage, [self.tab], [self.sources], **EACH)
        self.talk.evidence(panel.show_evidence, [self.tab], [self.sources], **EACH)
        self.scope.everything(self.ask_everything, [self.tab], [self.scope], **EACH)

    def _join_conversations(self) -> None:
        opened = [*self.parts, self.sources, self.question, self.send, self.stop]
        self.new.click(self.start_new, [self.tab], opened, **EACH).then(
            None, None, None, js=FOCUS_QUESTION, **HIDDEN
        )
        self.list.open(self.open, [self.tab], opened, **EACH)
        self.query.change(
            self.search, [self.tab, self.query], [self.list], trigger_mode="always_last", **HIDDEN
        )
        self.toolbar.rename(self.rename, [self.tab], [self.list, self.toolbar], **EACH)
        self.toolbar.remove(self.remove, [self.tab], opened, **EACH)
        self.toolbar.export(self.export, [self.tab], [self.download], **EACH)

    @property
    def parts(self) -> list[gr.HTML]:
        """The components that `Drawing.page` draws, in its order."""
        return [self.list, self.toolbar, self.talk, self.scope]

    def _show(self, tab: Tab, session: Session, request: gr.Request) -> Outputs:
        """Leaves what is on screen, and the answer under way, for another session."""
        self.events.leave(request)
        tab.session = session
        page = self.drawing.page(tab, user_of(request))
        return *page, self.panel.first(session), "", gr.update(visible=True), gr.update(visible=False)

    async def suggest(self, tab: Tab, request: gr.Request) -> Any:
        """The first screen with what one could ask, once that is known; nothing where a talk has begun."""
        for _ in range(SUGGESTIONS_SECONDS * 4):
            if tab.session.turns:
                break
            if await run_sync(self.engine.suggestions.current) is not None:
                return await run_sync(self.drawing.talk, tab.session, user_of(request))
            await asyncio.sleep(0.25)
        return gr.skip()

    def start_new(self, tab: Tab, request: gr.Request) -> Outputs:
        """A blank conversation, on the same articles."""
        return self._show(tab, Session(article_ids=tab.session.article_ids), request)

    def open(self, tab: Tab, event: gr.EventData, request: gr.Request) -> Outputs:
        """Reopens a saved conversation."""
        try:
            session = reopen(self.engine, detail(event, "conversation"), user_of(request))
        except SourcierError as error:
            gr.Warning(str(error), title="Conversation introuvable")
            session = Session()
        return self._show(tab, session, request)

    def search(self, tab: Tab, query: str, request: gr.Request) -> str:
        """The conversations that hold the words searched for."""
        tab.query = query
        return self.drawing.conversations(tab, user_of(request))

    def rename(self, tab: Tab, event: gr.EventData, request: gr.Request) -> Outputs:
        """Gives the conversation on screen another title."""
        user, title = user_of(request), detail(event, "text").strip()
        if tab.session.conversation_id and title:
            with suppress(SourcierError):
                self.engine.history.rename(tab.session.conversation_id, user, title)
        return self.drawing.page(tab, user)[:2]

    def remove(self, tab: Tab, request: gr.Request) -> Outputs:
        """Deletes the conversation on screen."""
        self.events.leave(request)
        if tab.session.conversation_id:
            with suppress(SourcierError):
                self.engine.history.delete(tab.session.conversation_id, user_of(request))
        return self.start_new(tab, request)

    def export(self, tab: Tab, event: gr.EventData, request: gr.Request) -> Any:
        """Hands the browser the conversation as a file, with its sources."""
        conversation_id, user, history = (
            tab.session.conversation_id or "",
            user_of(request),
            self.engine.history,
        )
        try:
            conversation = history.conversation(conversation_id, user)
            messages = history.messages(conversation_id, user)
        except SourcierError as error:
            gr.Warning(str(error), title="Conversation introuvable")
            return gr.skip()
        if detail(event, "format") == "json":
            content, kind, suffix = as_json(conversation, messages), "application/json", "json"
        else:
            content, kind, suffix = as_markdown(conversation, messages), "text/markdown", "md"
        file = {
            "name": file_name(conversation.title, suffix),
            "type": kind,
            "content": content,
            "at": time.time(),
        }
        return json.dumps(file).replace("<", "\\u003c")

    def ask_everything(self, tab: Tab, request: gr.Request) -> str:
        """Asks all articles again."""
        self.choose(tab, None, request)
        return self.drawing.scope(tab.session)

    def choose(self, tab: Tab, article_ids: tuple[str, ...] | None, request: gr.Request) -> None:
        """Keeps which articles this conversation asks, None for all."""
        tab.session = replace(tab.session, article_ids=article_ids)
        if tab.session.conversation_id:
            with suppress(SourcierError):
                self.engine.history.set_articles(tab.session.conversation_id, user_of(request), article_ids)
