"""Running a coroutine from a plain test, leaving nothing open."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from agents_core.models.pipeline import close_pool
from agents_core.runtime.providers import connections
from agents_core.tools.execute import close_sandbox

Result = TypeVar("Result")


def finish(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """The result of ``coroutine``, run in an event loop of its own whose connections are closed after it."""

    async def main() -> Result:
        try:
            return await coroutine
        finally:
            await connections().aclose()
            await close_sandbox()
            await close_pool()

    return asyncio.run(main())
