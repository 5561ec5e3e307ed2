"""The web server, on a socket that ``serve`` has opened: ``python -m … <file descriptor>``.

Daphne, or uvicorn where it is installed with its fast parts: the application is the same, uvicorn needs less time for a request.
"""

import gc
import socket
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from agents_core.management.event_loop import new_event_loop

_CLOSE_PATIENCE_S = 1
# The extra "fast". uvicorn alone comes with another package, and without these it serves no websockets.
_FAST = ("uvicorn", "httptools", "websockets")


def main(descriptor: int) -> None:
    (_uvicorn if all(map(find_spec, _FAST)) else _daphne)(descriptor)
    gc.freeze()  # Else Python looks through all objects several times before it ends, which takes it a second.


def _uvicorn(descriptor: int) -> None:
    import uvicorn

    config = uvicorn.Config(
        _application(),
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        ws_max_size=2**20,
        timeout_graceful_shutdown=_CLOSE_PATIENCE_S,
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=descriptor)])


def _daphne(descriptor: int) -> None:
    # TLS is a proxy's work. Twisted takes a missing OpenSSL well, and loading it would cost a tenth of the whole start.
    sys.modules["OpenSSL"] = None  # type: ignore[assignment]
    from twisted.internet import asyncioreactor

    asyncioreactor.install(new_event_loop())  # type: ignore[no-untyped-call]
    from daphne.server import Server

    Server(
        _application(),
        endpoints=[f"fd:fileno={descriptor}"],
        http_timeout=None,
        websocket_timeout=-1,
        application_close_timeout=_CLOSE_PATIENCE_S,
        verbosity=0,
        server_name="",
    ).run()


def _application() -> Any:
    from django.conf import settings

    module, _, name = settings.ASGI_APPLICATION.rpartition(".")
    application = getattr(import_module(module), name)
    gc.freeze()  # What was imported stays: the collector need not look through it again and again.
    return application


if __name__ == "__main__":
    main(int(sys.argv[1]))
