"""The same answers in OpenAI's shape, for the chat clients that exist: `/v1/chat/completions`, `/v1/models`."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool

from qa.answer import Answer
from qa.export import published
from qa.history import History
from qa.wording import said_in, text_with_sources
from ui.api import answers as answer_api
from ui.api.answers import EventStream, begun, fault_of, thresholds_of
from ui.api.errors import ApiError
from ui.api.schemas import (
    AssistantMessage,
    ChatMessage,
    ChatRequest,
    Choice,
    Chunk,
    ChunkChoice,
    Completion,
    Model,
    ModelList,
    OpenAIError,
    Usage,
)
from ui.server.auth import user_of
from ui.server.workers import Item, Workers, answer_of, unless_gone

MODEL = "sourcier"
PATH = "/v1/chat/completions"
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {**about, "model": OpenAIError} for status, about in answer_api.ERRORS.items()
}

_CHUNKS: dict[str, Any] = {
    "model": Completion,
    "description": "La réponse entière, ou, avec «\u00a0stream\u00a0», en un morceau (chat.completion.chunk), puis sa fin.",
    "content": {"text/event-stream": {"schema": answer_api.EVENT}},
}


@dataclass(frozen=True, slots=True)
class Reply:
    """What all chunks of a reply share."""

    messages: Sequence[ChatMessage]
    id: str = field(default_factory=lambda: f"chatcmpl-{uuid.uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))

    def whole(self, answer: Answer) -> Completion:
        """The reply in one piece."""
        text = text_with_sources(answer)
        return Completion(
            id=self.id,
            created=self.created,
            model=MODEL,
            choices=[Choice(message=AssistantMessage(content=text))],
            usage=self.usage(text),
            **_own_fields(answer),
        )

    def only_chunk(self, answer: Answer) -> str:
        """The one piece that holds the text: an answer is known whole, or not at all."""
        return self._event(
            choices=[ChunkChoice(delta={"role": "assistant", "content": text_with_sources(answer)})]
        )

    def end(self, answer: Answer) -> str:
        """The last piece, with the citations."""
        return self._event(choices=[ChunkChoice(delta={}, finish_reason="stop")], **_own_fields(answer))

    def counts(self, text: str) -> str:
        """The piece that holds nothing but the counts."""
        return self._event(choices=[], usage=self.usage(text))

    def usage(self, text: str) -> Usage:
        """Words of the conversation and of the answer."""
        read, written = sum(len(m.text.split()) for m in self.messages), len(text.split())
        return Usage(prompt_tokens=read, completion_tokens=written, total_tokens=read + written)

    def _event(self, **fields: Any) -> str:
        chunk = Chunk(id=self.id, created=self.created, model=MODEL, **fields)
        present = {name: value for name, value in chunk.model_dump().items() if value is not None}
        return f"data: {json.dumps(present, ensure_ascii=False)}\n\n"


def openai_router(workers: Workers, history: History) -> APIRouter:
    """The routes; any model's name is taken, as there is only one."""
    router = APIRouter(prefix="/v1", tags=["Clients d’OpenAI"], responses=ERRORS)
    started = int(time.time())

    @router.post(
        "/chat/completions",
        response_model=Completion,
        responses={200: _CHUNKS},
        summary="Répondre au dernier message d’une conversation",
    )
    async def complete(asked: ChatRequest, request: Request) -> Completion | EventStream:
        """Les citations sont dans le texte, avec la liste des sources, et dans le champ « citations »."""
        preferences = await run_in_threadpool(history.preferences, user_of(request))
        reply = Reply(asked.messages)
        items = workers.stream(
            asked.messages[-1].text,
            history=exchanges(asked.messages[:-1]),
            top_k=preferences.top_k,
            thresholds=thresholds_of(preferences),
        )
        if asked.stream:
            counted = asked.stream_options is not None and asked.stream_options.include_usage
            return EventStream(_chunks(reply, await begun(items, request), counted=counted))
        async with aclosing(items):
            return reply.whole(await unless_gone(request, answer_of(items)))

    @router.get("/models", summary="Les modèles")
    def models() -> ModelList:
        """Il n’y en a qu’un."""
        return ModelList(data=[Model(id=MODEL, created=started)])

    @router.get("/models/{model}", summary="Un modèle")
    def model(model: str) -> Model:
        """Le modèle « sourcier »."""
        if model != MODEL:
            raise ApiError(404, f"Il n’y a pas d’autre modèle que «\u00a0{MODEL}\u00a0».", field="model")
        return Model(id=MODEL, created=started)

    return router


def exchanges(messages: Sequence[ChatMessage]) -> list[tuple[str, str]]:
    """The questions already answered, with what was said; other roles are left aside."""
    pairs: list[tuple[str, str]] = []
    question: str | None = None
    for message in messages:
        if message.role == "user":
            question = message.text
        elif message.role == "assistant" and question is not None:
            pairs.append((question, said_in(message.text)))
            question = None
    return pairs


def _own_fields(answer: Answer) -> dict[str, Any]:
    """What Sourcier adds to OpenAI's shape."""
    return {
        "citations": list(published(answer).citations),
        "kind": answer.kind,
        "answerable": answer.answerable,
        "confidence": answer.confidence,
        "suggestions": list(answer.suggestions),
    }


async def _chunks(
    reply: Reply, items: AsyncGenerator[Item, None], *, counted: bool
) -> AsyncGenerator[str, None]:
    try:
        async with aclosing(items):
            answer = await answer_of(items)
        yield reply.only_chunk(answer)
        yield reply.end(answer)
        if counted:
            yield reply.counts(text_with_sources(answer))
        yield "data: [DONE]\n\n"
    except Exception as error:
        yield f"data: {json.dumps(fault_of(PATH, error), ensure_ascii=False)}\n\n"
