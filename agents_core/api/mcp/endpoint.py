"""The MCP server at ``/mcp``: streamable HTTP without sessions, so that any web process can answer any request."""

import asyncio
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from asgiref.sync import sync_to_async
from django.db import connections

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

PATH = "/mcp"

_REFUSED = b'{"detail": "This is an MCP server: speak to it with POST, as MCP clients do."}'

_managers: "WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[StreamableHTTPSessionManager]]" = (
    WeakKeyDictionary()
)
_holders: set[asyncio.Task[None]] = set()


async def endpoint(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The ASGI application."""
    if scope["method"] != "POST":  # there is no session to listen to or to end
        headers = [(b"content-type", b"application/json"), (b"allow", b"POST")]
        await send({"type": "http.response.start", "status": 405, "headers": headers})
        await send({"type": "http.response.body", "body": _REFUSED})
        return
    manager = await _manager()
    try:
        await manager.handle_request(scope, receive, send)
    finally:
        await sync_to_async(connections.close_all)()  # as Django does after a request of its own


async def _manager() -> "StreamableHTTPSessionManager":
    """The event loop's manager of requests, made with the first one: importing the SDK takes a while."""
    loop = asyncio.get_running_loop()
    if loop not in _managers:
        _managers[loop] = loop.create_task(_started(), name="start MCP server")
    return await asyncio.shield(_managers[loop])


async def _started() -> "StreamableHTTPSessionManager":
    manager = await asyncio.to_thread(_made)
    ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    holder = asyncio.create_task(_hold(manager, ready), name="MCP server")
    _holders.add(holder)
    holder.add_done_callback(_holders.discard)
    await ready
    return manager


def _made() -> "StreamableHTTPSessionManager":
    from mcp.server.transport_security import TransportSecuritySettings

    from agents_core.api.mcp.offers import server

    guarded = TransportSecuritySettings(
        enable_dns_rebinding_protection=False
    )  # the guard before us looks at hosts and origins
    server.streamable_http_app(stateless_http=True, transport_security=guarded)
    return server.session_manager


async def _hold(manager: "StreamableHTTPSessionManager", ready: "asyncio.Future[None]") -> None:
    """The SDK wants its manager entered and left by one task."""
    async with manager.run():
        ready.set_result(None)
        await asyncio.Event().wait()
