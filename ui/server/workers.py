"""A few threads that answer, so that many users at once wait their turn instead of slowing each other."""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from starlette.requests import Request

from qa.answer import Answer, Step
from qa.confidence import Thresholds
from ui.api.errors import ApiError

if TYPE_CHECKING:
    from qa.assistant import Assistant

THREADS = max(2, min(4, os.cpu_count() or 2))
MAX_WAITING = 200

Item = Step | Answer
T = TypeVar("T")


class Gone(Exception):
    """The client has left before its answer."""


class Workers:
    """Answers questions for an event loop; beyond `MAX_WAITING` of them, it refuses."""

    def __init__(self, assistant: Assistant) -> None:
        self.assistant = assistant
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="answer")
        self._waiting = 0

    async def stream(
        self,
        question: str,
        *,
        history: Sequence[tuple[str, str]],
        top_k: int,
        article_ids: Collection[str] | None = None,
        thresholds: Thresholds | None = None,
    ) -> AsyncGenerator[Item, None]:
        """The assistant's stream; closing it stops the work. Raises what the assistant raises."""
        if self._waiting >= MAX_WAITING:
            busy = "Le serveur a trop de questions en attente\u00a0: réessayez dans quelques secondes."
            raise ApiError(503, busy, headers={"Retry-After": "5"})
        loop = asyncio.get_running_loop()
        items: asyncio.Queue[Item | Exception | None] = asyncio.Queue()
        cancel = threading.Event()

        def give(item: Item | Exception | None) -> None:
            if not cancel.is_set():
                loop.call_soon_threadsafe(items.put_nowait, item)

        def work() -> None:
            try:
                for item in self.assistant.stream(
                    question,
                    history=history,
                    top_k=top_k,
                    article_ids=article_ids,
                    thresholds=thresholds,
                    cancel=cancel,
                ):
                    give(item)
                give(None)
            except Exception as error:
                give(error)

        self._waiting += 1
        task = self._threads.submit(contextvars.copy_context().run, work)
        try:
            while (item := await items.get()) is not None:
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            cancel.set()
            task.cancel()
            self._waiting -= 1

    def close(self) -> None:
        """Drops the questions that wait; those under way end on their own."""
        self._threads.shutdown(wait=False, cancel_futures=True)


async def unless_gone(request: Request, work: Awaitable[T]) -> T:
    """What `work` gives; raises Gone, and cancels it, where the client leaves first."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.create_task(_disconnected(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise Gone
        return working.result()
    finally:
        leaving.cancel()
        working.cancel()
        await asyncio.wait({working})


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def answer_of(items: AsyncIterator[Item]) -> Answer:
    """The answer at the end of a stream."""
    async for item in items:
        if isinstance(item, Answer):
            return item
    raise RuntimeError("the assistant gave no answer")
