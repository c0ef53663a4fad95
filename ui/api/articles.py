"""The articles over HTTP: list, read, add as files or as text, remove."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from qa.errors import ArticleError, LibraryError
from qa.ingest.articles import read_text
from qa.library.library import IndexReport
from ui.api.answers import ERRORS
from ui.api.errors import UNKNOWN_ARTICLE, ApiError
from ui.api.schemas import Added, ArticleBody, ArticleList, ArticleSummary, ArticleText, Refusal, Removed
from ui.window.uploads import (
    MAX_FILE_BYTES,
    MAX_FILES,
    clean_name,
    keep_upload,
    limits_in_words,
    remove_article,
)

if TYPE_CHECKING:
    from qa.library.library import Library

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {
                        "files": {
                            "type": "array",
                            "minItems": 1,
                            "maxItems": MAX_FILES,
                            "items": {"type": "string", "format": "binary"},
                        }
                    },
                }
            },
            "application/json": {"schema": ArticleText.model_json_schema()},
        },
    }
}


def articles_router(library_of: Callable[[], Library]) -> APIRouter:
    """The routes; the library is asked for at each request, as it may open only then."""
    router = APIRouter(prefix="/api/articles", tags=["Articles"], responses=ERRORS)

    @router.get("", summary="Les articles, dans l’ordre des titres")
    def articles(
        offset: Annotated[int, Query(ge=0, le=2**31)] = 0, limit: Annotated[int, Query(ge=1, le=1000)] = 100
    ) -> ArticleList:
        """Une page de la liste, et le nombre total d’articles."""
        infos = library_of().articles()
        page = [ArticleSummary.model_validate(info) for info in infos[offset : offset + limit]]
        return ArticleList(total=len(infos), articles=page)

    @router.get("/{article_id}", summary="Un article et son texte")
    def article(article_id: str) -> ArticleBody:
        """Les positions données par les citations sont celles de ce texte."""
        try:
            return ArticleBody.model_validate(library_of().article(article_id))
        except LibraryError as error:
            raise ApiError(404, UNKNOWN_ARTICLE, field="article_id") from error

    @router.post("", summary="Ajouter des articles", openapi_extra=_BODY)
    async def add(request: Request) -> Added:
        """Des fichiers (multipart, champ « files »), ou un texte en JSON. Un article déjà là est mis à jour."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "application/json":
            return await run_in_threadpool(_add_text, library_of(), await _text(request))
        if kind != "multipart/form-data":
            raise ApiError(
                415,
                "Il faut des fichiers (multipart/form-data) ou un texte (application/json)\u00a0: rien d’autre n’est lu.",
            )
        try:
            form = await request.form(max_files=MAX_FILES, max_fields=10)
        except HTTPException as error:
            if str(error.detail).startswith("Too many files"):
                raise ApiError(422, f"Trop de fichiers\u00a0: {limits_in_words()}", field="files") from error
            raise
        try:
            files = [file for file in form.getlist("files") if isinstance(file, UploadFile)]
            if not files:
                raise ApiError(422, f"Il faut au moins un fichier\u00a0: {limits_in_words()}", field="files")
            return await run_in_threadpool(_add_files, library_of(), files)
        finally:
            await form.close()

    @router.delete("/{article_id}", summary="Retirer un article")
    def remove(article_id: str) -> Removed:
        """Retire l’article de la bibliothèque ; un fichier qui n’y a pas été envoyé reste à sa place."""
        if not remove_article(library_of(), article_id):
            raise ApiError(404, UNKNOWN_ARTICLE, field="article_id")
        return Removed(removed=1)

    return router


async def _text(request: Request) -> ArticleText:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_FILE_BYTES:
            limit = MAX_FILE_BYTES // 1_000_000
            raise ApiError(413, f"Le texte est trop gros\u00a0: {limit}\u00a0Mo au plus.")
    try:
        return ArticleText.model_validate_json(bytes(body))
    except ValidationError as error:
        faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors(include_url=False)]
        raise RequestValidationError(faults) from error


def _add_text(library: Library, sent: ArticleText) -> Added:
    article = read_text(sent.text, title=sent.title, source=sent.source, date=sent.date, author=sent.author)
    if not article.text:
        raise ApiError(422, "Le texte de l’article est vide.", field="text")
    return _outcome(library.add_articles([article]), [])


def _add_files(library: Library, files: Sequence[UploadFile]) -> Added:
    kept: list[Path] = []
    refused = []
    for file in files:
        try:
            kept.append(_kept(library, file, kept))
        except ArticleError as error:
            refused.append(Refusal(file=clean_name(file.filename or ""), reason=str(error)))
    outcome = _outcome(library.add(kept), refused)
    if not (outcome.added or outcome.updated or outcome.unchanged):
        raise ApiError(
            422, "\u00a0; ".join(f"{r.file}\u00a0: {r.reason}" for r in outcome.refused), field="files"
        )
    return outcome


def _kept(library: Library, file: UploadFile, beside: Sequence[Path]) -> Path:
    with tempfile.NamedTemporaryFile() as received:
        shutil.copyfileobj(file.file, received)
        received.flush()
        return keep_upload(library.path, file.filename or "", Path(received.name), beside=beside)


def _outcome(report: IndexReport, refused: Sequence[Refusal]) -> Added:
    skipped = [Refusal(file=Path(skipped.path).name, reason=skipped.reason) for skipped in report.skipped]
    return Added(
        added=list(report.added),
        updated=list(report.updated),
        unchanged=list(report.unchanged),
        refused=[*refused, *skipped],
        passages=report.passages,
    )
