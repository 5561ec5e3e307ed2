"""What every test of time travel needs. Django is not set up yet when this file is imported."""

from collections.abc import AsyncIterator

import pytest


@pytest.fixture(autouse=True)
async def database(transactional_db: None, pool: None) -> AsyncIterator[None]:
    """A database whose writes are committed, with the builtin tools in it."""
    from asgiref.sync import sync_to_async

    from agents_core.actions.tools import ensure_builtin_tools
    from tests.runtime.world import everything_closed

    await sync_to_async(ensure_builtin_tools)()
    async with everything_closed():
        yield
