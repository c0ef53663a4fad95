"""The answers over HTTP: a documented API beside the window, from the same server."""

from __future__ import annotations

import json
import logging
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, File, HTTPException, Request, UploadFile
from fastapi import Path as PathParameter
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, StreamingResponse
from starlette.concurrency import iterate_in_threadpool
from starlette.exceptions import HTTPException as StarletteHTTPException

from embeddings.errors import EmbeddingsError
from qa.answer import Answer, Delta, Step
from qa.articles import read_text
from qa.assistant import Assistant
from qa.errors import ArticleError, LibraryError, SourcierError
from qa.history import History
from ui.api_page import api_page
from ui.auth import Users
from ui.guard import Guard, error_body
from ui.login import login_router
from ui.openai_api import openai_router
from ui.schemas import (
    AnswerModel,
    ArticleModel,
    ArticleSummary,
    ErrorModel,
    Health,
    NewArticle,
    QuestionModel,
    Removed,
    UploadResult,
)
from ui.uploads import MAX_FILES, keep_upload

logger = logging.getLogger("sourcier.http")

UNEXPECTED = "Une erreur inattendue est survenue ; son numéro aide à la retrouver dans le journal."
ERRORS: dict[int | str, dict[str, Any]] = {
    code: {"model": ErrorModel} for code in (400, 401, 403, 404, 405, 409, 413, 421, 422, 429, 500)
}
ArticleId = Annotated[str, PathParameter(max_length=200)]


def build_api(
    assistant: Assistant,
    history: History,
    *,
    users: Users | None = None,
    local: bool = True,
    log_json: bool = False,
) -> FastAPI:
    """The server's FastAPI application; the window is mounted into it. `local` refuses other host names."""
    app = FastAPI(title="Sourcier", version="1", docs_url=None, redoc_url=None, responses=ERRORS)
    app.add_middleware(Guard, users=users, local=local, log_json=log_json)
    app.include_router(openai_router(assistant))
    if users is not None:
        app.include_router(login_router(users))
    _add_answers(app, assistant)
    _add_articles(app, assistant)
    _add_errors(app)

    @app.get("/api/health", response_model=Health, responses={503: {"model": Health}})
    def health() -> JSONResponse:
        """Prêt seulement quand les modèles sont chargés (503 avant)."""
        return JSONResponse({"ready": assistant.ready}, 200 if assistant.ready else 503)

    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return HTMLResponse(api_page(app.openapi()))

    return app


def _add_answers(app: FastAPI, assistant: Assistant) -> None:
    @app.post("/api/answer", response_model=AnswerModel)
    def answer(body: QuestionModel) -> JSONResponse:
        """Répond à une question, avec ses citations."""
        found = assistant.answer(body.question, **body.options())
        return JSONResponse(found.to_dict())

    @app.post(
        "/api/answer/stream",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {}}}},
    )
    async def stream(body: QuestionModel, request: Request) -> StreamingResponse:
        """Répond au fil de l’eau : événements `step`, `delta`, puis `answer` (ou `error`)."""

        def events(cancel: threading.Event) -> Iterator[str]:
            for item in assistant.stream(body.question, **body.options(), cancel=cancel):
                if isinstance(item, Step):
                    yield event("step", {"name": item.name, "label": item.label})
                elif isinstance(item, Delta):
                    yield event("delta", {"text": item.text})
                elif isinstance(item, Answer):
                    yield event("answer", item.to_dict())

        def failed(message: str) -> str:
            return event("error", error_body("", message, request.state.request_id))

        return StreamingResponse(cancelled_with_client(events, failed), media_type="text/event-stream")


