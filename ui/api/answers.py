"""Questions over HTTP: `POST /api/answer`, and its stream as server-sent events."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

from qa.answer import Answer, Step
from qa.confidence import Thresholds
from qa.errors import LibraryError
from qa.export import published, published_passages
from qa.history import History, Preferences
from qa.wording import said_in
from ui.api.errors import UNKNOWN_ARTICLE, ApiError, as_api_error, error_body
from ui.api.schemas import AnswerBody, Bounds, ErrorBody, Question, StepBody
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
    "description": "Événements\u00a0: «\u00a0step\u00a0» ({name, label, passages}) à chaque étape, puis «\u00a0answer\u00a0» "
    "(la réponse entière), ou «\u00a0error\u00a0».",
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
    """The routes; what a question leaves out is as in the user's preferences."""
    router = APIRouter(prefix="/api", tags=["Questions"], responses=ERRORS)

    async def asked(question: Question, request: Request) -> AsyncGenerator[Item, None]:
        preferences = await run_in_threadpool(history.preferences, user_of(request))
        await run_in_threadpool(_check_articles, workers, question.article_ids)
        return workers.stream(
            question.question,
            history=[(past.question, said_in(past.answer)) for past in question.history],
            top_k=question.top_k or preferences.top_k,
            article_ids=question.article_ids,
            thresholds=thresholds_of(preferences, question.thresholds),
        )

    @router.post("/answer", summary="Répondre à une question")
    async def answer(question: Question, request: Request) -> AnswerBody:
        """La réponse, ses citations, les passages trouvés et la durée de chaque étape."""
        async with aclosing(await asked(question, request)) as items:
            return body_of(await unless_gone(request, answer_of(items)))

    @router.post(
        "/answer/stream",
        response_class=Response,
        responses={200: _EVENTS},
        summary="Répondre à une question, au fur et à mesure",
    )
    async def stream(question: Question, request: Request) -> EventStream:
        """Chaque étape avec les passages trouvés avant elle, puis la réponse entière, en événements (SSE)."""
        items = await begun(await asked(question, request), request)
        return EventStream(_events(items, request.url.path))

    return router


def body_of(answer: Answer) -> AnswerBody:
    """The answer as it leaves the server."""
    return AnswerBody.model_validate(published(answer).to_dict())


def step_of(step: Step) -> StepBody:
    """A step as it leaves the server."""
    return StepBody(name=step.name, label=step.label, passages=list(published_passages(step.passages)))


def thresholds_of(preferences: Preferences, given: Bounds | None = None) -> Thresholds | None:
    """The thresholds asked for, else the user's own, else None for those of the shipped model."""
    if given is not None:
        return Thresholds(given.short, given.abstain)
    if preferences.short_threshold is None or preferences.abstain_threshold is None:
        return None
    return Thresholds(preferences.short_threshold, preferences.abstain_threshold)


def _check_articles(workers: Workers, article_ids: list[str] | None) -> None:
    for article_id in article_ids or ():
        try:
            workers.assistant.library.article(article_id)
        except LibraryError as error:
            raise ApiError(404, UNKNOWN_ARTICLE, field="article_ids") from error


async def _events(items: AsyncGenerator[Item, None], path: str) -> AsyncGenerator[str, None]:
    try:
        async with aclosing(items):
            async for item in items:
                if isinstance(item, Step):
                    yield _event("step", step_of(item))
                else:
                    yield _event("answer", body_of(item))
    except Exception as error:
        yield _event("error", fault_of(path, error))


def _event(name: str, data: BaseModel | dict[str, Any]) -> str:
    fields = data.model_dump(mode="json") if isinstance(data, BaseModel) else data
    return f"event: {name}\ndata: {json.dumps(fields, ensure_ascii=False)}\n\n"
