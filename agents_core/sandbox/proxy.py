"""The way out for a tool with a network: an HTTP proxy for one call, which lets through the names of that call alone.

It is reached by no address: the call's supervisor hands over the connections the tool makes (``inside.door``), so no
other call can use it. A name is looked up once, and what was found public is what is connected to.
"""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from agents_core.addresses import AddressRefused, public_addresses

ADDRESS = "http://127.0.0.1:3128"
"""What the tool is told. Any other address would do: all its connections end here."""

_PORTS = {"http": 80, "https": 443}
_HEAD_BYTES = 64 * 1024
_CHUNK_BYTES = 64 * 1024
_MOST_BYTES = 64 * 2**20
_MOST_CONNECTIONS = 16
_HEAD_S, _CONNECT_S, _LINGER_S = 10.0, 10.0, 10.0
_HOP_BY_HOP = (b"connection", b"host", b"keep-alive", b"proxy-authorization", b"proxy-connection", b"te", b"upgrade")

Route = Callable[[str, int], Awaitable[Sequence[tuple[str, int]]]]
"""The addresses and ports that a name and a port lead to. Raises ``AddressRefused``."""
_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def public_route(host: str, port: int) -> Sequence[tuple[str, int]]:
    """Raises ``AddressRefused`` when ``host`` is unknown, or one of its addresses is not public."""
    return [(address, port) for address in await public_addresses(host, port)]


class Request(NamedTuple):
    """``head`` is what the far side is sent; empty for a tunnel."""

    host: str
    port: int
    head: bytes


