"""What the three providers have in common: a connection, a wire format and a list of models."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING

from agents_core.errors import AgentsError
from agents_core.llm.errors import ModelError
from agents_core.llm.providers import _refusals
from agents_core.llm.providers._http import Connection
from agents_core.llm.providers._sse import EventReader, ServerEvent
from agents_core.llm.providers._wire import Answer, Delta, Encoded, Reader, StreamError, Wire
from agents_core.llm.retry import retrying_stream
from agents_core.llm.types import Check, Finished, ModelInfo, ModelRequest, Sent, StreamItem

if TYPE_CHECKING:
    import aiohttp

CHECK_TIMEOUT_S = 15.0

# JSON of another shape than the format's fails in as many ways as there are shapes.
_MISSHAPEN = (ValueError, TypeError, AttributeError, KeyError, IndexError)

ListModels = Callable[[Connection], Awaitable[list[ModelInfo]]]


class WireProvider:
    """A provider that speaks ``wire`` over ``connection``. See ``agents_core.llm.base.Provider``."""

    def __init__(self, connection: Connection, wire: Wire, list_models: ListModels) -> None:
        self._connection = connection
        self._wire = wire
        self._list_models = list_models

    async def stream(self, request: ModelRequest) -> AsyncGenerator[StreamItem, None]:
        encoded = self._wire.encode(request)
        yield Sent(encoded.body, encoded.layout, self._connection.url(self._wire.path))
        async with aclosing(retrying_stream(lambda: self._attempt(encoded, request))) as items:
            async for item in items:
                yield item

    async def _attempt(self, encoded: Encoded, request: ModelRequest) -> AsyncGenerator[StreamItem, None]:
        received = bytearray()
        reader = self._wire.reader()
        await self._connection.open()
        started = time.perf_counter()
        first_token_ms: float | None = None
        async with (
            self._connection.post(self._wire.path, encoded.body, request.model, received) as response,
            aclosing(self._deltas(response, reader, received, request)) as deltas,
        ):
            async for delta in deltas:
                first_token_ms = first_token_ms or _since_ms(started)
                yield delta
        answer = self._whole(reader, bytes(received), request)
        yield Finished(
            answer.message,
            answer.finish_reason,
            answer.usage,
            bytes(received),
            response.headers.get("x-request-id") or response.headers.get("request-id") or answer.id,
            first_token_ms,
            _since_ms(started),
        )

    async def _deltas(
        self, response: "aiohttp.ClientResponse", reader: Reader, received: bytearray, request: ModelRequest
    ) -> AsyncGenerator[Delta, None]:
        target = self._target(request)
        try:
            async with aclosing(_events(response, received)) as events:
                async for event in events:
                    for delta in reader.read(event):
                        yield delta
        except StreamError as error:
            raise _refusals.refused_in_stream(error.payload, bytes(received), target) from None
        except _MISSHAPEN as error:
            raise _refusals.malformed(error, bytes(received), target) from error
        content_type = response.headers.get("content-type", "")
        if "event-stream" not in content_type and reader.answer() is None:
            raise _refusals.not_a_stream(content_type, bytes(received), target)

    def _whole(self, reader: Reader, body: bytes, request: ModelRequest) -> Answer:
        """The answer, if it is whole. An empty one is good only after a tool's result, when all may have been said."""
        answer = reader.answer()
        if answer is None:
            raise _refusals.broken_off(body, self._target(request))
        said = answer.message.parts or answer.message.tool_calls or answer.finish_reason != "stop"
        if not said and not (request.messages and request.messages[-1].role == "tool"):
            raise _refusals.empty(body, self._target(request))
        return answer

    def _target(self, request: ModelRequest) -> _refusals.Target:
        return self._connection.target_for(request.model)

    async def list_models(self) -> list[ModelInfo]:
        """The models that the provider lists. Raises ``ModelError``."""
        try:
            return await self._list_models(self._connection)
        except _MISSHAPEN as error:
            raise _refusals.malformed(error, b"", self._connection.target) from error

    async def check(self) -> Check:
        """What the provider answers when asked for its models. Never raises: a failure is an answer too."""
        started = time.perf_counter()
        status, summary, advice, models = await self._checked()
        address = self._connection.target.base_url
        return Check(bool(models), address, status, summary, advice, models, _since_ms(started))

    async def _checked(self) -> tuple[int | None, str, str, tuple[ModelInfo, ...]]:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S):
                models = tuple(await self.list_models())
        except ModelError as error:
            return error.status, error.cause, error.advice, ()
        except AgentsError as error:
            return None, error.message, "", ()
        except TimeoutError:
            return None, f"No answer within {CHECK_TIMEOUT_S:g} s.", "Is the server running and reachable?", ()
        return 200, _summary(models), "" if models else "Load or pull a model there first.", models

    async def aclose(self) -> None:
        await self._connection.aclose()


async def _events(response: "aiohttp.ClientResponse", received: bytearray) -> AsyncGenerator[ServerEvent, None]:
    reader = EventReader()
    async for chunk in response.content.iter_any():
        received += chunk
        for event in reader.feed(chunk):
            yield event
    for event in reader.end():
        yield event


def _since_ms(started: float) -> float:
    return (time.perf_counter() - started) * 1000


def _summary(models: tuple[ModelInfo, ...]) -> str:
    if not models:
        return "The server answers, and has no models."
    windows = sorted({model.context_window for model in models if model.context_window_source == "provider"})
    told = "The server does not tell context windows; the catalog's are used."
    if windows:
        told = f"Context window as the server tells it: {windows[0]:,}"
        told += f" to {windows[-1]:,} tokens." if len(windows) > 1 else " tokens."
    return f"{len(models)} model{'s' if len(models) > 1 else ''}. {told}"
