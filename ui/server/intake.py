"""What the window takes from a browser: its own routes, and of files only those that the same user has sent."""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from os.path import realpath
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi import Request
from gradio.utils import get_upload_folder
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.api.errors import error_response
from ui.server.auth import LOCAL_USER
from ui.window.session import user_of

UPLOAD = "/gradio_api/upload"
OURS = re.compile(
    r"/gradio_api/(?:(?:app_id|cancel|info|reset|startup-events|theme\.css|upload|upload_progress|user)/?"
    r"|queue/(?:data|join)|run/\w+/?|heartbeat/\w+)"
)
"""What the page asks of Gradio. Its other routes fetch addresses, hand out files or run more than events."""

_GRADIO = re.compile(r"/+gradio_api(?:[/=]|$)")
NOT_SENT = "Ce fichier n’a pas été envoyé d’ici\u00a0: envoyez-le de nouveau."
_MAX_SENT = 10_000


class Sent:
    """The files that Gradio keeps for each user; those sent longest ago are forgotten.

    Gradio says of an upload neither the session nor the tab, so that a user is as near as one can tell.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], None] = OrderedDict()

    def note(self, user: str, paths: Iterable[str]) -> None:
        """Remembers that the user has sent these files, kept in these places."""
        for path in paths:
            self._kept[user, realpath(path)] = None
        while len(self._kept) > _MAX_SENT:
            self._kept.popitem(last=False)

    def holds(self, user: str, path: str) -> bool:
        """Whether this is a file that the user has sent, links followed."""
        try:
            place = realpath(path)
        except (OSError, ValueError):
            return False
        return (user, place) in self._kept and Path(place).is_relative_to(realpath(get_upload_folder()))


class Window(gr.Blocks):
    """Gradio's application, whose events take no file that its user has not sent.

    Gradio copies whatever a browser names, a file of this computer or a web address, into a folder it serves,
    before the event's own function is called and whatever the component; its check is off in a mounted app.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.sent = Sent()

    async def process_api(
        self,
        block_fn: Any,
        inputs: list[Any],
        state: Any = None,
        request: Any = None,
        *rest: Any,
        **options: Any,
    ) -> dict[str, Any]:
        """Runs an event, once what a browser names in it is known to be its own."""
        user = user_of(request) if isinstance(request, gr.Request) else LOCAL_USER
        if not all(isinstance(path, str) and self.sent.holds(user, path) for path in _paths(inputs)):
            raise gr.Error(NOT_SENT, print_exception=False)
        return await super().process_api(block_fn, inputs, state, request, *rest, **options)


def _paths(data: object) -> Iterator[object]:
    """What data of an event name as a file's place, however deep; of any type."""
    waiting = [data]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            if "path" in item:
                yield item["path"]
            waiting += item.values()
        elif isinstance(item, list | tuple):
            waiting += item


class Intake:
    """ASGI middleware around Gradio's routes: closes those the window does not use, notes who has sent which file."""

    def __init__(self, app: ASGIApp, *, sent: Sent, identify: Callable[[Request], str | None] | None) -> None:
        self.app = app
        self.sent = sent
        self.identify = identify

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on what the window asks, and reads what Gradio answers to an upload."""
        if _GRADIO.match(scope.get("path", "")) and not OURS.fullmatch(scope["path"]):
            await error_response(scope, 404)(scope, receive, send)
            return
        if scope["type"] != "http" or scope["path"] != UPLOAD:
            await self.app(scope, receive, send)
            return
        status, body = 0, bytearray()

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                body.extend(message.get("body", b""))
                # Before the browser knows: it names the file at once.
                if status == 200 and not message.get("more_body", False):
                    user = self.identify(Request(scope)) if self.identify else None
                    self.sent.note(user or LOCAL_USER, json.loads(body))
            await send(message)

        await self.app(scope, receive, send_noted)
