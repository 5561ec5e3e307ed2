"""The three ways to a server, each as the SDK's streams of messages, with notes of what happens on the way."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TextIO

from agents_core import __version__
from agents_core.conf import conf
from agents_core.models import McpKind
from agents_core.tools.mcp.errors import ProgramsForbidden
from agents_core.tools.mcp.target import Target

if TYPE_CHECKING:
    from httpx2 import Auth, Response
    from mcp import Client
    from mcp.client._transport import TransportStreams

_KEPT_BYTES = 2000
_READ_BYTES = 65_536


@dataclass(slots=True)
class Notes:
    """What was seen of a server. ``status``: its last HTTP status; ``stderr``: the end of what its program wrote there. ``ended`` and
    ``changed`` are called when its program ends, and when it says that its tools are others now."""

    ended: Callable[[], None]
    changed: Callable[[], None]
    status: int | None = None
    stderr: bytearray = field(default_factory=bytearray)

    def wrote(self, data: bytes) -> None:
        self.stderr += data
        del self.stderr[:-_KEPT_BYTES]

    async def heard(self, response: "Response") -> None:
        self.status = response.status_code

    async def told(self, message: object) -> None:
        """What the server says of itself, unasked."""
        from mcp.types import ToolListChangedNotification

        if isinstance(message, ToolListChangedNotification):
            self.changed()

    @property
    def last_words(self) -> str:
        return self.stderr.decode(errors="replace").strip()


def client_of(target: Target, notes: Notes, auth: "Auth | None" = None) -> "Client":
    """A client of the server, not connected yet. Raises ``ProgramsForbidden``. Importing the SDK takes half a second: do it in a thread."""
    from mcp import Client
    from mcp.types import Implementation

    if target.kind == McpKind.STDIO and not conf().mcp_stdio:
        raise ProgramsForbidden
    streams = _program(target, notes) if target.kind == McpKind.STDIO else _address(target, notes, auth)
    # The handshake of an older server is the only one that SSE knows.
    mode = "legacy" if target.kind == McpKind.SSE else "auto"
    return Client(
        streams,
        mode=mode,
        message_handler=notes.told,
        client_info=Implementation(name="mnemoscope", version=__version__),
    )


@asynccontextmanager
async def _program(target: Target, notes: Notes) -> "AsyncIterator[TransportStreams]":
    from mcp.client.stdio import StdioServerParameters, stdio_client

    # The SDK hands on PATH, HOME and the like, and nothing else of our environment, which holds secrets.
    program = StdioServerParameters(
        command=target.command, args=list(target.args), env=dict(target.env), encoding_error_handler="replace"
    )
    with _stderr(notes) as errlog:
        async with stdio_client(program, errlog=errlog) as (read, write):
            yield _Watched(read, notes.ended), write


@asynccontextmanager
async def _address(target: Target, notes: Notes, auth: "Auth | None") -> "AsyncIterator[TransportStreams]":
    from httpx2 import AsyncClient, Auth, Timeout
    from mcp.client.sse import sse_client
    from mcp.client.streamable_http import streamable_http_client

    def http_client(
        headers: dict[str, str] | None = None, timeout: Timeout | None = None, auth: Auth | None = None
    ) -> AsyncClient:
        patience = timeout or Timeout(30.0, read=target.call_timeout_s + 30.0)
        return AsyncClient(headers=headers, timeout=patience, auth=auth, event_hooks={"response": [notes.heard]})

    headers = dict(target.headers)
    if target.kind == McpKind.SSE:
        async with sse_client(target.url, headers, httpx_client_factory=http_client, auth=auth) as (read, write):
            yield _Watched(read, notes.ended), write
        return
    async with (
        http_client(headers, auth=auth) as http,
        streamable_http_client(target.url, http_client=http) as (read, write),
    ):
        yield _Watched(read, lambda: None), write


@contextmanager
def _stderr(notes: Notes) -> Iterator[TextIO]:
    """Where a program may write what it likes; its last words are kept."""
    loop, (ours, its) = asyncio.get_running_loop(), os.pipe()
    os.set_blocking(ours, False)

    def read() -> None:
        with suppress(BlockingIOError):
            data = os.read(ours, _READ_BYTES)
            notes.wrote(data)
            if not data:
                loop.remove_reader(ours)

    loop.add_reader(ours, read)
    try:
        with open(its, "w") as errlog:
            yield errlog
    finally:
        read()
        loop.remove_reader(ours)
        os.close(ours)


class _Watched:
    """A stream of messages, mended where servers are careless, that tells of its end."""

    def __init__(self, stream: Any, ended: Callable[[], None]) -> None:
        self._stream = stream
        self._ended = ended

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    async def receive(self) -> Any:
        return await self._stream.receive()

    async def aclose(self) -> None:
        await self._stream.aclose()

    def __aiter__(self) -> "_Watched":
        return self

    async def __anext__(self) -> Any:
        try:
            return _mended(await self._stream.__anext__())
        except StopAsyncIteration:
            self._ended()
            raise

    async def __aenter__(self) -> "_Watched":
        await self._stream.__aenter__()
        return self

    async def __aexit__(self, *how: Any) -> None:
        await self._stream.__aexit__(*how)


def _mended(message: Any) -> Any:
    """The SDK refuses a whole list for one tool that does not say that its arguments are an object, and a result for not being quite
    what its tool has promised: agents can do with both."""
    result = getattr(getattr(message, "message", None), "result", None)
    if isinstance(result, dict) and isinstance(result.get("tools"), list):
        result["tools"] = [_mended_tool(each) for each in result["tools"] if isinstance(each, dict)]
    return message


def _mended_tool(tool: dict[str, Any]) -> dict[str, Any]:
    schema = tool.get("inputSchema")
    given = schema if isinstance(schema, dict) else {}
    kept = {name: value for name, value in tool.items() if name != "outputSchema"}
    return {**kept, "inputSchema": {**given, "type": "object"}}
