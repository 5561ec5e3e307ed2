"""The ASGI application: guard, then static files, the API with no middleware, the MCP server, pages with all of it, websockets."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ade.settings")
django.setup()

from asgiref.sync import ThreadSensitiveContext  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.conf import settings  # noqa: E402
from django.contrib.staticfiles.finders import get_finders  # noqa: E402
from django.core.handlers.asgi import ASGIHandler  # noqa: E402
from django.core.handlers.exception import convert_exception_to_response  # noqa: E402
from django.core.signals import request_started  # noqa: E402
from django.db import close_old_connections, reset_queries  # noqa: E402
from servestatic import ServeStaticASGI  # noqa: E402

from ade.languages import speaking  # noqa: E402
from ade.middleware import API_PREFIXES, Asgi, Guard, Receive, Scope, Send, policy_from_settings  # noqa: E402
from ade.routing import websocket_urlpatterns  # noqa: E402
from agents_core.api.mcp.endpoint import PATH, endpoint  # noqa: E402

# A request leaves its thread to the next in good order. To look after it once more at the start of each costs a hop to the thread.
request_started.disconnect(reset_queries)
request_started.disconnect(close_old_connections)


class ApiHandler(ASGIHandler):
    """Django without middleware: sessions, CSRF and messages mean nothing to the API; each costs a hop to a thread."""

    def load_middleware(self, is_async: bool = False) -> None:
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        self._middleware_chain = convert_exception_to_response(self._get_response_async)  # type: ignore[attr-defined]


def static_files(otherwise: Asgi) -> Asgi:
    versioned = settings.STATIC_URL
    server = ServeStaticASGI(
        otherwise,
        autorefresh=settings.DEBUG,
        max_age=0,
        allow_all_origins=False,
        immutable_file_test=lambda _path, url: url.startswith(versioned) and not settings.DEBUG,
    )
    for finder in get_finders():
        for storage in getattr(finder, "storages", {}).values():
            if Path(storage.location).is_dir():
                server.add_files(storage.location, prefix=versioned)
    return cast("Asgi", server)


IDLE_THREADS = 16
"""How many threads are kept for the synchronous parts of the requests to come."""


def http(api: Asgi, mcp: Asgi, pages: Asgi) -> Asgi:
    """Each request has one thread for what is synchronous in it, and leaves it to the next: Django alone would start two for each."""
    idle: list[ThreadPoolExecutor] = []

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        handler = api if path.startswith(API_PREFIXES) else mcp if path.rstrip("/") == PATH else pages
        thread = idle.pop() if idle else ThreadPoolExecutor(1, "request")
        try:
            async with ThreadSensitiveContext(executor=thread):
                await handler(scope, receive, send)
        finally:
            if len(idle) < IDLE_THREADS:
                idle.append(thread)
            else:
                thread.shutdown(wait=False)

    return route


def websocket(routes: Asgi) -> Asgi:
    """Closes a socket to an unknown address, which the router alone would answer with a traceback."""

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await routes(scope, receive, send)
        except ValueError as error:
            if "No route found" not in str(error):
                raise
            await send({"type": "websocket.close", "code": 4404})

    return route


application = Guard(
    ProtocolTypeRouter(
        {
            "http": http(api=ApiHandler(), mcp=endpoint, pages=static_files(otherwise=speaking(ASGIHandler()))),
            "websocket": speaking(websocket(URLRouter(websocket_urlpatterns))),
        }
    ),
    policy_from_settings(),
)
