"""Errors over HTTP: a JSON body with one French line that says what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http.client import responses
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.types import Scope

from embeddings.errors import EmbeddingsError
from qa.errors import ArticleError, QuestionError, SourcierError
from ui.api.schemas import ErrorBody, OpenAIError, OpenAIErrorDetail
from ui.server.logs import request_number

UNKNOWN_ARTICLE = "Cet article n’est pas, ou plus, dans la bibliothèque."

_KINDS = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}

_LINES = {
    400: "La requête est mal formée\u00a0: vérifiez son corps et ses en-têtes.",
    401: "Identifiez-vous\u00a0: le nom ou le mot de passe manque, ou n’est pas le bon.",
    404: "Il n’y a rien à cette adresse\u00a0: voyez la documentation, à l’adresse /docs.",
    405: "Cette adresse ne connaît pas cette méthode\u00a0: voyez la documentation, à l’adresse /docs.",
    413: "Le corps de la requête est trop gros\u00a0: envoyez-le en plusieurs fois.",
    500: "Une erreur inattendue est survenue\u00a0; le détail est dans le journal du serveur.",
}

_FAULTS = {
    "missing": "obligatoire",
    "json_invalid": "ce n’est pas du JSON valide",
    "extra_forbidden": "inconnu",
    "string_type": "il faut un texte",
    "string_unicode": "ce texte n’est pas de l’Unicode valide",
    "string_too_short": "il faut au moins {min_length} caractère(s)",
    "string_too_long": "{max_length} caractères au plus",
    "too_short": "il faut au moins {min_length} élément(s)",
    "too_long": "{max_length} éléments au plus",
    "int_type": "il faut un nombre entier",
    "int_parsing": "il faut un nombre entier",
    "int_from_float": "il faut un nombre entier",
    "int_parsing_size": "ce nombre est trop grand",
    "float_type": "il faut un nombre",
    "float_parsing": "il faut un nombre",
    "finite_number": "il faut un nombre fini",
    "bool_type": "il faut true ou false",
    "bool_parsing": "il faut true ou false",
    "greater_than_equal": "{ge} au moins",
    "less_than_equal": "{le} au plus",
    "list_type": "il faut une liste",
    "dict_type": "il faut un objet JSON, avec l’en-tête «\u00a0Content-Type: application/json\u00a0»",
    "model_type": "il faut un objet JSON, avec l’en-tête «\u00a0Content-Type: application/json\u00a0»",
    "model_attributes_type": "il faut un objet JSON, avec l’en-tête «\u00a0Content-Type: application/json\u00a0»",
    "literal_error": "il faut {expected}",
    "value_error": "{error}",
}


_FOLDERS = re.compile(r"(?<![\w/:.])(?:[A-Za-z]:)?(?:[/\\][^\s/\\:«»'’\"]+)*[/\\](?=[^\s/\\:«»'’\"])")


class ApiError(HTTPException):
    """A refusal whose French line is ready to be shown; `field` names the field at fault."""

    def __init__(
        self, status: int, message: str, *, field: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, message, dict(headers or {}))
        self.field = field


def error_body(
    path: str, status: int, message: str | None = None, field: str | None = None
) -> dict[str, Any]:
    """The body of an error, in OpenAI's shape below /v1; without a message, the line for that status."""
    line = (
        (message or _LINES.get(status) or f"La requête est refusée ({status}).")
        .encode("utf-8", "replace")
        .decode()
    )
    if not f"{path}/".startswith("/v1/"):
        return ErrorBody(error=line, field=field, request_id=request_number.get()).model_dump()
    kind = _KINDS.get(status, "server_error" if status >= 500 else "invalid_request_error")
    detail = OpenAIErrorDetail(message=line, type=kind, param=field)
    return OpenAIError(error=detail).model_dump()


def error_response(
    scope: Scope,
    status: int,
    message: str | None = None,
    *,
    field: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """A whole response that says what went wrong."""
    return JSONResponse(error_body(scope["path"], status, message, field), status, headers)


def as_api_error(error: Exception) -> ApiError | None:
    """What a user can mend, as a refusal; None for any other error."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, QuestionError | ArticleError):
        return ApiError(422, without_folders(str(error)))
    if isinstance(error, SourcierError | EmbeddingsError):
        return ApiError(409, without_folders(str(error)))
    return None


def without_folders(line: str) -> str:
    """A line in which each path of this computer is the name of its file."""
    return _FOLDERS.sub("", line)


def add_error_handlers(app: FastAPI) -> None:
    """Gives every error that leaves a route of the app its French body."""
    app.add_exception_handler(StarletteHTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(SourcierError, _mendable)
    app.add_exception_handler(EmbeddingsError, _mendable)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, StarletteHTTPException)
    field = error.field if isinstance(error, ApiError) else None
    status, detail = error.status_code, str(error.detail)
    generic = status == 400 or detail == responses.get(status)
    message = None if generic and not isinstance(error, ApiError) else detail
    return error_response(request.scope, status, message, field=field, headers=error.headers)


async def _mendable(request: Request, error: Exception) -> JSONResponse:
    refusal = as_api_error(error)
    assert refusal is not None
    return error_response(request.scope, refusal.status_code, refusal.detail)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    faults = error.errors()
    line = "\u00a0; ".join(map(_in_french, faults[:5])) + "."
    return error_response(request.scope, 422, line, field=_field(faults[0]["loc"]))


def _in_french(fault: Mapping[str, Any]) -> str:
    field = _field(fault["loc"])
    context = {name: _french(value) for name, value in fault.get("ctx", {}).items()}
    words = _FAULTS.get(fault["type"], "cette valeur ne convient pas").format_map(context)
    return f"Champ «\u00a0{field}\u00a0»\u00a0: {words}" if field else f"Corps de la requête\u00a0: {words}"


def _french(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).replace(" or ", " ou ")


def _field(place: Sequence[str | int]) -> str | None:
    """Where in the request, as « history.0.question »; None for the body as a whole."""
    named = [part for part in place[1:] if len(place) > 2 or isinstance(part, str)]
    path = ".".join(map(str, named))
    return path.encode("utf-8", "replace").decode()[:200] or None
