"""Streams whose run nobody has taken up, as no worker is here."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from agents_core.actions.messages import Input, SentRun, send
from agents_core.api import sse
from agents_core.api.sse import Stream, frames
from agents_core.api.wire import view_of
from agents_core.events.hub import hub
from tests.api.conftest import Agents, Api


async def queued(agent: dict[str, Any]) -> SentRun:
    return await send(agent["id"], [Input("user", [{"type": "text", "text": "hello"}])])


def stream_of(agent: dict[str, Any], run: SentRun, **more: Any) -> AsyncIterator[bytes]:
    return frames(Stream(agent["id"], run.run_id, run.first_seq, view_of(agent["agent_type"]), **more))


async def exhaust(stream: AsyncIterator[bytes]) -> None:
    """Reads as the web server does."""
    async for _ in stream:
        pass


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "PING_S", 0.05)


async def test_a_reader_that_leaves_hangs_up_its_bell(make_agent: Agents) -> None:
    agent = await make_agent()
    reading = asyncio.create_task(exhaust(stream_of(agent, await queued(agent))))
    while not hub()._bells:
        assert not reading.done()
        await asyncio.sleep(0.01)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert not hub()._bells


async def test_a_silent_run_is_kept_alive_by_pings_or_by_comments(make_agent: Agents, impatient: None) -> None:
    agent = await make_agent()
    run = await queued(agent)
    pinged, silent = stream_of(agent, run), stream_of(agent, run, pings=False)
    assert all(b'"message_type":"ping"' in each for each in [await anext(pinged) for _ in range(4)])
    assert {await anext(silent) for _ in range(3)} == {b": still here\n\n"}


async def test_the_stream_of_a_deleted_run_ends_and_says_so(api: Api, make_agent: Agents, impatient: None) -> None:
    agent = await make_agent()
    stream = stream_of(agent, await queued(agent))
    await anext(stream)
    await api.delete(f"/agents/{agent['id']}")
    text = b"".join([chunk async for chunk in stream]).decode()
    *_, error, done = text.strip().split("\n\n")
    assert error.startswith("event: error\ndata: ")
    assert json.loads(error.partition("data: ")[2])["error_type"] == "stream_incomplete"
    assert done == "data: [DONE]"


async def test_a_cancelled_run_ends_its_stream_with_that_reason(api: Api, make_agent: Agents) -> None:
    agent = await make_agent()
    run = await queued(agent)
    stream = stream_of(agent, run)
    await anext(stream)
    assert await api.post(f"/agents/{agent['id']}/messages/cancel") == {run.run_id: "cancelled"}
    text = b"".join([chunk async for chunk in stream]).decode()
    assert text.endswith('data: {"message_type":"stop_reason","stop_reason":"cancelled"}\n\ndata: [DONE]\n\n')
    assert (await api.get(f"/runs/{run.run_id}"))["status"] == "cancelled"
