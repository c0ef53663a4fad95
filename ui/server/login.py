"""Logging in: by a session's cookie, by an `Authorization` header, or on a page of its own."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from importlib import resources
from string import Template

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ui.api.errors import ApiError, error_response
from ui.server.auth import SESSION_SECONDS, USER_KEY, Users, credentials
from ui.server.limits import Rate, TokenBuckets, client_of, in_api, too_fast

COOKIE = "sourcier_session"
OPEN_PATHS = {"/login", "/api/health"}
WRONG = "Nom ou mot de passe faux."
FAILURES = Rate(per_second=1 / 30, burst=10)
"""Wrong passwords allowed from one address: ten at once, then two a minute."""

_CHALLENGE = {"WWW-Authenticate": 'Basic realm="Sourcier", charset="UTF-8"'}
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"


class Authenticator:
    """What the middleware and the page to log in share: the users, and the wrong passwords each address has tried."""

    def __init__(self, users: Users) -> None:
        self.users = users
        self._failures = TokenBuckets(FAILURES)
        self._hashing = CapacityLimiter(2)

    async def enter(self, address: str, name: str, password: str) -> str | None:
        """The user, or None where the password is wrong; raises ApiError (429) after too many of them."""
        user = self.users.recognise(name, password)
        if user is not None:
            return user
        async with self._hashing:
            user = self.users.recognise(name, password)
            if user is not None:
                return user
            # Counted before it is known to be wrong: those sent together would all pass otherwise.
            if seconds := self._failures.wait(address):
                raise too_fast(seconds)
            user = await run_sync(self.users.check, name, password)
            if user is not None:
                self._failures.give_back(address)
            return user


class RequireUser:
    """Lets through those it knows, their name left in the scope; sends the others to log in."""

    def __init__(self, app: ASGIApp, *, authenticator: Authenticator) -> None:
        self.app = app
        self.authenticator = authenticator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on what comes from a known user."""
        if scope["type"] == "lifespan" or scope["path"] in OPEN_PATHS:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 4401})
        else:
            refusal = await self._enter(scope)
            await (refusal or self.app)(scope, receive, send)

    async def _enter(self, scope: Scope) -> Response | None:
        """Leaves the user's name in the scope, or gives the response that refuses."""
        request = Request(scope)
        user = self.authenticator.users.of_session(request.cookies.get(COOKIE, ""))
        given = credentials(request.headers.get("authorization", ""))
        if user is None and given is not None:
            try:
                user = await self.authenticator.enter(client_of(scope), *given)
            except ApiError as refusal:
                return error_response(scope, refusal.status_code, refusal.detail, headers=refusal.headers)
        if user is not None:
            scope[USER_KEY] = user
            return None
        if scope["method"] == "GET" and "text/html" in request.headers.get("accept", ""):
            return RedirectResponse("/login", 303)
        return error_response(scope, 401, headers=_CHALLENGE if in_api(scope) else None)


def login_router(authenticator: Authenticator) -> APIRouter:
    """The page to log in, and the way out."""
    router = APIRouter(include_in_schema=False)

    @router.get("/login")
    def page() -> HTMLResponse:
        return login_page()

    @router.post("/login")
    async def login(request: Request) -> Response:
        form = await request.form()
        name, password = (str(form.get(field, "")) for field in ("name", "password"))
        try:
            user = await authenticator.enter(client_of(request.scope), name, password)
        except ApiError as refusal:
            return login_page(refusal.detail, name, status=refusal.status_code, headers=refusal.headers)
        if user is None:
            return login_page(WRONG, name, status=401)
        response = RedirectResponse("/", 303)
        response.set_cookie(
            COOKIE,
            authenticator.users.open_session(user),
            max_age=SESSION_SECONDS,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return response

    @router.post("/logout")
    def logout(request: Request) -> Response:
        authenticator.users.close_session(request.cookies.get(COOKIE, ""))
        response = RedirectResponse("/login", 303)
        response.delete_cookie(COOKIE)
        return response

    return router


def login_page(
    fault: str = "", name: str = "", *, status: int = 200, headers: Mapping[str, str] | None = None
) -> HTMLResponse:
    """The page to log in, with what went wrong."""
    template = Template(resources.files("ui").joinpath("static", "login.html").read_text("utf-8"))
    shown = f'<p role="alert">{escape(fault)}</p>' if fault else ""
    page = template.substitute(fault=shown, name=escape(name[:64], quote=True))
    safe = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store", "Referrer-Policy": "same-origin"}
    return HTMLResponse(page, status, {**safe, **(headers or {})})
