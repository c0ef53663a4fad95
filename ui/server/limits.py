"""What every request meets before the routes: a number, a check of its origin, limits of rate and size."""

from __future__ import annotations

import ipaddress
import logging
import math
import re
import time
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.api.errors import ApiError, error_response
from ui.server.logs import request_number

logger = logging.getLogger(__name__)

API = ("/api/", "/v1/")
_NUMBER = re.compile(r"[\w.-]{1,64}", re.ASCII)
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS", "TRACE"}
_MAX_CLIENTS = 10_000
MAX_HEADERS_BYTES = 10_000
"""All headers of a request together: reading cookies takes a time that grows as the square of their length."""


def client_of(scope: Scope) -> str:
    """The user, where they have logged in, or the address the request comes from."""
    client = scope.get("client")
    return scope.get("sourcier.user") or (client[0] if client else "?")


def in_api(scope: Scope) -> bool:
    """Whether the request is for the API, not for the window."""
    return f"{scope['path']}/".startswith(API)


class RequestLog:
    """Numbers each request (`X-Request-ID`, the client's own if it sends one), logs it, and turns an
    unexpected fault into a response that gives the number and nothing else."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves the request, numbered and logged."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        number = given if _NUMBER.fullmatch(given) else uuid.uuid4().hex
        token = request_number.set(number)
        began, status = time.perf_counter(), 0

        async def send_numbered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = number
                headers["X-Content-Type-Options"] = "nosniff"
                if in_api(scope):
                    headers["Cache-Control"] = "no-store"
            await send(message)

        try:
            await self.app(scope, receive, send_numbered)
        except Exception:
            logger.exception("request %s failed", number)
            if not status:
                await error_response(scope, 500)(scope, receive, send_numbered)
        finally:
            _log(scope, status, (time.perf_counter() - began) * 1000)
            request_number.reset(token)


def _log(scope: Scope, status: int, milliseconds: float) -> None:
    path = scope.get("raw_path", b"").decode("ascii", "replace").partition("?")[0]
    fields = {
        "method": scope["method"],
        "path": path,
        "status": status,
        "milliseconds": round(milliseconds, 1),
        "client": client_of(scope),
    }
    line = "%(method)s %(path)s %(status)s %(milliseconds)s ms"
    logger.info(line, fields, extra={"fields": fields})


class OriginCheck:
    """Refuses headers of an endless length, before they are read, and what other web sites make a browser
    send: changes asked by a page of another origin, and, where the server is for this computer only,
    addresses under another name (DNS rebinding)."""

    def __init__(self, app: ASGIApp, *, local: bool) -> None:
        self.app = app
        self.local = local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on what this server, or its own pages, may be asked."""
        if sum(len(name) + len(value) for name, value in scope.get("headers", ())) > MAX_HEADERS_BYTES:
            await _refuse_headers(scope, receive, send)
            return
        if scope["type"] == "http" and (line := self._fault(scope)):
            await error_response(scope, 403, line)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _fault(self, scope: Scope) -> str | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self.local and not _is_this_computer(host):
            return "Ce serveur ne répond qu’à son adresse locale, http://127.0.0.1 ou http://localhost."
        origin = headers.get("origin")
        foreign = origin is not None and origin.partition("://")[2].lower() != host.lower()
        if foreign and scope["method"] not in _SAFE_METHODS:
            return "Cette requête vient de la page d’un autre site\u00a0: elle est refusée."
        return None


async def _refuse_headers(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1009})
        return
    line = f"Les en-têtes de la requête sont trop gros\u00a0: {MAX_HEADERS_BYTES // 1000}\u00a0ko au plus en tout."
    await error_response(scope, 431, line)(scope, receive, send)


def _is_this_computer(host: str) -> bool:
    name = re.sub(r":\d*$", "", host).strip("[]").rstrip(".").lower()
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


@dataclass(frozen=True, slots=True)
class Rate:
    """How often a client may ask: `burst` times at once, then `per_second` (a token bucket)."""

    per_second: float
    burst: int


class TokenBuckets:
    """A bucket of tokens for each client; the clients seen longest ago are forgotten."""

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, client: str) -> float:
        """Seconds the client has to wait; 0 where it may go on, and this time is counted."""
        now = time.monotonic()
        left, then = self._left.pop(client, (float(self.rate.burst), now))
        left = min(self.rate.burst, left + (now - then) * self.rate.per_second)
        allowed = left >= 1
        self._left[client] = (left - 1 if allowed else left, now)
        while len(self._left) > _MAX_CLIENTS:
            self._left.popitem(last=False)
        return 0.0 if allowed else (1 - left) / self.rate.per_second

    def give_back(self, client: str) -> None:
        """Counts one time less."""
        if client in self._left:
            left, then = self._left[client]
            self._left[client] = (left + 1, then)


def too_fast(seconds: float) -> ApiError:
    """The refusal of a client that has to wait."""
    whole = str(max(1, math.ceil(seconds)))
    return ApiError(429, f"Trop de requêtes\u00a0: réessayez dans {whole} s.", headers={"Retry-After": whole})


class RateLimit:
    """Holds each client of the API to a rate."""

    def __init__(self, app: ASGIApp, *, rate: Rate) -> None:
        self.app = app
        self.buckets = TokenBuckets(rate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on what keeps to the rate."""
        limited = scope["type"] == "http" and in_api(scope)
        seconds = self.buckets.wait(client_of(scope)) if limited else 0.0
        if seconds:
            refusal = too_fast(seconds)
            response = error_response(scope, 429, refusal.detail, headers=refusal.headers)
            await response(scope, receive, send)
            return
        await self.app(scope, receive, send)


class BodyLimit:
    """Refuses bodies larger than the place they are sent to takes; `limits` are bytes by the start of the
    path, the first that fits counts."""

    def __init__(self, app: ASGIApp, *, limits: Mapping[str, int]) -> None:
        self.app = app
        self.limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on what is small enough, by what it says of itself and by what arrives."""
        limit = next((n for start, n in self.limits.items() if scope.get("path", "").startswith(start)), None)
        if scope["type"] != "http" or limit is None:
            await self.app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and int(declared) > limit:
            refusal = _too_big(limit)
            await error_response(scope, refusal.status_code, refusal.detail)(scope, receive, send)
            return
        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise _too_big(limit)
            return message

        await self.app(scope, receive_counted, send)


def _too_big(limit: int) -> ApiError:
    most = f"{limit // 1_000_000}\u00a0Mo" if limit >= 1_000_000 else f"{limit // 1000}\u00a0ko"
    return ApiError(413, f"Le corps de la requête est trop gros\u00a0: {most} au plus.")
