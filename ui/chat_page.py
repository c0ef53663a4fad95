"""The place where one asks: conversations on the left, the talk in the middle, its sources on the right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gradio as gr

from qa.errors import SourcierError
from ui.asking import ask, reopen
from ui.conversations import file_name, render_list, render_toolbar
from ui.examples import example_questions, render_welcome
from ui.rendering import library_summary, render_conversation
from ui.running import Running
from ui.session import EACH, HIDDEN, Engine, Session, detail, live_html, place, user_of
from ui.sources import EMPTY, Highlight, citation_highlight, markers, render_source, render_tabs
from ui.text import count, escape

EXAMPLE_ARTICLES = 30


class ChatPage:
    """The components of the page and what their events do; `build` lays them out in the open `Blocks`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @property
    def running(self) -> Running:
        """The answers under way."""
        return self.engine.running

    def build(self) -> None:
        """Lays the page out, then joins its events."""
        self.session = gr.State(Session())
        with gr.Row(elem_id="shell", equal_height=False):
            with gr.Column(elem_id="conversations", min_width=0):
                self.new = gr.Button("Nouvelle conversation", elem_id="new", size="md")
                self.query = gr.Textbox(
                    value="", label="Chercher dans les conversations", elem_id="query", max_lines=1, placeholder="Chercher…"
                )
                self.list = live_html("open", elem_id="list")
            with gr.Column(elem_id="middle", min_width=0):
                self.toolbar = live_html("rename", "remove", "export", elem_id="toolbar")
                self.talk = live_html("source", "passage", "edit", "regenerate", "rate", "example", elem_id="talk")
                self.scope = live_html("everything", elem_id="scope")
                with gr.Row(elem_id="asking", equal_height=True):
                    self.question = gr.Textbox(
                        value="", label="Votre question",
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
        self.download = gr.HTML(
            visible="hidden",
            js_on_load="watch('value', () => { if (props.value) window.sourcier.save(JSON.parse(props.value)) })",
            html_template="",
        )
        self._join()

    def _join(self) -> None:
        page = [self.session, self.list, self.toolbar, self.talk, self.scope]
        answering = [*page, self.sources, self.question, self.send, self.stop]
        for trigger in (self.send.click, self.question.submit):
            trigger(self.ask_typed, [self.session, self.question], answering, concurrency_limit=None, **HIDDEN)
        self.talk.example(self.ask_example, [self.session], answering, concurrency_limit=None, **HIDDEN)
        self.talk.regenerate(self.regenerate, [self.session], answering, concurrency_limit=None, **HIDDEN)
        self.stop.click(self.stop_answer, None, None, queue=False, **HIDDEN)
        self.talk.edit(self.edit, [self.session], [self.session, self.question, self.scope], **HIDDEN).then(
            None, None, None, js="() => window.sourcier.focusQuestion()", **HIDDEN
        )
        self.talk.rate(self.rate, [self.session], [self.session, self.talk], **EACH)
        for event in (self.talk.source, self.sources.source):
            event(self.show_source, [self.session], [self.sources], **EACH)
        self.talk.passage(self.show_passage, [self.session], [self.sources], **EACH)
        self.scope.everything(self.ask_everything, [self.session], [self.session, self.scope], **HIDDEN)
        opened = [*page, self.sources, self.question]
        self.new.click(self.start_new, [self.session], opened, **HIDDEN).then(
            None, None, None, js="() => window.sourcier.focusQuestion()", **HIDDEN
        )
        self.list.open(self.open, [self.session], opened, **HIDDEN)
        self.query.change(
            self.search, [self.session, self.query], [self.list], trigger_mode="always_last", **HIDDEN
        )
        self.toolbar.rename(self.rename, [self.session], [self.list, self.toolbar], **HIDDEN)
        self.toolbar.remove(self.remove, [self.session], opened, **HIDDEN)
        self.toolbar.export(self.export, [self.session], [self.download], **HIDDEN)

    # ---- drawing ---------------------------------------------------------------------------------

    def draw(self, session: Session, user: str) -> tuple[Session, str, str, str, str]:
        """The session and everything on screen that follows from it."""
        conversations = self.engine.history.conversations(user)
        current = next((known for known in conversations if known.id == session.conversation_id), None)
        return (
            session,
            render_list(conversations, session.conversation_id),
            render_toolbar(current),
            self.draw_talk(session, user),
            self.draw_scope(session),
        )

    def draw_talk(self, session: Session, user: str) -> str:
        """The conversation, or the welcome where nothing has been asked yet."""
        if session.turns:
            return render_conversation(session.turns, detailed=self.engine.history.settings(user).detailed)
        library = self.engine.assistant.library
        infos = library.articles()
        dates = sorted(info.date for info in infos if info.date)
        summary = library_summary(len(infos), *((dates[0], dates[-1]) if dates else (None, None)))
        articles = [library.article(info.id) for info in infos[:EXAMPLE_ARTICLES]]
        return render_welcome(summary, example_questions((article.title, article.text) for article in articles))

    def draw_scope(self, session: Session) -> str:
        """A line that says which articles are asked, and that a question is being rewritten."""
        lines = []
        if session.editing is not None:
            lines.append("<span>Vous modifiez une question\u00a0: la nouvelle réponse remplacera l’ancienne.</span>")
        if session.article_ids is not None:
            chosen = count(len(session.article_ids), "article choisi", "articles choisis")
            lines.append(
                f"<span>La question porte sur {escape(chosen)}.</span>"
                '<button type="button" class="link" data-event="everything">Tout interroger</button>'
            )
        return f'<p class="scope">{" ".join(lines)}</p>' if lines else ""

    # ---- asking ----------------------------------------------------------------------------------

    def ask_typed(self, session: Session, question: str, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        """Asks what was typed."""
        yield from self._ask(session, question, request)

    def ask_example(self, session: Session, event: gr.EventData, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        """Asks an example of the first screen."""
        yield from self._ask(session, detail(event, "question"), request)

    def regenerate(self, session: Session, event: gr.EventData, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        """Asks a turn's question again, in its place."""
        number = place(event, "turn", len(session.turns))
        if number is not None:
            yield from self._ask(replace(session, editing=number), session.turns[number].asked, request)

    def _ask(self, session: Session, question: str, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        question = question.strip()
        if not question:
            yield tuple(gr.skip() for _ in range(9))
            return
        user, tab = user_of(request), request.session_hash or ""
        settings = self.engine.history.settings(user)
        cancel = self.running.start(tab)
        emptied: Any = ""
        try:
            for session in ask(self.engine, session, question, settings, user, cancel):
                talk = render_conversation(session.turns, detailed=settings.detailed)
                under_way = session.turns[-1].state == "running"
                scope: Any = self.draw_scope(session) if emptied == "" else gr.skip()
                page = [session, gr.skip(), gr.skip(), talk, scope] if under_way else self.draw(session, user)
                sources = gr.skip() if under_way else self._first_source(session)
                yield (
                    *page,
                    sources,
                    emptied,
                    gr.update(visible=not under_way),
                    gr.update(visible=under_way),
                )
                emptied = gr.skip()
        finally:
            self.running.finish(tab, cancel)

    def stop_answer(self, request: gr.Request) -> None:
        """Stops this tab's answer: the work itself, not only its display."""
        self.running.stop(request.session_hash or "")

    def leave(self, request: gr.Request) -> None:
        """Stops the answer of a tab that closes."""
        self.running.stop(request.session_hash or "")

    def edit(self, session: Session, event: gr.EventData) -> tuple[Any, ...]:
        """Puts a question back in the field, to be corrected and asked in its turn's place."""
        number = place(event, "turn", len(session.turns))
        if number is None:
            return gr.skip(), gr.skip(), gr.skip()
        session = replace(session, editing=number)
        return session, detail(event, "question"), self.draw_scope(session)

    def rate(self, session: Session, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        """Keeps a thumb up or down, with its comment."""
        number = place(event, "turn", len(session.turns))
        if number is None or session.turns[number].message_id is None:
            return gr.skip(), gr.skip()
        turn = session.turns[number]
        good, comment = detail(event, "good") == "1", detail(event, "text")
        user = user_of(request)
        self.engine.history.rate(turn.message_id, user, good, comment)
        turns = list(session.turns)
        turns[number] = replace(turn, good=good, comment=comment)
        session = replace(session, turns=tuple(turns))
        return session, self.draw_talk(session, user)

    # ---- sources ---------------------------------------------------------------------------------

    def show_source(self, session: Session, event: gr.EventData) -> Any:
        """Opens the article behind a marker, at the cited sentence."""
        number = place(event, "turn", len(session.turns))
        marker = detail(event, "marker")
        if number is None or not marker.isdigit():
            return gr.skip()
        return self._source(session, number, int(marker), focus=True)

    def _first_source(self, session: Session) -> Any:
        answer = session.turns[-1].answer
        if answer is None:
            return gr.skip()
        return self._source(session, len(session.turns) - 1, markers(answer)[0]) if answer.citations else EMPTY

    def _source(self, session: Session, number: int, marker: int, *, focus: bool = False) -> Any:
        answer = session.turns[number].answer
        citation = next((known for known in answer.citations if known.marker == marker), None) if answer else None
        if answer is None or citation is None:
            return gr.skip()
        heading, tabs = f"Source {marker}", render_tabs(answer, number, marker)
        highlight = citation_highlight(answer, marker)
        return self._article(citation.article_id, highlight, heading=heading, tabs=tabs, focus=focus)

    def show_passage(self, session: Session, event: gr.EventData) -> Any:
        """Opens the article of a passage that was found, at the passage."""
        number = place(event, "turn", len(session.turns))
        answer = session.turns[number].answer if number is not None else None
        which = place(event, "passage", len(answer.passages)) if answer else None
        if answer is None or which is None:
            return gr.skip()
        passage = answer.passages[which]
        highlight = Highlight(passage.start, passage.end)
        return self._article(passage.article_id, highlight, heading="Passage trouvé", focus=True)

    def _article(
        self, article_id: str, highlight: Highlight | None, *, heading: str, tabs: str = "", focus: bool
    ) -> str:
        try:
            article = self.engine.assistant.library.article(article_id)
        except SourcierError:
            return (
                '<section class="source empty" aria-label="Sources"><h2>Sources</h2>'
                "<p>Cet article n’est plus dans la bibliothèque.</p></section>"
            )
        return render_source(article, highlight, heading=heading, tabs=tabs, focus=focus)

    # ---- conversations ---------------------------------------------------------------------------

    def start_new(self, session: Session, request: gr.Request) -> tuple[Any, ...]:
        """A blank conversation, on the same articles."""
        self.running.stop(request.session_hash or "")
        return (*self.draw(Session(article_ids=session.article_ids), user_of(request)), EMPTY, "")

    def open(self, session: Session, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        """Reopens a saved conversation."""
        self.running.stop(request.session_hash or "")
        user = user_of(request)
        try:
            session = reopen(self.engine, detail(event, "conversation"), user)
        except SourcierError as error:
            gr.Warning(str(error), title="Conversation introuvable")
            session = Session()
        return (*self.draw(session, user), self._first_source(session) if session.turns else EMPTY, "")

    def search(self, session: Session, query: str, request: gr.Request) -> str:
        """The conversations that hold the words searched for."""
        user = user_of(request)
        history = self.engine.history
        found = history.search(user, query) if query.strip() else history.conversations(user)
        return render_list(found, session.conversation_id, query=query)

    def rename(self, session: Session, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        """Gives the conversation on screen another title."""
        user, title = user_of(request), detail(event, "text").strip()
        if session.conversation_id and title:
            self.engine.history.rename(session.conversation_id, user, title)
        return self.draw(session, user)[1:3]

    def remove(self, session: Session, request: gr.Request) -> tuple[Any, ...]:
        """Deletes the conversation on screen."""
        if session.conversation_id:
            self.engine.history.delete(session.conversation_id, user_of(request))
        return self.start_new(session, request)

    def export(self, session: Session, event: gr.EventData, request: gr.Request) -> Any:
        """Hands the browser the conversation as a file, with its sources."""
        if not session.conversation_id:
            return gr.skip()
        user, history = user_of(request), self.engine.history
        title = history.conversation(session.conversation_id, user).title
        as_json = detail(event, "format") == "json"
        content = (history.export_json if as_json else history.export_markdown)(session.conversation_id, user)
        kind = "application/json" if as_json else "text/markdown"
        name = file_name(title, "json" if as_json else "md")
        return json.dumps({"name": name, "type": kind, "content": content, "at": request.session_hash})

    def ask_everything(self, session: Session, request: gr.Request) -> tuple[Any, ...]:
        """Asks all articles again."""
        session = replace(session, article_ids=None)
        if session.conversation_id:
            self.engine.history.set_articles(session.conversation_id, user_of(request), None)
        return session, self.draw_scope(session)
