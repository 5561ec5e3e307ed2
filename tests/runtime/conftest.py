"""What every test of the runtime needs. Django is not set up yet when this file is imported."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.llm.fake_server import FakeModelServer


@pytest.fixture(autouse=True)
async def database(transactional_db: None, pool: None) -> AsyncIterator[None]:
    """A database whose writes are committed, with the builtin tools in it."""
    from asgiref.sync import sync_to_async

    from agents_core.actions.tools import ensure_builtin_tools
    from tests.runtime.world import everything_closed

    await sync_to_async(ensure_builtin_tools)()
    async with everything_closed():
        yield


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeModelServer]:
    """A model server that the providers openai, anthropic and ollama are set up to ask."""
    with FakeModelServer() as server:
        for name in ("OPENAI", "OLLAMA"):
            monkeypatch.setenv(f"{name}_BASE_URL", server.url)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.origin)
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
        yield server
