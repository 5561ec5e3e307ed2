"""The event loop of the server's processes: uvloop, which needs less time for each message, and asyncio's own on Windows."""

import asyncio
import sys


def new_event_loop() -> asyncio.AbstractEventLoop:
    if sys.platform == "win32":
        return asyncio.new_event_loop()
    import uvloop

    return uvloop.new_event_loop()
