"""What the tests of the record need: a committed database, and connections to it."""

from collections.abc import AsyncIterator

import pytest


@pytest.fixture
async def database(transactional_db: None, pool: None) -> AsyncIterator[None]:
    from asgiref.sync import sync_to_async

    from agents_core.actions.tools import ensure_builtin_tools
    from tests.runtime.world import everything_closed

    await sync_to_async(ensure_builtin_tools)()
    async with everything_closed():
        yield
