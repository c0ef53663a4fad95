"""What every request passes: a number, the right host and origin, limits of size and rate, a user."""

from __future__ import annotations

import json
import logging
import re
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.auth import Users

logger = logging.getLogger("sourcier.requests")

MAX_BODY_BYTES = 1_000_000
MAX_UPLOAD_BYTES = 25_000_000
REQUESTS_A_SECOND, BURST = 20.0, 200.0
LOCAL_HOSTS = frozenset(("localhost", "127.0.0.1", "::1"))
OPEN_PATHS = ("/login", "/api/health")
_API = ("/api/", "/v1/")


class Guard:
    """ASGI middleware; `users` None lets everyone in, `local` refuses hosts other than this computer's names."""

    def __init__(
        self, app: ASGIApp, *, users: Users | None = None, local: bool = True, log_json: bool = False
    ) -> None:
        self._app, self._users, self._local, self._log_json = app, users, local, log_json
        self._buckets: dict[str, tuple[float, float]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or answer it with a French line."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        request_id = _request_id(Headers(scope=scope).get("x-request-id"))
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0

        async def send_numbered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Referrer-Policy", "same-origin")
                headers.setdefault("X-Frame-Options", "SAMEORIGIN")
            await send(message)

        refusal = self._refusal(scope)
        if scope["type"] == "websocket":
            if refusal is None:
                await self._app(scope, receive, send)
            else:
                await receive()
                await send({"type": "websocket.close", "code": 1008})
            return
        if refusal is not None:
            await respond(send_numbered, scope, *refusal)
        else:
            await self._limited(scope, receive, send_numbered)
        if self._log_json:
            spent = round((time.perf_counter() - began) * 1000, 1)
            line = {
                "id": request_id,
                "method": scope["method"],
                "path": scope["path"],
                "status": status,
                "ms": spent,
            }
            logger.info(json.dumps(line, ensure_ascii=False))

    def _refusal(self, scope: Scope) -> tuple[int, str, dict[str, str]] | None:
        headers, path = Headers(scope=scope), scope["path"]
        host = headers.get("host", "")
        if self._local and _hostname(host) not in LOCAL_HOSTS:
            return 421, "Adresse refusée : ouvrez Sourcier par l’adresse qu’il affiche au démarrage.", {}
        origin = headers.get("origin")
        changing = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD", "OPTIONS")
        if origin and changing and urlsplit(origin).netloc != host:
            return 403, "Requête d’une autre page refusée.", {}
        if path.startswith(_API) and path != "/api/health" and (wait := self._wait(scope)) > 0:
            return 429, "Trop de requêtes : réessayez dans un instant.", {"Retry-After": str(int(wait) + 1)}
        if self._users is None or path.startswith(OPEN_PATHS) or self._users.identify(HTTPConnection(scope)):
            return None
        if scope["type"] == "http" and scope["method"] == "GET" and not path.startswith(_API):
            return 303, "", {"Location": f"/login?next={quote(path)}"}
        return (
            401,
            "Connectez-vous : nom et mot de passe manquent ou sont faux.",
            {"WWW-Authenticate": "Basic"},
        )

    def _wait(self, scope: Scope) -> float:
        """Seconds a client must wait: a bucket of 200 requests, filled by 20 a second."""
        client = scope["client"][0] if scope.get("client") else ""
        now = time.monotonic()
        tokens, last = self._buckets.get(client, (BURST, now))
        tokens = min(BURST, tokens + (now - last) * REQUESTS_A_SECOND)
        if len(self._buckets) > 10_000:
            self._buckets.clear()
        self._buckets[client] = (tokens - 1 if tokens >= 1 else tokens, now)
        return 0.0 if tokens >= 1 else (1 - tokens) / REQUESTS_A_SECOND

    async def _limited(
        self, scope: Scope, receive: Receive, send: Callable[[Message], Awaitable[None]]
    ) -> None:
        path = scope["path"]
        if path.startswith("/gradio_api/"):  # the window's own uploads, which Gradio limits file by file
            await self._app(scope, receive, send)
            return
        limit = MAX_BODY_BYTES if path.startswith(_API) and path != "/api/articles" else MAX_UPLOAD_BYTES
        declared = Headers(scope=scope).get("content-length", "0")
        too_big = (413, f"Requête trop grosse : {limit // 1_000_000} Mo au plus.", {})
        if not declared.isdigit() or int(declared) > limit:
            await respond(send, scope, *too_big)
            return
        received, started, refused = 0, False, False

        async def counted() -> Message:
            nonlocal received, refused
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                refused = True
                return {"type": "http.disconnect"}
            return message

        async def noted(message: Message) -> None:
            nonlocal started
            if refused and not started:
                return
            started = True
            await send(message)

        await self._app(scope, counted, noted)
        if refused and not started:
            await respond(send, scope, *too_big)


async def respond(
    send: Callable[[Message], Awaitable[None]],
    scope: Scope,
    status: int,
    message: str,
    headers: dict[str, str],
) -> None:
    """Answer with an error's body."""
    body = json.dumps(
        error_body(scope["path"], message, scope["state"]["request_id"]), ensure_ascii=False
    ).encode()
    raw = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    raw += [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


def error_body(path: str, message: str, request_id: str) -> dict[str, Any]:
    """The body of a refusal: one French line and the request's number; in OpenAI's shape below /v1."""
    if path.startswith("/v1/"):
        return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}
    return {"error": message, "request_id": request_id}


def _request_id(given: str | None) -> str:
    return given if given and re.fullmatch(r"[\w.-]{1,64}", given, re.ASCII) else uuid.uuid4().hex


def _hostname(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
