"""The one place that speaks HTTP: with the SDKs' clients, and our own body, so that it is known byte for byte.

What is small and whole (lists of models, embeddings) goes through the SDKs, as bytes. A model call takes from them the headers and the
authentication only, and aiohttp carries it: an SDK's own request costs four times the time, and its typed streams 20 to 100 µs a chunk
(``python -m benchmarks.model_calls``).
"""

import asyncio
import gc
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from agents_core.errors import Unavailable
from agents_core.llm.base import Endpoint
from agents_core.llm.providers import _refusals
from agents_core.llm.providers._refusals import Target

if TYPE_CHECKING:
    import ssl

    import aiohttp
    import httpx2
    from anthropic import AsyncAnthropic
    from openai import AsyncOpenAI

CONNECT_TIMEOUT_S = 10.0
IDLE_CONNECTIONS = 100
IDLE_S = 60.0

MakeClient = Callable[[Any, Target, str, "httpx2.AsyncClient"], "AsyncOpenAI | AsyncAnthropic"]

NO_KEY = "none"
"""Sent where no key is set: the SDKs insist on one, servers that ask for none do not look at it."""


@dataclass(frozen=True, slots=True)
class SDK:
    """An SDK by its module's name, imported at first use, and how to make its client."""

    module: str
    make_client: MakeClient


