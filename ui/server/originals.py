"""The original files of articles, handed out as downloads: never shown as pages of this server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse

from qa.errors import LibraryError
from ui.api.errors import UNKNOWN_ARTICLE

if TYPE_CHECKING:
    from qa.library.library import Library


def originals_router(library: Library) -> APIRouter:
    """A router with `GET /originals/{article_id}`: the file the article was read from, if it still exists."""
    router = APIRouter()

    @router.get("/originals/{article_id}", include_in_schema=False)
    def original(article_id: str) -> FileResponse:
        try:
            path = Path(library.article(article_id).path or "/")
        except LibraryError as error:
            raise HTTPException(404, UNKNOWN_ARTICLE) from error
        if not path.is_file():
            raise HTTPException(404, "Le fichier d’origine n’est plus à sa place.")
        return FileResponse(
            path,
            filename=path.name,
            media_type="application/octet-stream",
            headers={"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"},
        )

    return router
