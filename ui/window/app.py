"""The chat window: builds the Gradio app and mounts it into the server's FastAPI app."""

from __future__ import annotations

import os
from collections.abc import Callable

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import gradio as gr
from fastapi import FastAPI, Request
from starlette.routing import Mount

from ui.server.intake import Intake, Window
from ui.window.articles_page import ArticlesPage
from ui.window.chat_events import Outputs
from ui.window.chat_page import ChatPage
from ui.window.drawing import Drawing
from ui.window.page import FrenchPage
from ui.window.session import HIDDEN, Engine, Tab, user_of
from ui.window.settings_page import SettingsPage
from ui.window.theme import window_theme
from ui.window.uploads import MAX_FILE_BYTES

HEADER = (
    '<header class="brand"><h1>Sourcier</h1><p>Des réponses tirées de vos articles, avec la phrase qui les '
    "prouve.</p></header>"
)


def build_window(engine: Engine) -> Window:
    """The window with its three places: conversation, articles, settings."""
    window = Window(title="Sourcier", fill_width=True, analytics_enabled=False)
    with window:
        gr.HTML(HEADER, apply_default_css=False, elem_id="header")
        drawing = Drawing(engine)
        chat = ChatPage(engine, drawing)
        articles = ArticlesPage(engine, drawing, chat)
        settings = SettingsPage(engine, drawing, chat)
        with gr.Tabs(elem_id="places"):
            with gr.Tab("Conversation", id="chat"):
                chat.build()
            with gr.Tab("Articles", id="articles") as shelf:
                articles.build()
            with gr.Tab("Réglages", id="settings"):
                settings.build()

        def load(tab: Tab, query: str, request: gr.Request) -> Outputs:
            user = user_of(request)
            return *drawing.page(tab, user), *articles.show(tab, query), settings.draw(user)

        drawn = [*chat.parts, articles.choice, articles.table, settings.form]
        loaded = window.load(load, [chat.tab, articles.query], drawn, **HIDDEN)
        loaded.then(chat.suggest, [chat.tab], [chat.talk], **HIDDEN)
        shelf.select(articles.show, [chat.tab, articles.query], [articles.choice, articles.table], **HIDDEN)
        window.unload(chat.events.leave)
    window.queue(default_concurrency_limit=None, api_open=False)
    return window


def mount_window(
    app: FastAPI, window: Window, *, identify: Callable[[Request], str | None] | None = None
) -> FastAPI:
    """Mounts the window at the root of `app`; `identify` names the user of a request, None if unknown."""
    app = gr.mount_gradio_app(
        app,
        window,
        path="",
        auth_dependency=identify,
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size=MAX_FILE_BYTES,
        theme=window_theme(),
        enable_monitoring=False,
        ssr_mode=False,
        pwa=False,
    )
    mounted = app.routes[-1]
    assert isinstance(mounted, Mount)
    assert isinstance(mounted.app, FastAPI)
    # Inside, so that it meets only those let in, and knows who they are.
    mounted.app.add_middleware(Intake, sent=window.sent, identify=identify)
    app.add_middleware(FrenchPage)
    return app
