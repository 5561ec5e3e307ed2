"""What the tests of the stream need: a committed database, and an event loop of each test's own, with a hub nobody has used."""

from collections.abc import AsyncIterator
from inspect import iscoroutinefunction

import pytest
import pytest_asyncio


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name == "events" and iscoroutinefunction(getattr(item, "obj", None)):
            item.add_marker(pytest.mark.asyncio(loop_scope="function"), append=False)


@pytest_asyncio.fixture(autouse=True, loop_scope="function")
async def database(transactional_db: None) -> AsyncIterator[None]:
    from agents_core.models.pipeline import close_pool

    yield
    await close_pool()
