"""Open connections to MCP servers: made late, shared by the calls of one event loop, made anew when a server has died.

A server that does not answer costs its own callers a bounded time, and then, for some seconds, none at all.
"""

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from agents_core.errors import AgentsError
from agents_core.registry import Registry
from agents_core.tools.mcp.errors import (
    McpRefused,
    McpSignInNeeded,
    McpTimeout,
    McpUnreachable,
    first_cause,
    is_closed,
    short,
    told,
)
from agents_core.tools.mcp.oauth import auth_of
from agents_core.tools.mcp.target import Target
from agents_core.tools.mcp.transport import Notes, client_of

if TYPE_CHECKING:
    from anyio import CancelScope
    from httpx2 import Auth
    from mcp import Client
    from mcp.types import CallToolResult

logger = logging.getLogger(__name__)

CONNECT_S = 30.0
"""How long a server may take to start and greet."""

IDLE_S = 300.0
"""A connection that nobody used for so long is closed."""

FOLLOW_AFTER_S = 5.0
"""How long a server that says its tools have changed has to finish changing them."""

LISTENERS = Registry("listener of MCP servers", {"tools": "agents_core.actions.mcp_tools:follow"})
"""Called with the id of a server, its new ``Listing`` and how many ms listing took."""

_CLOSE_S = 5.0
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0
_UNAUTHORIZED = 401
_SESSION_LOST = "Session terminated"

Answer = TypeVar("Answer")


class SessionLost(McpUnreachable):
    """The server has forgotten the session and did nothing: the call can be made again."""


class Connection:
    """One connection, held open by a task of its own: the SDK wants to be entered and left by the same one.

    ``changed`` is called when the server says that its tools are others now."""

    def __init__(
        self,
        target: Target,
        auth: "Callable[[Target], Auth | None]" = auth_of,
        patience_s: float | None = None,
        changed: "Callable[[Connection], None] | None" = None,
    ) -> None:
        self.target = target
        self._auth = auth
        self._patience_s = CONNECT_S if patience_s is None else patience_s
        self._end = asyncio.Event()
        self._notes = Notes(self._end.set, lambda: changed(self) if changed else None)
        self._ready: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self._calls = 0
        self._used_at = monotonic()
        self._failure: BaseException | None = None
        self._scope: CancelScope | None = None
        self._holder = asyncio.create_task(self._hold(), name=f"MCP server {target.name}")

    @property
    def is_closed(self) -> bool:
        return self._end.is_set() or self._holder.done()

    async def client(self) -> "Client":
        """The client, once it is connected. Raises ``McpUnreachable``, ``McpTimeout``, ``McpSignInNeeded``, ``ProgramsForbidden``."""
        return await asyncio.shield(self._ready)

    async def asked(self, ask: "Callable[[Client], Coroutine[Any, Any, Answer]]", within_s: float) -> Answer:
        """What the server answers to ``ask``. Raises as ``client``, and ``McpRefused`` for an error that the server answers."""
        client = await self.client()
        self._calls += 1
        try:
            async with asyncio.timeout(within_s):
                return await ask(client)
        except TimeoutError:
            if self._calls == 1:
                self.end()  # a program that hangs is started anew for the next call
            raise McpTimeout(
                f"The MCP server {self.target.name!r} did not answer within {within_s:g} s: what it did is unknown."
            ) from None
        except Exception as error:  # whatever an SDK makes of a server's answer
            raise self._wrong(error) from error
        finally:
            self._calls -= 1
            self._used_at = monotonic()

    def end(self) -> None:
        """Has it closed, soon; one that is not open yet is given up."""
        self._end.set()
        if self._scope is not None and not self._ready.done():
            self._scope.cancel()

    async def closed(self) -> None:
        """Waits until all of it is gone."""
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._holder), 2 * _CLOSE_S)

    async def _hold(self) -> None:
        try:
            await asyncio.to_thread(import_module, "mcp")
            await self._keep()
        except BaseException as error:
            self._failure = first_cause(error)
            if not self._ready.done():
                self._ready.set_exception(self._not_connected(self._failure))
                self._ready.exception()  # nobody may be waiting any more
            if not isinstance(error, Exception):
                raise
        finally:
            self._end.set()

    async def _keep(self) -> None:
        import anyio

        with anyio.CancelScope(deadline=anyio.current_time() + self._patience_s) as scope:
            self._scope = scope
            async with client_of(self.target, self._notes, self._auth(self.target)) as client:
                scope.deadline = math.inf
                self._ready.set_result(client)
                await self._until_ended()
                scope.deadline = anyio.current_time() + _CLOSE_S
        if not self._ready.done():
            raise TimeoutError

    async def _until_ended(self) -> None:
        """Until somebody ends it, the server does, or nobody has used it for long."""
        while not self._end.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._end.wait(), IDLE_S)
            if not self._calls and monotonic() - self._used_at >= IDLE_S:
                break

    def _not_connected(self, error: BaseException) -> AgentsError:
        if isinstance(error, AgentsError):
            return error
        name, where = self.target.name, self.target.where
        if isinstance(error, TimeoutError):
            return McpTimeout(
                f"The MCP server {name!r} cannot be used: {where} did not answer within {self._patience_s:g} s.{self._words()}"
            )
        if self._is_out(error):
            return McpSignInNeeded(
                f"The MCP server {name!r} asks who you are: sign in on its page, or give it a token that it accepts."
            )
        return McpUnreachable(
            f"The MCP server {name!r} cannot be used: {told(error, where, self._notes.status)}{self._words()}"
        )

    def _wrong(self, error: Exception) -> AgentsError:
        """What went wrong with a question to a server that had been connected."""
        name = self.target.name
        if self._is_out(self._failure or error):
            self.end()
            return McpSignInNeeded(f"The MCP server {name!r} does not let us in any more: sign in again on its page.")
        if is_closed(error) or self._failure is not None:
            why = f" ({short(self._failure)})" if self._failure else ""
            self.end()
            return McpUnreachable(
                f"The MCP server {name!r} ended during the call{why}: what it did is unknown.{self._words()}"
            )
        if str(error) == _SESSION_LOST:
            self.end()
            return SessionLost(f"The MCP server {name!r} has forgotten the session.")
        if hasattr(error, "code"):
            return McpRefused(f"The MCP server {name!r} refused: {short(error)}")
        return McpUnreachable(f"The MCP server {name!r} answered what cannot be read: {short(error)}")

    def _is_out(self, error: BaseException) -> bool:
        """Whether the server wants somebody to sign in, again if it was done before."""
        tried = self.target.sign_in is not None and type(error).__name__.startswith("OAuth")
        return self._notes.status == _UNAUTHORIZED or tried

    def _words(self) -> str:
        words = self._notes.last_words
        return f" Its last words: {words}" if words else ""


