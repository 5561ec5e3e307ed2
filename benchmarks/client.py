"""An HTTP client that costs next to nothing, so that what is measured is the server: one kept connection, no library."""

import asyncio
import json
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self


class RefusedError(Exception):
    """The server answered with an error."""


class Client:
    """One connection to 127.0.0.1, kept for all its requests: ``async with Client(port) as client``."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=2**24)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._writer.close()

    async def ask(self, method: str, path: str, body: Any = None) -> bytes:
        """The body of the answer. Raises ``RefusedError`` for a status from 400 on."""
        return b"".join([piece async for piece in self.stream(method, path, body)])

    async def json(self, method: str, path: str, body: Any = None) -> Any:
        return json.loads(await self.ask(method, path, body))

    async def stream(self, method: str, path: str, body: Any = None) -> AsyncIterator[bytes]:
        """The body of the answer in the pieces that it comes in; read it to its end, the connection is used again."""
        content = b"" if body is None else json.dumps(body).encode()
        self._writer.write(
            f"{method} {path} HTTP/1.1\r\nhost: localhost:{self._port}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(content)}\r\n\r\n".encode()
            + content
        )
        status, headers = _read_head(await self._reader.readuntil(b"\r\n\r\n"))
        pieces = self._pieces(headers)
        if status >= 400:
            raise RefusedError(f"{method} {path}: {status} {b''.join([piece async for piece in pieces])[:300]!r}")
        async for piece in pieces:
            yield piece

    async def _pieces(self, headers: dict[str, str]) -> AsyncIterator[bytes]:
        if headers.get("transfer-encoding") != "chunked":
            yield await self._reader.readexactly(int(headers.get("content-length", "0")))
            return
        while size := int(await self._reader.readline(), 16):
            yield (await self._reader.readexactly(size + 2))[:-2]
        await self._reader.readline()


def _read_head(head: bytes) -> tuple[int, dict[str, str]]:
    status_line, *lines = head.decode("latin-1").lower().split("\r\n")
    headers = {name: value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    return int(status_line.split(" ", 2)[1]), headers
