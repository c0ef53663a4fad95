"""`/v1/chat/completions` and `/v1/models` in OpenAI's shape, so that existing chat clients work."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from qa.answer import Answer, Delta
from qa.assistant import Assistant
from qa.errors import QuestionError

MODEL = "sourcier"


class ContentPart(BaseModel):
    """A part of a message; only text is read."""

    type: str
    text: str = ""


class ChatMessage(BaseModel):
    """A message of the conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[ContentPart] | None = Field(default=None)

    def text(self) -> str:
        """Its text."""
        if isinstance(self.content, list):
            return " ".join(part.text for part in self.content if part.type == "text")
        return self.content or ""


class ChatRequest(BaseModel):
    """What a chat client sends; what Sourcier has no use for (temperature…) is ignored."""

    model_config = ConfigDict(extra="ignore")

    model: str = MODEL
    messages: list[ChatMessage] = Field(min_length=1, max_length=200)
    stream: bool = False

    def conversation(self) -> tuple[str, list[tuple[str, str]]]:
        """The question, and the exchanges before it; raises QuestionError where the last word is not the user's."""
        talk = [m for m in self.messages if m.role in ("user", "assistant")]
        if not talk or talk[-1].role != "user":
            raise QuestionError("Le dernier message doit être une question de l’utilisateur.")
        pairs = [
            (a.text(), b.text())
            for a, b in zip(talk, talk[1:], strict=False)
            if (a.role, b.role) == ("user", "assistant")
        ]
        return talk[-1].text(), pairs


def openai_router(assistant: Assistant) -> APIRouter:
    """The two addresses."""
    router = APIRouter(prefix="/v1")

    @router.get("/models")
    def models() -> dict[str, Any]:
        """Le seul modèle : Sourcier."""
        return {"object": "list", "data": [{"id": MODEL, "object": "model", "created": 0, "owned_by": MODEL}]}

    @router.post("/chat/completions", response_model=None)
    def complete(body: ChatRequest) -> Response:
        """Répond au dernier message ; les citations sont dans le texte et dans le champ `sourcier`."""
        from ui.http import cancelled_with_client

        question, history = body.conversation()
        head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": MODEL}
        if not body.stream:
            answer = assistant.answer(question, history=history)
            message = {"role": "assistant", "content": with_sources(answer)}
            choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
            usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
            whole = {
                **head,
                "object": "chat.completion",
                "choices": [choice],
                "usage": usage,
                "sourcier": answer.to_dict(),
            }
            return JSONResponse(whole)

        def chunk(delta: dict[str, str], finish: str | None = None, **extra: Any) -> str:
            choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
            data = {**head, "object": "chat.completion.chunk", "choices": [choice], **extra}
            return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"

        def events(cancel: threading.Event) -> Iterator[str]:
            yield chunk({"role": "assistant", "content": ""})
            for item in assistant.stream(question, history=history, cancel=cancel):
                if isinstance(item, Delta):
                    yield chunk({"content": item.text})
                elif isinstance(item, Answer):
                    yield chunk({"content": sources(item)})
                    yield chunk({}, "stop", sourcier=item.to_dict())
            yield "data: [DONE]\n\n"

        def failed(message: str) -> str:
            error = {"message": message, "type": "server_error", "param": None, "code": None}
            return f"data: {json.dumps({'error': error}, ensure_ascii=False)}\n\n"

        return StreamingResponse(cancelled_with_client(events, failed), media_type="text/event-stream")

    return router


def with_sources(answer: Answer) -> str:
    """The answer's text, then what each marker stands for."""
    return answer.text + sources(answer)


def sources(answer: Answer) -> str:
    """A line a citation: marker, title, date, source."""
    lines = [
        f"[{c.marker}] " + ", ".join(part for part in (c.title, c.date, c.source) if part)
        for c in answer.citations
    ]
    return "\n\n" + "\n".join(lines) if lines else ""
