"""Runs over HTTP: lists, traces, and budgets as clients set them."""

import asyncio
from typing import Any

import pytest

from tests.api.conftest import Agents, Api
from tests.api.test_messages_api import frames


async def ended(api: Api, run_id: str) -> Any:
    async with asyncio.timeout(20):
        while (run := await api.get(f"/runs/{run_id}"))["status"] in ("created", "running"):
            await asyncio.sleep(0.02)
    return run


async def test_runs_are_filtered_by_each_of_their_facts(api: Api, make_agent: Agents) -> None:
    one, other = await make_agent(), await make_agent()
    conversation = (await api.call("POST", "/conversations/", {}, agent_id=one["id"]))[1]["id"]
    a = (await api.post(f"/agents/{one['id']}/messages/async", {"input": "a"}))["id"]
    await api.post(f"/agents/{one['id']}/messages/cancel")
    b = (await api.post(f"/agents/{other['id']}/messages/async", {"input": "b"}))["id"]

    async def found(**query: Any) -> list[str]:
        return [run["id"] for run in await api.get("/runs/", **query)]

    assert await found() == [b, a]
    assert await found(order="asc") == await found(ascending="true") == [a, b]
    assert await found(agent_id=one["id"]) == [a]
    assert await found(agent_ids=[one["id"], other["id"]]) == [b, a]
    assert await found(active="true") == await found(statuses="created") == [b]
    assert await found(statuses=["cancelled", "created"]) == [b, a]
    assert await found(stop_reason="cancelled") == [a]
    assert await found(background="false") == await found(conversation_id=conversation) == []
    assert await found(after=b) == await found(limit=1, order="asc") == [a]
    assert await found(before=a) == [b]
    assert (await api.call("GET", "/runs/", statuses="odd"))[0] == 422
    assert (await api.call("DELETE", f"/runs/{b}"))[0] == 409


@pytest.mark.usefixtures("running")
async def test_the_trace_of_a_run_is_a_tree_of_spans(api: Api, make_agent: Agents) -> None:
    agent = await make_agent(agent_type="memgpt_agent", memory_blocks=[{"label": "human", "value": ""}])
    run = await ended(
        api, (await api.post(f"/agents/{agent['id']}/messages/async", {"input": "My name is Ada."}))["id"]
    )
    spans = await api.get(f"/runs/{run['id']}/trace")
    by_id = {span["span_id"]: span for span in spans}
    assert (spans[0]["name"], spans[0]["parent_span_id"], spans[0]["duration_ns"]) == (
        "run",
        None,
        run["total_duration_ns"],
    )
    assert {span["parent_span_id"] for span in spans[1:]} <= set(by_id)
    kinds = {span["name"].partition(" ")[0] for span in spans}
    assert kinds == {"run", "step", "model", "tool"}
    for span in spans[1:]:
        assert span["start_time_ns"] >= by_id[span["parent_span_id"]]["start_time_ns"] - 5_000_000
    assert len(await api.get(f"/runs/{run['id']}/trace", limit=2)) == 2
    assert (await api.call("GET", "/runs/run-0/trace"))[0] == 404


async def test_budgets_are_set_changed_and_taken_away(api: Api, make_agent: Agents) -> None:
    agent = await make_agent(budgets={"max_run_tokens": 1000, "max_run_s": 2.5})
    path = f"/agents/{agent['id']}"
    assert agent["budgets"] == {"max_run_tokens": 1000, "max_run_s": 2.5}
    changed = await api.patch(path, {"budgets": {"max_run_s": None, "max_day_cost_usd": 0.5}})
    assert changed["budgets"] == {"max_run_tokens": 1000, "max_day_cost_usd": 0.5}
    assert (await api.patch(path, {"budgets": None, "name": "Same"}))["budgets"] == changed["budgets"]
    assert (await api.get(path))["budgets"] == changed["budgets"]
    assert (await api.call("PATCH", path, {"budgets": {"max_songs": 3}}))[0] == 422
    assert (await api.call("POST", f"{path}/messages", {"input": "x", "budgets": {"max_day_tokens": 3}}))[0] == 422


@pytest.mark.usefixtures("running")
async def test_a_run_over_budget_says_so_on_every_path(api: Api, make_agent: Agents) -> None:
    agent = await make_agent()
    await api.post(f"/agents/{agent['id']}/messages", {"input": "Hello."})
    await api.patch(f"/agents/{agent['id']}", {"budgets": {"max_day_tokens": 1}})
    status, body = await api.call("POST", f"/agents/{agent['id']}/messages", {"input": "Hello."})
    assert (status, "max_day_tokens" in body["detail"]) == (402, True)
    found = await frames(api, f"/agents/{agent['id']}/messages", {"input": "Hello.", "streaming": True})
    assert found[-3][1]["stop_reason"] == "max_tokens_exceeded"
    assert (found[-2][0], "max_day_tokens" in found[-2][1]["message"]) == ("error", True)
    run = await ended(api, (await api.post(f"/agents/{agent['id']}/messages/async", {"input": "Hello."}))["id"])
    assert (run["status"], run["metadata"]["error"]["code"]) == ("failed", "budget_exceeded")


async def test_a_run_remembers_how_its_messages_were_to_be_shown(api: Api, make_agent: Agents) -> None:
    agent = await make_agent()
    body = {"input": "x", "use_assistant_message": False, "include_return_message_types": ["assistant_message"]}
    config = (await api.post(f"/agents/{agent['id']}/messages/async", body))["request_config"]
    assert (config["use_assistant_message"], config["include_return_message_types"]) == (False, ["assistant_message"])