class Connection:
    """A provider's connections, kept open between calls. Failures come out as ``ModelError``.

    ``target.base_url`` is where requests go. With ``needs_key`` a missing key is an error before anything is sent.
    """

    def __init__(self, sdk: SDK, endpoint: Endpoint, target: Target, *, needs_key: bool = False) -> None:
        self._sdk = sdk
        self._endpoint = endpoint
        self.target = target
        self._needs_key = needs_key
        self._opening = asyncio.Lock()
        self._client: Any = None
        self._module: Any = None
        self._httpx: Any = None
        self._aiohttp: Any = None
        self._session: Any = None
        self._headers: dict[str, str] = {}

    @property
    def api_key(self) -> str:
        return self._endpoint.api_key or NO_KEY

    def target_for(self, model: str) -> Target:
        return replace(self.target, model=model)

    def url(self, path: str) -> str:
        return f"{self.target.base_url.rstrip('/')}{path}"

    @asynccontextmanager
    async def post(
        self, path: str, body: bytes, model: str, received: bytearray
    ) -> AsyncGenerator["aiohttp.ClientResponse"]:
        """The response to ``body``, its own body yet unread; the block appends to ``received`` what it reads of it."""
        target = self.target_for(model)
        with self._errors(target, received):
            await self._open()
            async with self._session.post(self.url(path), data=body, headers=self._headers) as response:
                if not response.ok:
                    raise _refusals.refused(response.status, response.headers, await response.read(), target)
                yield response

    async def open(self) -> None:
        """Imports the SDK and makes its client, unless done: what else would count as the model's time."""
        with self._errors(self.target, bytearray()):
            await self._open()

    async def post_json(self, path: str, payload: Mapping[str, Any], model: str = "") -> Any:
        """The JSON that a POST is answered with."""
        return await self._json("post", path, model, content=json.dumps(payload).encode())

    async def get_json(self, path: str) -> Any:
        """The JSON at ``path``, which may be a whole URL on the provider's host."""
        return await self._json("get", path, "")

    async def get_json_by_key(self, url: str, header: str) -> Any:
        """The JSON at ``url``, for a server that wants its key in ``header`` and no bearer token."""
        await self._open()
        headers = {header: self.api_key, "Authorization": self._module.Omit()}
        return await self._json("get", url, "", options={"headers": headers})

    async def _json(self, method: str, path: str, model: str, **arguments: Any) -> Any:
        target = self.target_for(model)
        body = bytearray()
        arguments.setdefault("options", {"headers": {"Content-Type": "application/json"}})
        with self._errors(target, body):
            client = await self._open()
            response = await getattr(client, method)(path, cast_to=self._httpx.Response, **arguments)
            body += response.content
        if _refusals.is_html(bytes(body)):
            raise _refusals.not_a_stream("text/html", bytes(body), target)
        try:
            return json.loads(bytes(body))
        except ValueError as error:
            raise _refusals.malformed(error, bytes(body), target) from None

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.close()
            await self._session.close()
            self._client = None

    async def _open(self) -> Any:
        if self._needs_key and not self._endpoint.api_key:
            raise _refusals.no_key(self.target)
        async with self._opening:
            if self._client is None:
                # In a thread: the import takes a second or two, and reading the certificates 20 ms.
                client, certificates = await asyncio.to_thread(self._make_client)
                self._session = self._make_session(certificates)
                given = {**client.default_headers, **client.auth_headers, "Accept": "text/event-stream"}
                self._headers = {name: value for name, value in given.items() if isinstance(value, str)}
                self._client = client
        return self._client

    def _make_session(self, certificates: "ssl.SSLContext") -> "aiohttp.ClientSession":
        silence_s = self._endpoint.timeout_s
        timeout = self._aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S, sock_read=silence_s)
        connector = self._aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_S, ssl=certificates)
        session: aiohttp.ClientSession = self._aiohttp.ClientSession(
            connector=connector,
            timeout=timeout,
            cookie_jar=self._aiohttp.DummyCookieJar(),
            proxy=_proxy_to(self.target.base_url),
        )
        return session

    def _make_client(self) -> tuple[Any, "ssl.SSLContext"]:
        try:
            self._module, self._httpx, self._aiohttp = map(import_module, (self._sdk.module, "httpx2", "aiohttp"))
        except ModuleNotFoundError as error:
            raise Unavailable(f"This provider needs the package {error.name!r}: install it and restart.") from error
        gc.freeze()  # An SDK is a hundred thousand objects, which stay: looking through them for garbage stops everything for 0.1 s.
        timeout = self._httpx.Timeout(self._endpoint.timeout_s, connect=CONNECT_TIMEOUT_S)
        limits = self._httpx.Limits(
            max_connections=None, max_keepalive_connections=IDLE_CONNECTIONS, keepalive_expiry=IDLE_S
        )
        certificates = self._httpx.create_ssl_context()
        http_client = self._httpx.AsyncClient(
            timeout=timeout, limits=limits, follow_redirects=True, verify=certificates
        )
        return self._sdk.make_client(self._module, self.target, self.api_key, http_client), certificates

    def _errors(self, target: Target, received: bytearray) -> "_Errors":
        return _Errors(self, target, received)

    def translate(self, error: BaseException, received: bytes, target: Target) -> Exception | None:
        """The ``ModelError`` for what the SDK, httpx2 or aiohttp raised; None for anything else."""
        if self._httpx is None:
            return None
        if isinstance(error, self._module.APIStatusError):
            response = error.response
            return _refusals.refused(response.status_code, response.headers, response.content, target)
        cause = error.__cause__ if isinstance(error, self._module.APIConnectionError) else error
        if isinstance(cause, self._httpx.ConnectTimeout | self._aiohttp.ConnectionTimeoutError):
            return _refusals.unreachable(cause, received, target)
        if isinstance(cause, self._httpx.TimeoutException | self._aiohttp.ServerTimeoutError):
            return _refusals.silent(received, target)
        if isinstance(cause, self._aiohttp.ClientConnectorError):
            return _refusals.unreachable(cause.os_error, received, target)
        if isinstance(cause, self._httpx.HTTPError | self._httpx.InvalidURL | self._aiohttp.ClientError):
            return _refusals.unreachable(cause, received, target)
        return None


def _proxy_to(url: str) -> str | None:
    """The proxy that the environment names for ``url``. aiohttp would look there at each request, which takes longer than the request."""
    parts = urlsplit(url)
    return None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)


class _Errors:
    """Turns the exceptions of a block into ``ModelError``."""

    def __init__(self, connection: Connection, target: Target, received: bytearray) -> None:
        self._connection = connection
        self._target = target
        self._received = received

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        if error and (found := self._connection.translate(error, bytes(self._received), self._target)):
            raise found from error
