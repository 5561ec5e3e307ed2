"""A model server on loopback for tests and benchmarks, in a thread with an event loop of its own.

Speaks chat completions, Responses, embeddings, models and Anthropic's Messages; also the little of Ollama, LM Studio
and Gemini that tells of context windows. It keeps connections alive and writes an undisturbed answer at once.
"""

import asyncio
import hashlib
import json
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from tests.llm.fake_wires import (
    JSON,
    Reply,
    anthropic_error,
    chat_events,
    chat_whole,
    messages_events,
    messages_whole,
    openai_error,
    refuse,
    responses_events,
    responses_whole,
)

__all__ = ["FakeModelServer", "Received", "Reply", "refuse"]

EMBEDDING_DIMENSIONS = 8


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came in. Header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def endpoint(self) -> str:
        """The path without query and version: ``/chat/completions``, ``/models`` …"""
        return self.path.partition("?")[0].removeprefix("/v1")


_WIRES: dict[str, tuple[Callable[[Reply, int], Iterator[bytes]], Callable[[Reply, int], JSON]]] = {
    "/chat/completions": (chat_events, chat_whole),
    "/responses": (responses_events, responses_whole),
    "/messages": (messages_events, messages_whole),
}


class _CutError(Exception):
    """The server breaks the connection."""


class FakeModelServer:
    """``with FakeModelServer() as server:``, then ``server.url`` (ends in /v1), and ``push`` what it shall answer.

    Replies that were pushed are used up in order, one a request (``/models`` takes only what is no model's answer); after
    them ``default`` answers, at first an echo of the last thing that was said. ``requests`` lists what came in.
    ``models`` is what ``/models`` lists; ``pages`` are JSON answers of further paths, by the whole path without its query.
    """

    def __init__(self) -> None:
        self.requests: list[Received] = []
        self.models: list[JSON] = [{"id": "gpt-4o-mini", "object": "model"}]
        self.pages: dict[str, Any] = {}
        self.default: Callable[[Received], Reply] = echo
        self._pushed: deque[Reply] = deque()
        self._left_early = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="fake-model-server")

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.origin}/v1"

    def push(self, *replies: Reply) -> None:
        self._pushed.extend(replies)

    def wait_left_early(self, timeout_s: float = 5.0) -> bool:
        """Whether a client closed its connection in the middle of an answer, within ``timeout_s``."""
        return self._left_early.wait(timeout_s)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0, backlog=512)
        self.port: int = server.sockets[0].getsockname()[1]
        self._ready.set()
        async with server:
            await self._stop.wait()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._connections.add(task)
        try:
            while request := await _read(reader):
                self.requests.append(request)
                await self._answer(request, reader, writer)
        except _CutError:
            writer.transport.abort()
        except ConnectionError:
            self._left_early.set()
        except asyncio.CancelledError:
            pass
        finally:
            self._connections.discard(task)
            writer.close()

    async def _answer(self, request: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        takes = ("/models", "/embeddings") if self._pushed and self._pushed[0].is_plain else ("/embeddings",)
        if request.endpoint not in _WIRES and not (self._pushed and request.endpoint in takes):
            page = self._page(request)
            writer.write(_whole(200 if page is not None else 404, json.dumps(page or {"detail": "Not Found"}).encode()))
            return
        reply = self._pushed.popleft() if self._pushed else self.default(request)
        await self._wait(reply.delay_s, reader)
        if reply.is_plain:
            writer.write(_plain(request, reply))
        elif request.json.get("stream"):
            await self._stream(request, reply, reader, writer)
        else:
            body = _WIRES[request.endpoint][1](reply, len(request.body) // 4)
            writer.write(_whole(200, json.dumps(body).encode()))
        await writer.drain()

    def _page(self, request: Received) -> Any:
        path = request.path.partition("?")[0]
        if path in self.pages:
            return self.pages[path]
        if request.endpoint == "/models":
            return {"object": "list", "data": self.models}
        return _embeddings(request.json) if request.endpoint == "/embeddings" else None

    async def _stream(
        self, request: Received, reply: Reply, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Chunked transfer: in one write, unless the reply wants small pieces or does not come to its end."""
        events = list(_WIRES[request.endpoint][0](reply, len(request.body) // 4))
        last = next((n for n in (reply.end_after, reply.cut_after, reply.stall_after) if n is not None), len(events))
        body = b"".join(events[:last])
        writer.write(_head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked", **reply.headers}))
        for start in range(0, len(body), reply.piece_bytes or len(body) or 1):
            writer.write(_chunk(body[start : start + (reply.piece_bytes or len(body))]))
            if reply.piece_bytes:
                await writer.drain()
                await asyncio.sleep(0)
        if reply.cut_after is not None:
            await writer.drain()
            raise _CutError
        if reply.stall_after is not None:
            await self._wait(3600, reader)
        writer.write(b"0\r\n\r\n")

    async def _wait(self, seconds: float, reader: asyncio.StreamReader) -> None:
        """Waits, unless the client leaves meanwhile."""
        if not seconds:
            return
        try:
            async with asyncio.timeout(seconds):
                if not await reader.read(1):
                    raise ConnectionResetError
        except TimeoutError:
            return


def echo(request: Received) -> Reply:
    """What was said last, back."""
    messages = request.json.get("messages") or request.json.get("input") or [{"content": "nothing"}]
    content = messages[-1].get("content") or messages[-1].get("output") or ""
    while isinstance(content, list):
        content = content[-1].get("text") or content[-1].get("content") or "something"
    return Reply(str(content))


async def _read(reader: asyncio.StreamReader) -> Received | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    request_line, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    method, path, _ = request_line.split(" ")
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method, path, headers, body)


def _head(status: int, headers: dict[str, str]) -> bytes:
    lines = (f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} X\r\n{''.join(lines)}\r\n".encode()


def _chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def _whole(status: int, body: bytes, content_type: str = "application/json", **headers: str) -> bytes:
    return _head(status, {"content-type": content_type, "content-length": str(len(body)), **headers}) + body


def _plain(request: Received, reply: Reply) -> bytes:
    """An error, or a body that the test gives."""
    error = anthropic_error(reply) if request.endpoint == "/messages" else openai_error(reply)
    body = json.dumps(error).encode() if reply.body is None else reply.body
    return _whole(reply.status, body, reply.content_type or "application/json", **reply.headers)


def _embeddings(payload: JSON) -> JSON:
    """Vectors made from a hash: equal texts, equal vectors. In reverse order, as the API allows."""
    dimensions = payload.get("dimensions", EMBEDDING_DIMENSIONS)
    entries = [{"index": i, "embedding": _vector(text, dimensions)} for i, text in enumerate(payload["input"])]
    return {"object": "list", "data": entries[::-1], "usage": {"prompt_tokens": 1, "total_tokens": 1}}


def _vector(text: str, dimensions: int) -> list[float]:
    digest = hashlib.shake_256(text.encode()).digest(dimensions)
    return [byte / 255 for byte in digest]
