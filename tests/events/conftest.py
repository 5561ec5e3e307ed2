"""What the tests of the stream need: a committed database, and connections that go with the test's event loop."""

from collections.abc import AsyncIterator

import pytest


@pytest.fixture(autouse=True)
async def database(transactional_db: None) -> AsyncIterator[None]:
    from agents_core.models.pipeline import close_pool

    yield
    await close_pool()
