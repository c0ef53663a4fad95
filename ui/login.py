"""The door: lets in by a session's cookie or by an `Authorization` header, and shows a page to log in."""

from __future__ import annotations

from functools import partial
from html import escape
from importlib import resources
from string import Template

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ui.auth import SESSION_SECONDS, USER_KEY, Users, credentials
from ui.errors import error_response
from ui.limits import Pace, Rate, client_of, in_api, too_fast

COOKIE = "sourcier_session"
OPEN_PATHS = {"/login", "/api/health"}
WRONG = "Le nom ou le mot de passe n’est pas le bon."
FAILURES = Rate(per_second=1 / 30, burst=10)
"""Wrong passwords allowed from one address: ten at once, then two a minute."""

_CHALLENGE = {"WWW-Authenticate": 'Basic realm="Sourcier", charset="UTF-8"'}
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"


class Door:
    """What the gate and the page to log in share: the users, and the wrong passwords each address has tried."""

    def __init__(self, users: Users) -> None:
        self.users = users
        self._failures = Pace(FAILURES)

    def wait(self, address: str) -> float:
        """Seconds before the address may try again, 0 where it may now."""
        return self._failures.wait(address, take=False)

    async def check(self, address: str, name: str, password: str) -> bool:
        """Whether the password is right; a wrong one is counted."""
        right = await run_in_threadpool(self.users.check, name, password)
        if not right:
            self._failures.wait(address)
        return right


class Gate:
    """Lets through those it knows, their name left in the scope; sends the others to log in."""

    def __init__(self, app: ASGIApp, *, door: Door) -> None:
        self.app = app
        self.door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
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
        user = self.door.users.of_session(request.cookies.get(COOKIE, ""))
        header = request.headers.get("authorization")
        if user is None and header is not None:
            address = client_of(scope)
            if seconds := self.door.wait(address):
                line, headers = too_fast(seconds)
                return error_response(429, line, headers=headers)
            given = credentials(header)
            if given is not None and await self.door.check(address, *given):
                user = given[0]
        if user is not None:
            scope[USER_KEY] = user
            return None
        if scope["method"] == "GET" and "text/html" in request.headers.get("accept", ""):
            return RedirectResponse("/login", 303)
        return error_response(401, headers=_CHALLENGE if in_api(scope) else None)


def login_router(door: Door) -> APIRouter:
    """The page to log in, and the way out."""
    router = APIRouter(include_in_schema=False)

    @router.get("/login")
    def page() -> HTMLResponse:
        return login_page()

    @router.post("/login", max_body_size=10_000)
    async def login(request: Request) -> Response:
        address = client_of(request.scope)
        if seconds := door.wait(address):
            line, headers = too_fast(seconds)
            return login_page(line, status=429, headers=headers)
        form = await request.form()
        name, password = (str(form.get(field, "")) for field in ("name", "password"))
        if not await door.check(address, name, password):
            return login_page(WRONG, name, status=401)
        response = RedirectResponse("/", 303)
        set_cookie = partial(response.set_cookie, COOKIE, door.users.open_session(name))
        set_cookie(max_age=SESSION_SECONDS, httponly=True, samesite="lax", secure=request.url.scheme == "https")
        return response

    @router.post("/logout")
    def logout(request: Request) -> Response:
        door.users.close_session(request.cookies.get(COOKIE, ""))
        response = RedirectResponse("/login", 303)
        response.delete_cookie(COOKIE)
        return response

    return router


def login_page(
    fault: str = "", name: str = "", *, status: int = 200, headers: dict[str, str] | None = None
) -> HTMLResponse:
    """The page to log in, with what went wrong."""
    template = Template(resources.files("ui").joinpath("static", "login.html").read_text("utf-8"))
    shown = f'<p role="alert">{escape(fault)}</p>' if fault else ""
    page = template.substitute(fault=shown, name=escape(name[:64], quote=True))
    safe = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return HTMLResponse(page, status, {**safe, **(headers or {})})