@dataclass(frozen=True, slots=True)
class _Failure:
    error: AgentsError
    until: float
    pause_s: float


class Connections:
    """The connections that one event loop keeps."""

    def __init__(self) -> None:
        self._open: dict[Target, Connection] = {}
        self._failed: dict[Target, _Failure] = {}
        self._following: dict[Target, asyncio.Task[None]] = {}

    def _follow(self, connection: Connection) -> None:
        """Has the stored tools made those that the server lists now: soon, and once however often it says so meanwhile."""
        target = connection.target
        if target not in self._following:
            task = self._following[target] = asyncio.create_task(self._list_again(connection))
            task.add_done_callback(lambda _: self._following.pop(target, None))

    async def _list_again(self, connection: Connection) -> None:
        """Over the same connection: a program that is started anew may have other tools."""
        from agents_core.tools.mcp.listing import listing  # It knows connections itself.

        await asyncio.sleep(FOLLOW_AFTER_S)
        began = monotonic()
        try:
            found = await listing(connection)
            await LISTENERS.load("tools")(connection.target.server_id, found, (monotonic() - began) * 1000)
        except AgentsError as error:
            logger.warning("The tools of the MCP server %s were not listed again: %s", connection.target.name, error)
        except Exception:  # the border of a foreign server: what it says must not end the worker's task unseen
            logger.exception("The tools of the MCP server %s were not listed again", connection.target.name)

    async def call(self, target: Target, tool: str, arguments: Mapping[str, Any]) -> "CallToolResult":
        """What the server's tool gives. Raises as ``Connection.asked``; a call is made again only if the server did nothing with it."""
        within_s = float(target.call_timeout_s)
        try:
            return await (await self._connection(target)).asked(lambda c: c.call_tool(tool, dict(arguments)), within_s)
        except SessionLost:
            return await (await self._connection(target)).asked(lambda c: c.call_tool(tool, dict(arguments)), within_s)

    async def _connection(self, target: Target) -> Connection:
        failed = self._failed.get(target)
        if failed is not None and monotonic() < failed.until:
            wait_s = math.ceil(failed.until - monotonic())
            raise type(failed.error)(f"{failed.error.message} It is tried again in {wait_s} s.")
        connection = self._open.get(target)
        if connection is None or connection.is_closed:
            self._forget_old()
            connection = self._open[target] = Connection(target, changed=self._follow)
        try:
            await connection.client()
        except McpUnreachable as error:
            if self._open.get(target) is connection:
                del self._open[target]
                pause_s = min(_LONGEST_PAUSE_S, failed.pause_s * 2) if failed else _FIRST_PAUSE_S
                self._failed[target] = _Failure(error, monotonic() + pause_s, pause_s)
            raise
        self._failed.pop(target, None)
        return connection

    def _forget_old(self) -> None:
        now = monotonic()
        self._open = {target: each for target, each in self._open.items() if not each.is_closed}
        self._failed = {t: each for t, each in self._failed.items() if now < each.until + _LONGEST_PAUSE_S}

    async def aclose(self) -> None:
        following = list(self._following.values())
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)
        ending, self._open = list(self._open.values()), {}
        for connection in ending:
            connection.end()
        await asyncio.gather(*(connection.closed() for connection in ending))


@asynccontextmanager
async def connected(
    target: Target, auth: "Callable[[Target], Auth | None]" = auth_of, patience_s: float | None = None
) -> AsyncIterator[Connection]:
    """A connection for a moment. Raises as ``Connection.client``."""
    connection = Connection(target, auth, patience_s)
    try:
        await connection.client()
        yield connection
    finally:
        connection.end()
        await connection.closed()


_connections: WeakKeyDictionary[asyncio.AbstractEventLoop, Connections] = WeakKeyDictionary()


def connections() -> Connections:
    """The connections of the running event loop."""
    return _connections.setdefault(asyncio.get_running_loop(), Connections())


async def close_connections() -> None:
    """Ends those of the running event loop, if there are any."""
    if kept := _connections.pop(asyncio.get_running_loop(), None):
        await kept.aclose()
