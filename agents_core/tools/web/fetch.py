"""Fetching a page from a public address: looked up once, and connected to as it was found, at each redirect anew."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from ssl import SSLContext
from typing import TYPE_CHECKING

from agents_core import __version__
from agents_core.addresses import public_addresses
from agents_core.tools.base import ToolError

if TYPE_CHECKING:
    from httpx2 import URL, AsyncClient, Response

TIMEOUT_S = 20.0
"""How long a page may take, with all its redirects."""

LIMIT_BYTES = 5 * 2**20
"""What is read of a page; the rest is left."""

_MOST_REDIRECTS = 5
_LONGEST_URL = 4000
_ACCEPT = "text/html, application/xhtml+xml, text/plain;q=0.9, application/json;q=0.9, application/pdf;q=0.8, */*;q=0.5"

Resolve = Callable[[str, int], Awaitable[list[str]]]


@dataclass(frozen=True, slots=True)
class Page:
    """What stood at ``url``, where the redirects led. ``media_type`` is lower case, ``charset`` as the server named it.

    ``cut``: only the first ``LIMIT_BYTES`` are there.
    """

    url: str
    media_type: str
    charset: str | None
    body: bytes
    cut: bool


async def fetch(url: str, resolve: Resolve = public_addresses) -> Page:
    """The page at ``url``. ``resolve`` gives the addresses of a host and a port that may be connected to.

    Raises ``AddressRefused`` for one that leads to no public address, ``ToolError`` for whatever else goes wrong.
    """
    import httpx2

    try:
        async with asyncio.timeout(TIMEOUT_S), _client() as client:
            where = _checked(url)
            for _ in range(_MOST_REDIRECTS + 1):
                found = await _visit(client, where, resolve)
                if isinstance(found, Page):
                    return found
                where = _checked(str(found))
    except TimeoutError:
        raise ToolError(f"{url} did not answer within {TIMEOUT_S:g} s.") from None
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise ToolError(f"{url} could not be fetched: {type(error).__name__}: {error}") from None
    raise ToolError(f"{url} redirects more than {_MOST_REDIRECTS} times.")


def _checked(url: str) -> "URL":
    import httpx2

    if len(url) > _LONGEST_URL:
        raise ToolError(f"The address has {len(url):,} characters; {_LONGEST_URL:,} are possible.")
    try:
        parsed = httpx2.URL(url.strip())
    except httpx2.InvalidURL as error:
        raise ToolError(f"{url!r} is no address: {error}") from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ToolError(f"{url!r} cannot be fetched: an address begins with http:// or https:// and a host.")
    return parsed


async def _visit(client: "AsyncClient", url: "URL", resolve: Resolve) -> "Page | URL":
    """The page, or where it redirects to."""
    import httpx2

    port = url.port or (443 if url.scheme == "https" else 80)
    *others, last = await resolve(url.raw_host.decode("ascii"), port)
    for address in others:
        try:
            return await _ask(client, url, address)
        except (httpx2.ConnectError, httpx2.ConnectTimeout):
            continue  # The host has another address.
    return await _ask(client, url, last)


async def _ask(client: "AsyncClient", url: "URL", address: str) -> "Page | URL":
    """Connects to ``address``; the server is asked for, and has to prove, the name in ``url``."""
    extensions = {"sni_hostname": url.raw_host.decode("ascii")}
    headers = {"host": url.netloc.decode("ascii")}
    async with client.stream("GET", url.copy_with(host=address), headers=headers, extensions=extensions) as response:
        if response.is_redirect:
            return url.join(response.headers["location"])
        if not response.is_success:
            raise ToolError(f"{url} answered {response.status_code} {response.reason_phrase}.")
        body, cut = await _read(response)
        media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        return Page(str(url), media_type, response.charset_encoding, body, cut)


async def _read(response: "Response") -> tuple[bytes, bool]:
    body = bytearray()
    async for chunk in response.aiter_bytes(64 * 1024):
        body += chunk
        if len(body) > LIMIT_BYTES:
            return bytes(body[:LIMIT_BYTES]), True
    return bytes(body), False


def _client() -> "AsyncClient":
    """A proxy of the environment is passed by: it would look the name up again."""
    import httpx2

    return httpx2.AsyncClient(
        verify=tls(),
        timeout=TIMEOUT_S,
        trust_env=False,
        headers={"user-agent": f"Mnemoscope/{__version__}", "accept": _ACCEPT, "accept-encoding": "gzip, deflate"},
    )


@cache
def tls() -> SSLContext:
    """Read once: it takes longer than all else."""
    import httpx2

    return httpx2.create_ssl_context()
