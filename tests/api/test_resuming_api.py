"""A stream in the background that was lost: asked for again, it is the same run; resumed, it goes on where it was left."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from agents_core.models import Run
from tests.api.conftest import Agents, Api
from tests.api.test_messages_api import frames, of_type

pytestmark = pytest.mark.usefixtures("running")


def background(*otids: str, **more: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": "hello", "otid": otid} for otid in otids]
    return {"messages": messages, "streaming": True, "stream_tokens": True, "background": True, **more}


def run_of(found: list[tuple[str | None, Any]]) -> str:
    return str(next(data["run_id"] for _, data in found if isinstance(data, dict) and data.get("run_id")))


def numbers(found: list[tuple[str | None, Any]]) -> list[int]:
    return [data["seq_id"] for _, data in found if isinstance(data, dict) and data.get("seq_id")]


async def conversation_of(api: Api, agent: dict[str, Any]) -> str:
    return str((await api.call("POST", "/conversations/", {}, agent_id=agent["id"]))[1]["id"])


@pytest.mark.parametrize("thread", ["agent", "conversation"])
async def test_the_same_otids_give_the_same_run(api: Api, make_agent: Agents, thread: str) -> None:
    agent = await make_agent()
    path = f"/agents/{agent['id']}/messages"
    if thread == "conversation":
        path = f"/conversations/{await conversation_of(api, agent)}/messages"
    otids = [str(uuid4()), str(uuid4())]
    first = await frames(api, path, background(*otids))
    again = await frames(api, path, background(*otids))
    assert (run_of(again), numbers(again)) == (run_of(first), numbers(first))
    assert len(await api.get("/runs/")) == 1
    other = await frames(api, path, background(otids[0], str(uuid4())))
    assert run_of(other) != run_of(first)


async def test_the_same_request_twice_at_once_is_one_run(api: Api, make_agent: Agents) -> None:
    agent = await make_agent()
    body = background(str(uuid4()))
    found = await asyncio.gather(*(frames(api, f"/agents/{agent['id']}/messages", body) for _ in range(5)))
    assert len({run_of(each) for each in found}) == 1
    assert len(await api.get("/runs/")) == 1


async def test_threads_and_foreground_runs_are_told_apart(api: Api, make_agent: Agents) -> None:
    agent = await make_agent()
    otid = str(uuid4())
    await frames(api, f"/agents/{agent['id']}/messages", background(otid))
    await frames(api, f"/conversations/{await conversation_of(api, agent)}/messages", background(otid))
    for _ in range(2):
        body = {"messages": [{"role": "user", "content": "hello", "otid": otid}]}
        await api.post(f"/agents/{agent['id']}/messages", body)
    assert len(await api.get("/runs/")) == 4


async def test_an_async_message_sent_again_is_the_same_run(api: Api, make_agent: Agents) -> None:
    agent = await make_agent()
    body = {"messages": [{"role": "user", "content": "hello", "otid": str(uuid4())}]}
    sent = [await api.post(f"/agents/{agent['id']}/messages/async", body) for _ in range(2)]
    assert sent[0]["id"] == sent[1]["id"]


async def test_a_conversation_is_resumed_by_its_latest_run_by_otid_or_by_run(api: Api, make_agent: Agents) -> None:
    agent = await make_agent()
    conversation = await conversation_of(api, agent)
    path, otid = f"/conversations/{conversation}", str(uuid4())
    assert (await api.call("POST", f"{path}/stream", {}))[0] == 400
    found = await frames(api, f"{path}/messages", background(otid))
    for asked in ({"otid": otid}, {"run_id": run_of(found)}):
        assert numbers(await frames(api, f"{path}/stream", asked)) == numbers(found)
    assert (await api.call("POST", f"{path}/stream", {}))[0] == 400


async def test_a_conversation_is_followed_while_its_run_is_on(
    api: Api, make_agent: Agents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OFFLINE_DELAY_MS", "40")
    agent = await make_agent()
    conversation = await conversation_of(api, agent)
    sending = asyncio.create_task(frames(api, f"/conversations/{conversation}/messages", background(str(uuid4()))))
    while not await Run.objects.filter(conversation=conversation).aexists():
        await asyncio.sleep(0.01)
    following = await frames(api, f"/conversations/{conversation}/stream", {})
    assert numbers(following) == numbers(await sending)
    assert of_type(following, "usage_statistics")


async def test_every_place_of_a_stream_can_be_resumed(api: Api, make_agent: Agents) -> None:
    agent = await make_agent()
    found = await frames(api, f"/agents/{agent['id']}/messages", background(str(uuid4())))
    run_id, seen = run_of(found), numbers(found)
    for place, number in enumerate(seen):
        rest = await frames(api, f"/runs/{run_id}/stream", {"starting_after": number})
        assert numbers(rest) == seen[place + 1 :]


async def test_a_stream_that_ended_long_ago_is_only_told_whole(api: Api, make_agent: Agents) -> None:
    agent = await make_agent()
    found = await frames(api, f"/agents/{agent['id']}/messages", background(str(uuid4())))
    run_id = run_of(found)
    await Run.objects.filter(pk=run_id).aupdate(completed_at=timezone.now() - timedelta(hours=4))
    assert (await api.call("POST", f"/runs/{run_id}/stream", {"starting_after": 1}))[0] == 410
    assert of_type(await frames(api, f"/runs/{run_id}/stream", {}), "assistant_message")


async def test_messages_sent_while_a_run_is_on_are_answered_in_order(api: Api, make_agent: Agents) -> None:
    agent = await make_agent()
    runs = [await api.post(f"/agents/{agent['id']}/messages/async", {"input": str(n)}) for n in range(4)]
    async with asyncio.timeout(20):
        while (await api.get(f"/runs/{runs[-1]['id']}"))["status"] != "completed":
            await asyncio.sleep(0.02)
    history = await api.get(f"/agents/{agent['id']}/messages", order="asc", include_return_message_types="user_message")
    assert [each["content"] for each in history] == ["0", "1", "2", "3"]
    ends = [(await api.get(f"/runs/{run['id']}"))["completed_at"] for run in runs]
    assert ends == sorted(ends)


async def test_a_conversation_is_cancelled_and_no_other(
    api: Api, make_agent: Agents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OFFLINE_DELAY_MS", "60000")
    agent = await make_agent()
    one, other = await conversation_of(api, agent), await conversation_of(api, agent)
    body = {"input": "hello", "streaming": True, "background": True}
    streams = [asyncio.create_task(frames(api, f"/conversations/{each}/messages", body)) for each in (one, other)]
    while await Run.objects.filter(agent=agent["id"], status="running").acount() < 2:
        await asyncio.sleep(0.02)
    cancelled = await api.post(f"/conversations/{one}/cancel")
    found = await asyncio.wait_for(streams[0], 10)
    assert list(cancelled.values()) == ["cancelled"]
    assert of_type(found, "stop_reason") == [{"message_type": "stop_reason", "stop_reason": "cancelled"}]
    assert await Run.objects.filter(conversation=other, status="running").aexists()
    await api.post(f"/conversations/{other}/cancel")
    await asyncio.wait_for(streams[1], 10)


@pytest.mark.parametrize("tokens", [False, True])
async def test_a_resumed_stream_shows_what_the_request_asked_for(api: Api, make_agent: Agents, tokens: bool) -> None:
    agent = await make_agent(agent_type="memgpt_agent")
    kinds = ["reasoning_message", "tool_call_message"]
    asked = background(str(uuid4()), use_assistant_message=False, include_return_message_types=kinds)
    found = await frames(api, f"/agents/{agent['id']}/messages", asked | {"stream_tokens": tokens})
    again = await frames(api, f"/runs/{run_of(found)}/stream", {})
    calls = of_type(found, "tool_call_message")
    assert isinstance(calls[0]["tool_calls"], dict if tokens else list)
    assert [data for _, data in again[1:]] == [data for _, data in found[1:]]
