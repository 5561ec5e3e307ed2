"""The server's side of what a call asks while it runs: one question after the other, each a JSON object behind its length."""

import asyncio
import contextlib
import json
import logging
import socket
from types import TracebackType
from typing import Any, Self

from agents_core.errors import AgentsError
from agents_core.sandbox.base import Answer

logger = logging.getLogger(__name__)

_MOST_QUESTIONS = 100
_MOST_BYTES = 64 * 1024
"""Of a question."""
_LENGTH_BYTES = 4


class Answers:
    """Has ``answer`` answer the questions of one call while the context is entered."""

    def __init__(self, answer: Answer | None) -> None:
        self._answer = answer
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def serve(self, asking: socket.socket) -> None:
        """Takes the socket over."""
        self._task = asyncio.create_task(self._serve(asking), name="answers")

    async def _serve(self, asking: socket.socket) -> None:
        asking.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=asking)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError), contextlib.closing(writer):
            for number in range(_MOST_QUESTIONS + 1):
                length = int.from_bytes(await reader.readexactly(_LENGTH_BYTES))
                if length > _MOST_BYTES:
                    return
                question = await reader.readexactly(length)
                told = await self._told(question) if number < _MOST_QUESTIONS else _TOO_MANY
                answer = json.dumps(told).encode()
                writer.write(len(answer).to_bytes(_LENGTH_BYTES) + answer)
                await writer.drain()

    async def _told(self, question: bytes) -> dict[str, Any]:
        """The tool's code may have written the question: trust the shape of nothing."""
        assert self._answer is not None
        try:
            asked = json.loads(question)
            name, arguments = str(asked["name"]), dict(asked["arguments"])
        except (ValueError, TypeError, KeyError, RecursionError):
            return {"error": "This is no question of a tool."}
        try:
            return {"value": await self._answer(name, arguments)}
        except AgentsError as error:
            return {"error": error.message}
        except Exception:  # the border of a tool call
            logger.exception("A tool's question %s failed", name[:40])
            return {"error": "The server could not answer this: see its log."}


_TOO_MANY = {"error": f"A call may ask {_MOST_QUESTIONS} times."}
