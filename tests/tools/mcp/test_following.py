"""A server that says its tools are others now is listed again."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from asgiref.sync import sync_to_async

from ade.mcp_page import page_context
from agents_core.actions import mcp_tools
from agents_core.models import McpServer, Tool
from agents_core.tools.mcp import connection as connecting
from agents_core.tools.mcp.connection import Connections
from agents_core.tools.mcp.listing import Listing
from tests.mcp_servers.starting import serving, target

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def kept(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Connections]:
    monkeypatch.setattr(connecting, "FOLLOW_AFTER_S", 0.5)
    connections = Connections()
    yield connections
    await connections.aclose()


async def test_the_stored_tools_follow_a_server_that_says_they_have_changed_and_once_for_many_words(
    kept: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored, done = [], asyncio.Event()
    follow = mcp_tools.follow

    async def counting(server_id: str, found: Listing, took_ms: float) -> None:
        await follow(server_id, found, took_ms)
        stored.append(server_id)
        done.set()

    monkeypatch.setattr(mcp_tools, "follow", counting)
    with serving("sse") as server:
        await server.asave()
        await mcp_tools.refresh(server.id)
        assert not await Tool.objects.filter(name="grown").aexists()
        await kept.call(target(server), "grow", {"name": "grown"})
        await asyncio.wait_for(done.wait(), 20)
        await asyncio.sleep(1)
    assert stored == [server.id]
    assert (await Tool.objects.aget(name="grown")).description == "Grown."
    shown = await sync_to_async(page_context)(await McpServer.objects.aget(id=server.id))
    assert (shown["changed"], shown["check"]["unasked"]) == ([("added", ["grown"])], True)


async def test_a_server_that_was_removed_meanwhile_is_left_alone() -> None:
    await mcp_tools.follow("mcp_server-00000000-0000-4000-8000-000000000000", Listing("", "", "", [], [], []), 1.0)
    assert not await Tool.objects.filter(tool_type="external_mcp").aexists()


async def test_a_listing_that_fails_harms_no_call(kept: Connections, monkeypatch: pytest.MonkeyPatch) -> None:
    async def failing(server_id: str, found: Listing, took_ms: float) -> None:
        raise ValueError

    monkeypatch.setattr(mcp_tools, "follow", failing)
    with serving("sse") as server:
        there = target(server)
        await kept.call(there, "grow", {"name": "grown"})
        await asyncio.sleep(1.5)
        assert not (await kept.call(there, "add", {"a": 1, "b": 2})).is_error