def event(name: str, data: dict[str, Any]) -> str:
    """One server-sent event."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


async def cancelled_with_client(
    events: Callable[[threading.Event], Iterator[str]], failed: Callable[[str], str]
) -> AsyncIterator[str]:
    """The events as they come; the work stops when the client goes, and a fault becomes a last event."""
    cancel = threading.Event()
    try:
        async for item in iterate_in_threadpool(events(cancel)):
            yield item
    except (SourcierError, EmbeddingsError) as error:
        yield failed(str(error))
    except Exception:
        logger.exception("the stream failed")
        yield failed(UNEXPECTED)
    finally:
        cancel.set()


def _add_articles(app: FastAPI, assistant: Assistant) -> None:
    @app.get("/api/articles", response_model=list[ArticleSummary])
    def articles() -> list[ArticleSummary]:
        """Liste les articles."""
        return [ArticleSummary.model_validate(info) for info in assistant.library.articles()]

    @app.get("/api/articles/{article_id}", response_model=ArticleModel)
    def article(article_id: ArticleId) -> ArticleModel:
        """Un article et son texte."""
        return ArticleModel.model_validate(assistant.library.article(article_id))

    @app.post("/api/articles", response_model=UploadResult, status_code=201)
    def add_files(files: Annotated[list[UploadFile], File(max_length=MAX_FILES)]) -> UploadResult:
        """Ajoute des fichiers ; un fichier du même nom remplace le précédent."""
        kept, refused = [], {}
        for file in files:
            name = file.filename or "article"
            with tempfile.NamedTemporaryFile() as received:
                while block := file.file.read(1 << 20):
                    received.write(block)
                received.flush()
                try:
                    kept.append(keep_upload(assistant.library.path, name, Path(received.name)))
                except ArticleError as error:
                    refused[name] = str(error)
        report = assistant.library.add(kept) if kept else None
        refused |= {Path(s.path).name: s.reason for s in report.skipped} if report else {}
        if report is None or not (report.added or report.updated or report.unchanged):
            raise HTTPException(422, " ".join(refused.values()) or "Aucun fichier reçu.")
        return UploadResult(
            added=report.added, updated=report.updated, unchanged=report.unchanged, refused=refused
        )

    @app.post("/api/articles/text", response_model=UploadResult, status_code=201)
    def add_text(body: NewArticle) -> UploadResult:
        """Ajoute un texte comme article."""
        given = read_text(body.text, title=body.title, source=body.source, date=body.date, author=body.author)
        if not given.text:
            raise HTTPException(422, "Le texte de l’article est vide.")
        report = assistant.library.add_articles([given])
        return UploadResult(
            added=report.added, updated=report.updated, unchanged=report.unchanged, refused={}
        )

    @app.delete("/api/articles/{article_id}", response_model=Removed)
    def remove(article_id: ArticleId) -> Removed:
        """Retire un article."""
        if not assistant.library.remove([article_id]):
            raise HTTPException(404, "Aucun article de cet identifiant.")
        return Removed(removed=1)


def _add_errors(app: FastAPI) -> None:
    def answered(request: Request, status: int, message: str, headers: Any = None) -> JSONResponse:
        number = getattr(request.state, "request_id", "")
        return JSONResponse(error_body(request.url.path, message, number), status, headers=headers)

    @app.exception_handler(SourcierError)
    @app.exception_handler(EmbeddingsError)
    def told(request: Request, error: Exception) -> JSONResponse:
        missing = isinstance(error, LibraryError) and request.method == "GET"
        status = 404 if missing else 409 if isinstance(error, LibraryError) else 422
        return answered(request, status, str(error))

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return answered(request, 422, in_french(error.errors()[0]) if error.errors() else "Requête invalide.")

    @app.exception_handler(StarletteHTTPException)
    def refused(request: Request, error: StarletteHTTPException) -> JSONResponse:
        known = {404: "Cette adresse n’existe pas : voyez /docs.", 405: "Méthode non permise à cette adresse : voyez /docs.",
                 400: "Requête illisible."}  # fmt: skip
        generic = error.detail in ("Not Found", "Method Not Allowed") or error.status_code == 400
        message = known.get(error.status_code, error.detail) if generic else error.detail
        return answered(request, error.status_code, message, getattr(error, "headers", None))

    @app.exception_handler(Exception)
    def unexpected(request: Request, error: Exception) -> JSONResponse:
        logger.error("request %s failed", getattr(request.state, "request_id", ""), exc_info=error)
        return answered(request, 500, UNEXPECTED)


def in_french(error: dict[str, Any]) -> str:
    """The first fault of a request's validation, with its field, in one French line."""
    place = ".".join(str(part) for part in error["loc"][1:]) or "corps"
    kind, context = error["type"], error.get("ctx", {})
    said = {
        "missing": "est obligatoire",
        "json_invalid": "n’est pas du JSON valide",
        "string_type": "doit être un texte",
        "int_type": "doit être un nombre entier",
        "int_parsing": "doit être un nombre entier",
        "bool_type": "doit être true ou false",
        "list_type": "doit être une liste",
        "string_too_short": "ne doit pas être vide",
        "string_too_long": f"ne doit pas dépasser {context.get('max_length')} caractères",
        "too_long": f"ne doit pas avoir plus de {context.get('max_length')} éléments",
        "greater_than_equal": f"doit être au moins {context.get('ge')}",
        "less_than_equal": f"doit être au plus {context.get('le')}",
        "extra_forbidden": "n’existe pas",
    }.get(kind, "n’est pas valide")
    return f"Le champ « {place} » {said}."
