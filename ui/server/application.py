"""The server: the API, its documentation, and what every request passes before the routes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from itertools import takewhile
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from qa.history import History
from ui.api.answers import answer_router
from ui.api.articles import articles_router
from ui.api.errors import add_error_handlers
from ui.api.openai import openai_router
from ui.api.schemas import Health
from ui.server.auth import Users
from ui.server.limits import BodyLimit, OriginCheck, Rate, RateLimit, RequestLog, in_api
from ui.server.login import Authenticator, RequireUser, login_router
from ui.server.logs import log_as_json
from ui.server.workers import Gone, Workers
from ui.window.uploads import MAX_FILE_BYTES, MAX_FILES

if TYPE_CHECKING:
    from qa.assistant import Assistant

RATE = Rate(per_second=20, burst=100)
_UPLOAD_BYTES = MAX_FILES * MAX_FILE_BYTES + 1_000_000
BODY_BYTES = {
    "/api/articles": _UPLOAD_BYTES,
    "/gradio_api/upload": _UPLOAD_BYTES,
    "/login": 20_000,
    "": 1_000_000,
}
LEFT = 499
_METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")

_ABOUT = (
    "Posez des questions en français à vos articles ; chaque réponse vient avec la phrase qui la prouve. "
    "Sous /api et /v1, les erreurs ont toutes une ligne en français. Avec des utilisateurs, identifiez-vous par HTTP Basic, "
    "ou, pour un client d’OpenAI, par la clé « nom:mot de passe »."
)


def build_api(
    assistant: Assistant,
    history: History,
    *,
    users: Users | None = None,
    local: bool = True,
    log_json: bool = False,
    rate: Rate = RATE,
) -> FastAPI:
    """The application, into which the window is to be mounted.

    `users` are asked for a password, None lets everyone in as the same user; `local` refuses requests sent
    to another name than this computer's; `log_json` writes a line of JSON a request; `rate` is what a
    client of the API may take.
    """
    workers = Workers(assistant)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        workers.close()

    app: FastAPI = FastAPIOffline(
        redoc_url=None,
        title="Sourcier",
        description=_ABOUT,
        version=version("sourcier"),
        swagger_ui_parameters={"validatorUrl": None},
        lifespan=lifespan,
    )
    add_error_handlers(app)
    app.add_exception_handler(Gone, _left)
    app.include_router(answer_router(workers, history))
    app.include_router(articles_router(lambda: assistant.library))
    app.include_router(openai_router(workers, history))

    @app.get("/api/health", tags=["Serveur"], summary="L’état du serveur", responses={503: {"model": Health}})
    def health(response: Response) -> Health:
        """200 quand les modèles sont chargés, 503 avant."""
        response.status_code = 200 if assistant.ready else 503
        return Health(status="ready" if assistant.ready else "loading", version=app.version)

    # The last one added is the first one met.
    app.add_middleware(BodyLimit, limits=BODY_BYTES)
    app.add_middleware(RateLimit, rate=rate)
    if users is not None:
        authenticator = Authenticator(users)
        app.include_router(login_router(authenticator))
        app.add_middleware(RequireUser, authenticator=authenticator)
    app.add_middleware(OriginCheck, local=local)
    app.add_middleware(RequestLog)
    app.router.routes.append(Nowhere(app))
    if log_json:
        log_as_json()
    return app


async def _left(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse(None, LEFT)


class Nowhere(BaseRoute):
    """Takes what no route of the API answers, which the window, mounted behind, would answer in its way."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Everything at the API's addresses."""
        inside = scope["type"] == "http" and in_api(scope)
        return (Match.FULL if inside else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """405 where the address is right and the method is not, else 404."""
        methods = [method for method in _METHODS if self._leads_somewhere({**scope, "method": method})]
        raise HTTPException(
            405 if methods else 404, headers={"Allow": ", ".join(methods)} if methods else None
        )

    def _leads_somewhere(self, scope: Scope) -> bool:
        routes = takewhile(lambda route: route is not self, self.app.routes)
        return any(route.matches(scope)[0] is Match.FULL for route in routes)
