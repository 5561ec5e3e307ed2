"""Running a coroutine from a plain test, leaving nothing open but connections to the database."""

import asyncio
import atexit
from collections.abc import Coroutine
from functools import cache
from typing import Any, TypeVar

from agents_core.models.pipeline import close_pool
from agents_core.runtime.providers import connections
from agents_core.tools.execute import close_sandbox

Result = TypeVar("Result")


def finish(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """The result of ``coroutine``."""

    async def main() -> Result:
        try:
            return await coroutine
        finally:
            await connections().aclose()
            await close_sandbox()

    return _runner().run(main())


@cache
def _runner() -> asyncio.Runner:
    """One event loop for all: the connections to the database are its own, and new ones cost more than most coroutines."""
    runner = asyncio.Runner()
    atexit.register(_close, runner)
    return runner


def _close(runner: asyncio.Runner) -> None:
    with runner:
        runner.run(close_pool())
