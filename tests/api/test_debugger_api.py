"""Breakpoints and pauses over HTTP."""

from typing import Any

import pytest

from agents_core.runtime.loop import execute
from tests.api.conftest import Api
from tests.runtime.test_breakpoints import writer
from tests.runtime.world import everything_closed, said, value_of


@pytest.fixture(autouse=True)
async def closed() -> Any:
    async with everything_closed():
        yield


async def test_a_run_is_stopped_mended_and_let_go_on_by_requests_alone(api: Api) -> None:
    agent = await writer()
    made = await api.post(f"/agents/{agent.id}/breakpoints", {"kind": "tool", "target": "core_memory_append"})
    assert (made["agent_id"], made["hits"], made["enabled"]) == (agent.id, 0, True)
    run_id = await said(agent, "Hello")
    await execute(agent.id, run_id, None, 1)
    assert (await api.get(f"/runs/{run_id}"))["status"] == "running"
    [pause] = await api.get(f"/agents/{agent.id}/pauses", standing=True)
    assert (pause["stage"], pause["reasons"][0]["breakpoint_id"]) == ("answer", made["id"])
    arguments = {"label": "human", "content": "Likes coffee."}
    edit = {"kind": "arguments", "target": pause["reasons"][0]["call_id"], "value": arguments}
    assert (await api.post(f"/agents/{agent.id}/pauses/{pause['id']}/edits", edit))["kind"] == "arguments"
    resumed = await api.post(f"/agents/{agent.id}/pauses/{pause['id']}/resume", {"how": "continue"})
    assert (resumed["resolution"], len(resumed["interventions"])) == ("continue", 1)
    await execute(agent.id, run_id, None, 1)
    assert await value_of(agent) == "Her name is Ada.\nLikes coffee."
    assert await api.get(f"/agents/{agent.id}/pauses", standing=True) == []
    assert [each["hits"] for each in await api.get(f"/agents/{agent.id}/breakpoints")] == [1]


async def test_breakpoints_of_all_agents_are_listed_changed_and_deleted(api: Api) -> None:
    agent = await writer()
    made = await api.post("/breakpoints/", {"kind": "context", "threshold": 80})
    assert [each["id"] for each in await api.get(f"/agents/{agent.id}/breakpoints")] == [made["id"]]
    changed = await api.patch(f"/breakpoints/{made['id']}", {"threshold": 70, "enabled": False})
    assert (changed["threshold"], changed["enabled"], changed["kind"]) == (70, False, "context")
    await api.delete(f"/breakpoints/{made['id']}")
    assert await api.get("/breakpoints/") == []


async def test_another_agents_pause_is_not_found_and_nonsense_refused(api: Api) -> None:
    agent, other = await writer(), await writer()
    await api.post(f"/agents/{agent.id}/breakpoints", {"kind": "answer"})
    await execute(agent.id, await said(agent, "Hello"), None, 1)
    [pause] = await api.get(f"/agents/{agent.id}/pauses")
    for path, body, expected in (
        (f"/agents/{other.id}/pauses/{pause['id']}/resume", {}, 404),
        (f"/agents/{other.id}/pauses/{pause['id']}/edits", {"kind": "system", "value": "x"}, 404),
        (f"/agents/{agent.id}/pauses/{pause['id']}/resume", {"how": "sideways"}, 422),
        (f"/agents/{agent.id}/pauses/{pause['id']}/edits", {"kind": "arguments", "target": "x", "value": 3}, 404),
        (f"/agents/{agent.id}/pauses/pause-nobody/resume", {}, 404),
        (f"/agents/{other.id}/pause", {}, 409),
        (f"/agents/{agent.id}/breakpoints", {"kind": "text"}, 422),
        (f"/agents/{agent.id}/breakpoints", {"kind": "tool", "condition": "tol == 1"}, 400),
        (f"/agents/{agent.id}/breakpoints", {"kind": "tool", "colour": "red"}, 422),
    ):
        status, answered = await api.call("POST", path, body)
        assert status == expected, (path, body, answered)