class ProxyRefused(Exception):
    """The request is not carried out. The tool is answered with the status and the sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Proxy:
    """Serves the connections of one call until it is left; then all are cut."""

    def __init__(self, hosts: Sequence[str], route: Route) -> None:
        self._hosts = hosts
        self._route = route
        self._left_bytes = _MOST_BYTES
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def serve(self, connection: socket.socket) -> None:
        """Takes the connection over."""
        if len(self._tasks) >= _MOST_CONNECTIONS:
            refusal = ProxyRefused(503, f"A tool may have {_MOST_CONNECTIONS} connections at a time.")
            with connection, contextlib.suppress(OSError):
                connection.send(_answer(refusal))
            return
        task = asyncio.create_task(self._serve(connection), name="proxy")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):  # The tool or the far side has gone.
            near = await asyncio.open_connection(sock=connection, limit=_HEAD_BYTES)
            try:
                await self._carry(near)
            finally:
                near[1].close()

    async def _carry(self, near: _Streams) -> None:
        try:
            request = await _request(near[0])
            far = await self._reach(request)
        except ProxyRefused as refusal:
            await _refuse(near, refusal)
            return
        try:
            if request.head:
                far[1].write(request.head)
            else:
                near[1].write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            down = self._answer_last(far[0], near[1]) if request.head else self._copy(far[0], near[1])
            await _until_both_end(self._copy(near[0], far[1]), down)
        finally:
            far[1].close()

    async def _reach(self, request: Request) -> _Streams:
        """Raises ``ProxyRefused``."""
        if not is_allowed(request.host, self._hosts):
            raise ProxyRefused(403, f"This tool may reach {_listed(self._hosts)}, not {request.host!r}.")
        if request.port not in _PORTS.values():
            raise ProxyRefused(403, f"Tools may reach the ports 80 and 443, not {request.port}.")
        if self._left_bytes <= 0:
            raise ProxyRefused(403, f"This call has moved the {_MOST_BYTES >> 20} MiB that one call may.")
        try:
            async with asyncio.timeout(_CONNECT_S):
                return await _first_that_answers(await self._route(request.host, request.port))
        except AddressRefused as refused:
            raise ProxyRefused(403, refused.message) from None
        except TimeoutError:
            raise ProxyRefused(504, f"{request.host!r} does not answer within {_CONNECT_S:.0f} s.") from None
        except OSError as error:
            raise ProxyRefused(502, f"{request.host!r} does not answer on port {request.port}: {error}.") from None

    async def _answer_last(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        """As ``_copy``, with a word in the head of the response that no other request may follow on the connection."""
        while (head := await source.readuntil(b"\r\n\r\n")).partition(b" ")[2].startswith(b"1"):
            target.write(head)  # "100 Continue": the response is still to come.
        line, _, rest = head.partition(b"\r\n")
        target.write(line + b"\r\nConnection: close\r\n" + rest)
        await self._copy(source, target)

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while (chunk := await source.read(_CHUNK_BYTES)) and self._left_bytes > 0:
            self._left_bytes -= len(chunk)
            target.write(chunk)
            await target.drain()
        target.write_eof()


async def _until_both_end(up: Coroutine[Any, Any, None], down: Coroutine[Any, Any, None]) -> None:
    """Until the far side has said all. Once the tool has, the far side has only a while left."""
    tasks = [asyncio.create_task(up), asyncio.create_task(down)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait(tasks[1:], timeout=_LINGER_S)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def is_allowed(host: str, hosts: Sequence[str]) -> bool:
    """Whether ``host`` is one of ``hosts``, or below one that begins with ``*.``."""
    name = _plain(host)
    return any(name == one or (one[:2] == "*." and name.endswith(one[1:])) for one in map(_plain, hosts))


def _plain(name: str) -> str:
    return name.lower().rstrip(".")


async def _request(reader: asyncio.StreamReader) -> Request:
    """Raises ``ProxyRefused``; ``IncompleteReadError`` when the tool hung up."""
    try:
        async with asyncio.timeout(_HEAD_S):
            first = await reader.readexactly(1)
            if not first.isalpha():  # TLS from a client that heeds no proxy: it would wait for us, and we for it.
                raise ProxyRefused(400, _NOT_FOR_A_PROXY)
            return _parse(first + await reader.readuntil(b"\r\n\r\n"))
    except asyncio.LimitOverrunError:
        raise ProxyRefused(431, f"The head of the request is longer than {_HEAD_BYTES >> 10} KiB.") from None
    except TimeoutError:
        raise ProxyRefused(408, f"The request did not come within {_HEAD_S:.0f} s.") from None


_NOT_FOR_A_PROXY = (
    "Tools reach the network through an HTTP proxy. Use a library that heeds HTTP_PROXY and HTTPS_PROXY: "
    "urllib, requests and httpx do."
)


def _parse(head: bytes) -> Request:
    line, *headers = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    try:
        method, target, version = line.split(" ")
        tunnel = method == "CONNECT"
        address = urlsplit(f"//{target}" if tunnel else target)
        host, port = address.hostname or "", address.port or _PORTS["https" if tunnel else "http"]
    except ValueError:
        raise ProxyRefused(400, "The request is not one of HTTP/1.1.") from None
    if tunnel and host:
        return Request(host, port, b"")
    if not host or address.scheme != "http":
        raise ProxyRefused(400, _NOT_FOR_A_PROXY)
    path = address._replace(scheme="", netloc="", fragment="").geturl() or "/"
    kept = [one for one in headers if one.partition(":")[0].strip().lower().encode("latin-1") not in _HOP_BY_HOP]
    lines = [f"{method} {path} {version}", f"Host: {address.netloc.rpartition('@')[2]}", *kept, "Connection: close"]
    return Request(host, port, "\r\n".join([*lines, "", ""]).encode("latin-1"))


async def _first_that_answers(addresses: Sequence[tuple[str, int]]) -> _Streams:
    """Raises ``OSError`` when none does."""
    last: OSError = OSError("it has no address")
    for address, port in addresses:
        try:
            return await asyncio.open_connection(address, port)
        except OSError as error:
            last = error
    raise last


async def _refuse(near: _Streams, refusal: ProxyRefused) -> None:
    """Answer, then read what the tool still sends for a moment: closed before, it would see a reset, not the answer."""
    reader, writer = near
    writer.write(_answer(refusal))
    writer.write_eof()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1):
            while await reader.read(_CHUNK_BYTES):
                pass


def _answer(refusal: ProxyRefused) -> bytes:
    """The sentence stands in the status line too: of a refused tunnel, libraries show nothing else."""
    sentence = " ".join(str(refusal).encode("ascii", "replace").decode().split())
    head = f"HTTP/1.1 {refusal.status} {sentence}\r\nContent-Type: text/plain\r\nConnection: close\r\n"
    return f"{head}Content-Length: {len(sentence) + 1}\r\n\r\n{sentence}\n".encode()


def _listed(hosts: Sequence[str]) -> str:
    return ", ".join(hosts)
