"""The chat window: builds the Gradio app and mounts it into the server's FastAPI app."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import gradio as gr
from fastapi import FastAPI, Request

from ui.articles_page import ArticlesPage
from ui.chat_page import ChatPage
from ui.page import FrenchPage, static_text
from ui.session import HIDDEN, Engine, Session, user_of
from ui.settings_page import SettingsPage
from ui.theme import window_theme

HEADER = (
    '<header class="brand"><h1>Sourcier</h1><p>Des réponses tirées de vos articles, avec la phrase qui les '
    "prouve.</p></header>"
)


def build_window(engine: Engine) -> gr.Blocks:
    """The window with its three places: conversation, articles, settings."""
    with gr.Blocks(title="Sourcier", fill_width=True, analytics_enabled=False) as window:
        gr.HTML(HEADER, apply_default_css=False, elem_id="header")
        chat = ChatPage(engine)
        with gr.Tabs(elem_id="places"):
            with gr.Tab("Conversation", id="chat"):
                chat.build()
            with gr.Tab("Articles", id="articles"):
                articles = ArticlesPage(engine, chat)
                articles.build()
            with gr.Tab("Réglages", id="settings"):
                settings = SettingsPage(engine, chat)
                settings.build()
        page = [chat.session, chat.list, chat.toolbar, chat.talk, chat.scope]

        def load(session: Session, query: str, request: gr.Request) -> tuple[Any, ...]:
            user = user_of(request)
            return *chat.draw(session, user), *articles.show(session, query), settings.draw(user)

        window.load(
            load, [chat.session, articles.query], [*page, articles.choice, articles.table, settings.form], **HIDDEN
        )
        window.unload(chat.leave)
    window.queue(default_concurrency_limit=None)
    return window


def mount_window(
    app: FastAPI, window: gr.Blocks, *, identify: Callable[[Request], str | None] | None = None
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
        theme=window_theme(),
        css=static_text("style.css"),
        enable_monitoring=False,
        ssr_mode=False,
        pwa=False,
    )
    app.add_middleware(FrenchPage)
    return app
