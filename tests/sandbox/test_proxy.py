"""The proxy of tools by itself: what it is asked, where it connects, when it stops."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from agents_core.sandbox import proxy as proxies
from agents_core.sandbox.proxy import Proxy, Route, is_allowed, public_route
from tests.sandbox.web import Web

_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connected(route: Route, *hosts: str) -> AsyncIterator[Callable[[], Any]]:
    """Gives a function that connects to a proxy for ``hosts``."""

    async def connect() -> _Streams:
        ours, theirs = socket.socketpair()
        proxy.serve(theirs)
        return await asyncio.open_connection(sock=ours)

    async with Proxy(hosts, route) as proxy:
        yield connect


def to(web: Web) -> Route:
    async def route(host: str, port: int) -> Sequence[tuple[str, int]]:
        return [("127.0.0.1", web.http_port)]

    return route


async def ask(streams: _Streams, request: bytes) -> bytes:
    streams[1].write(request)
    return await streams[0].read()


@pytest.fixture
def dns(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """``dns(*answers)``: what each next look-up of any name gives. Gives the list of names that were looked up."""

    def answer(*answers: str) -> list[str]:
        asked: list[str] = []
        waiting = list(answers)

        async def getaddrinfo(_: object, host: str, port: int, **__: object) -> list[tuple[Any, ...]]:
            asked.append(host)
            return [(0, 0, 0, "", (address, port)) for address in waiting.pop(0).split()]

        monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
        return asked

    return answer


async def test_name_is_looked_up_once_and_what_was_found_is_connected_to(
    dns: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = dns("93.184.216.34", "127.0.0.1")
    dialled = []

    async def open_connection(address: str, port: int) -> _Streams:
        dialled.append((address, port))
        raise ConnectionRefusedError

    real = asyncio.open_connection
    monkeypatch.setattr(asyncio, "open_connection", lambda *a, **k: open_connection(*a) if a else real(**k))
    async with connected(public_route, "rebound.test") as connect:
        assert b" 502 " in await ask(await connect(), b"CONNECT rebound.test:443 HTTP/1.1\r\n\r\n")
    assert asked == ["rebound.test"]
    assert dialled == [("93.184.216.34", 443)]


@pytest.mark.parametrize(
    "answer",
    [
        "127.0.0.1",
        "93.184.216.34 10.0.0.1",
        "169.254.169.254",
        "::1",
        "::ffff:192.168.0.1",
        "64:ff9b::a00:1",
        "fe80::1",
    ],
)
async def test_name_that_leads_to_an_address_that_is_not_public_is_refused(
    dns: Callable[..., list[str]], answer: str
) -> None:
    dns(answer)
    async with connected(public_route, "inward.test") as connect:
        reply = await ask(await connect(), b"CONNECT inward.test:443 HTTP/1.1\r\n\r\n")
    assert reply.startswith(b"HTTP/1.1 403 'inward.test' leads to ")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", 400),
        (b"GET https://a.test/ HTTP/1.1\r\n\r\n", 400),
        (b"GET ftp://a.test/ HTTP/1.1\r\n\r\n", 400),
        (b"GET http:///path HTTP/1.1\r\n\r\n", 400),
        (b"GET http://a.test:99999/ HTTP/1.1\r\n\r\n", 400),
        (b"GET http://[::1/ HTTP/1.1\r\n\r\n", 400),
        (b"GET  HTTP/1.1\r\n\r\n", 400),
        (b"nonsense\r\n\r\n", 400),
        (b"CONNECT :443 HTTP/1.1\r\n\r\n", 400),
        (b"CONNECT a.test:x HTTP/1.1\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00", 400),
        (b"CONNECT b.test:443 HTTP/1.1\r\n\r\n", 403),
        (b"CONNECT a.test:25 HTTP/1.1\r\n\r\n", 403),
        (b"GET http://a.test@b.test/ HTTP/1.1\r\n\r\n", 403),
        (b"GET http://a.test.b.test/ HTTP/1.1\r\n\r\n", 403),
        (b"GET http://a.test\x00.b.test/ HTTP/1.1\r\n\r\n", 403),
        ("GET http://\uff41.test/ HTTP/1.1\r\n\r\n".encode(), 403),
        (b"GET http://a.test/ HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", 431),
    ],
)
async def test_request_that_is_not_carried_out_is_answered(web: Web, request_: bytes, status: int) -> None:
    async with connected(to(web), "a.test") as connect:
        async with asyncio.timeout(5):
            reply = await ask(await connect(), request_)
    assert reply.startswith(b"HTTP/1.1 %d " % status)
    assert reply.endswith(b".\n")


async def test_far_side_is_told_the_host_that_was_checked_and_nothing_meant_for_the_proxy(web: Web) -> None:
    request = b"GET http://a.test/x HTTP/1.1\r\nHost: b.test\r\nProxy-Authorization: secret\r\n\r\n"
    heads = []

    async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(keep, "127.0.0.1", 0) as server:
        port: int = server.sockets[0].getsockname()[1]

        async def route(host: str, _: int) -> Sequence[tuple[str, int]]:
            return [("127.0.0.1", port)]

        async with connected(route, "a.test") as connect:
            reply = await ask(await connect(), request)
    assert heads == [b"GET /x HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"]
    assert reply == b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"


async def test_host_that_does_not_answer_is_not_waited_for(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    async def route(host: str, port: int) -> Sequence[tuple[str, int]]:
        await asyncio.sleep(60)
        return []

    monkeypatch.setattr(proxies, "_CONNECT_S", 0.1)
    async with connected(route, "a.test") as connect:
        reply = await ask(await connect(), b"CONNECT a.test:443 HTTP/1.1\r\n\r\n")
    assert reply.startswith(b"HTTP/1.1 504 'a.test' does not answer within ")


async def test_head_that_does_not_come_is_not_waited_for(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxies, "_HEAD_S", 0.1)
    async with connected(to(web), "a.test") as connect:
        assert (await ask(await connect(), b"GET")).startswith(b"HTTP/1.1 408 ")


async def test_bytes_of_a_call_are_limited_and_the_next_request_is_told(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxies, "_MOST_BYTES", 2**20)
    request = b"GET http://a.test/bytes?count=3000000 HTTP/1.1\r\n\r\n"
    async with connected(to(web), "a.test") as connect:
        assert len(await ask(await connect(), request)) < 2**20 + 2**17
        assert b"403 This call has moved the 1 MiB that one call may." in await ask(await connect(), request)


async def test_connections_are_cut_when_the_call_is_over(web: Web) -> None:
    async with connected(to(web), "a.test") as connect:
        idle, tunnel = await connect(), await connect()
        tunnel[1].write(b"CONNECT a.test:443 HTTP/1.1\r\n\r\n")
        assert b" 200 " in await tunnel[0].readuntil(b"\r\n\r\n")
    async with asyncio.timeout(1):
        assert [await one[0].read() for one in (idle, tunnel)] == [b"", b""]


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("a.test", True),
        ("A.TEST.", True),
        ("b.a.test", False),
        ("x.b.test", True),
        ("y.x.b.test", True),
        ("b.test", False),
        ("xb.test", False),
        ("", False),
    ],
)
def test_hosts_are_exact_names_or_all_below_one(host: str, allowed: bool) -> None:
    assert is_allowed(host, ("a.test", "*.b.test")) is allowed
