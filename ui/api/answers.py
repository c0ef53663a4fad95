"""Questions over HTTP: `POST /api/answer`, and its stream as server-sent events."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from qa.answer import Answer, Delta, Step
from qa.confidence import Thresholds
from qa.errors import LibraryError
from qa.history import History, Settings
from ui.api.errors import UNKNOWN_ARTICLE, ApiError, as_api_error, error_body
from ui.api.schemas import Bounds, ErrorBody, Question
from ui.server.auth import user_of
from ui.server.workers import Item, Workers, answer_of, unless_gone

logger = logging.getLogger(__name__)

ERRORS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": ErrorBody, "description": "Ce qui ne va pas, en une ligne."},
    "5XX": {"model": ErrorBody, "description": "Le serveur est en faute, ou surchargé."},
}

EVENT: dict[str, Any] = {
    "type": "object",
    "properties": {"event": {"type": "string"}, "data": {"type": "string"}},
    "required": ["data"],
}
"""An event of a stream, as OpenAPI describes it; its data is JSON."""

_EVENTS: dict[str, Any] = {
    "description": "Événements\u00a0: «\u00a0step\u00a0» ({name, label}), «\u00a0delta\u00a0» ({text}), puis "
    "«\u00a0answer\u00a0» (la réponse entière), ou «\u00a0error\u00a0».",
    "content": {"text/event-stream": {"schema": EVENT}},
}


class EventStream(StreamingResponse):
    """Server-sent events from a generator that is closed as soon as the client leaves."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncGenerator[str, None]) -> None:
        super().__init__(events, headers={"X-Accel-Buffering": "no"})
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the events, and closes the generator in any case."""
        async with aclosing(self._events):
            await super().__call__(scope, receive, send)


async def begun(items: AsyncGenerator[Item, None], request: Request) -> AsyncGenerator[Item, None]:
    """The same items, once the first one is there: what is wrong with the question is known by then."""
    first = await unless_gone(request, anext(items))

    async def all_of_them() -> AsyncGenerator[Item, None]:
        async with aclosing(items):
            yield first
            async for item in items:
                yield item

    return all_of_them()


def fault_of(path: str, error: Exception) -> dict[str, Any]:
    """What to say of an error in the middle of a stream; the unexpected is logged."""
    refusal = as_api_error(error)
    if refusal is not None:
        return error_body(path, refusal.status_code, refusal.detail)
    logger.error("the stream failed", exc_info=error)
    return error_body(path, 500)


def answer_router(workers: Workers, history: History) -> APIRouter:
    """The routes; what a question leaves out is as in the user's settings."""
    router = APIRouter(prefix="/api", tags=["Questions"], responses=ERRORS)

    async def asked(question: Question, request: Request) -> AsyncGenerator[Item, None]:
        settings = await run_in_threadpool(history.settings, user_of(request))
        await run_in_threadpool(_check_articles, workers, question.article_ids)
        return workers.stream(
            question.question,
            history=[(past.question, past.answer) for past in question.history],
            top_k=question.top_k or settings.top_k,
            article_ids=question.article_ids,
            thresholds=thresholds_of(settings, question.thresholds),
        )

    @router.post("/answer", response_model=Answer, summary="Répondre à une question")
    async def answer(question: Question, request: Request) -> Answer:
        """La réponse, ses citations, les passages trouvés et la durée de chaque étape."""
        async with aclosing(await asked(question, request)) as items:
            return await unless_gone(request, answer_of(items))

    @router.post(
        "/answer/stream",
        response_class=Response,
        responses={200: _EVENTS},
        summary="Répondre à une question, au fur et à mesure",
    )
    async def stream(question: Question, request: Request) -> EventStream:
        """Les étapes, le texte par morceaux, puis la réponse entière, en événements (SSE)."""
        items = await begun(await asked(question, request), request)
        return EventStream(_events(items, request.url.path))

    return router


def thresholds_of(settings: Settings, given: Bounds | None = None) -> Thresholds | None:
    """The thresholds asked for, else the user's own, else None for those of the shipped model."""
    if given is not None:
        return Thresholds(given.short, given.abstain)
    if settings.short_threshold is None or settings.abstain_threshold is None:
        return None
    return Thresholds(settings.short_threshold, settings.abstain_threshold)


def _check_articles(workers: Workers, article_ids: list[str] | None) -> None:
    for article_id in article_ids or ():
        try:
            workers.assistant.library.article(article_id)
        except LibraryError as error:
            raise ApiError(404, UNKNOWN_ARTICLE, field="article_ids") from error


async def _events(items: AsyncIterator[Item], path: str) -> AsyncGenerator[str, None]:
    try:
        async for item in items:
            yield _event(_name(item), asdict(item))
    except Exception as error:
        yield _event("error", fault_of(path, error))


def _name(item: Item) -> str:
    return "step" if isinstance(item, Step) else "delta" if isinstance(item, Delta) else "answer"


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
