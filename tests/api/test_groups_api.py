"""Groups, sleep-time agents and proposals over HTTP."""

import json
from typing import Any

import pytest

from tests.api.conftest import Agents, Api

NOBODY = "00000000-0000-4000-8000-000000000000"


async def test_a_group_is_made_listed_changed_and_deleted(api: Api, make_agent: Agents) -> None:
    first, second = await make_agent(name="One"), await make_agent(name="Two")
    group = await api.post("/groups/", {"agent_ids": [first["id"], second["id"]], "description": "Two heads."})
    assert (group["manager_type"], group["agent_ids"]) == ("round_robin", [first["id"], second["id"]])
    assert (group["turns_counter"], group["manager_agent_id"]) == (-1, None)
    path = f"/groups/{group['id']}"
    assert await api.get(path) == group
    assert await api.get("/groups/") == [group]
    assert await api.get("/groups/", manager_type="dynamic") == []
    assert await api.get("/groups/count") == 1
    assert await api.get(f"/agents/{second['id']}/groups") == [group]
    changed = await api.patch(path, {"manager_config": {"manager_type": "round_robin", "max_turns": 4}, "hidden": True})
    assert (changed["max_turns"], changed["description"]) == (4, "Two heads.")
    assert await api.get("/groups/") == []
    assert await api.get("/groups/", show_hidden_groups=True) == [changed]
    assert await api.delete(path) is None
    assert (await api.call("GET", path))[0] == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"agent_ids": []}, 400),
        ({"agent_ids": [f"agent-{NOBODY}"]}, 404),
        ({"agent_ids": [f"agent-{NOBODY}"], "manager_config": {"manager_type": "anarchy"}}, 422),
        ({"agent_ids": [f"agent-{NOBODY}"], "manager_config": {"manager_type": "dynamic"}}, 400),
    ],
)
async def test_a_malformed_group_is_refused(api: Api, body: dict[str, Any], status: int) -> None:
    assert (await api.call("POST", "/groups/", body))[0] == status


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("GET", "/messages"),
        ("GET", "/turns"),
        ("PATCH", "/reset-messages"),
        ("GET", f"/turns/group_turn-{NOBODY}"),
        ("POST", f"/turns/group_turn-{NOBODY}/cancel"),
        ("PATCH", f"/blocks/attach/block-{NOBODY}"),
        ("PATCH", f"/blocks/detach/block-{NOBODY}"),
    ],
)
async def test_a_group_that_is_not_there_is_404(api: Api, method: str, path: str) -> None:
    assert (await api.call(method, f"/groups/group-{NOBODY}{path}", {} if method == "PATCH" else None))[0] == 404


@pytest.mark.usefixtures("running")
async def test_a_group_answers_with_what_each_of_its_agents_said(api: Api, make_agent: Agents) -> None:
    first, second = await make_agent(name="One"), await make_agent(name="Two")
    group = await api.post("/groups/", {"agent_ids": [first["id"], second["id"]]})
    answer = await api.post(f"/groups/{group['id']}/messages", {"input": "Hello, who are you?"})
    assert answer["stop_reason"]["stop_reason"] == "end_turn"
    spoke = [each for each in answer["messages"] if each["message_type"] == "assistant_message"]
    assert [(each["name"], each["sender_id"]) for each in spoke] == [("One", first["id"]), ("Two", second["id"])]
    assert answer["usage"]["step_count"] >= 2
    assert answer["usage"]["total_tokens"] > 0
    listed = await api.get(f"/groups/{group['id']}/messages")
    assert {each["id"] for each in spoke} <= {each["id"] for each in listed}
    [turn] = await api.get(f"/groups/{group['id']}/turns")
    assert (turn["status"], len(turn["run_ids"])) == ("completed", 2)
    assert await api.get(f"/groups/{group['id']}/turns/{turn['id']}") == turn
    status, body = await api.call("POST", f"/groups/{group['id']}/turns/{turn['id']}/cancel")
    assert (status, "already" in body["detail"]) == (409, True)
    await api.patch(f"/groups/{group['id']}/reset-messages")
    assert len((await api.get(f"/agents/{first['id']}"))["message_ids"]) == 1


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("tokens", [True, False])
async def test_a_group_streams_what_its_agents_say_one_after_the_other(
    api: Api, make_agent: Agents, tokens: bool
) -> None:
    made = [await make_agent(name=name) for name in ("One", "Two")]
    group = await api.post("/groups/", {"agent_ids": [agent["id"] for agent in made]})
    response: Any = await api.client.post(
        f"/v1/groups/{group['id']}/messages",
        json.dumps({"input": "Hello", "streaming": True, "stream_tokens": tokens}),
        content_type="application/json",
    )
    raw = b"".join([chunk async for chunk in response.streaming_content]).decode()
    lines = [line.removeprefix("data: ") for line in raw.split("\n") if line.startswith("data: ")]
    assert lines[-1] == "[DONE]"
    frames = [json.loads(line) for line in lines[:-1]]
    assert [each["message_type"] for each in frames[-2:]] == ["stop_reason", "usage_statistics"]
    assert frames[0]["message_type"] == "ping"
    runs = list(dict.fromkeys(each["run_id"] for each in frames if each["message_type"] == "assistant_message"))
    [turn] = await api.get(f"/groups/{group['id']}/turns")
    assert runs == turn["run_ids"]


async def test_a_group_can_be_asked_without_waiting(api: Api, make_agent: Agents) -> None:
    group = await api.post("/groups/", {"agent_ids": [(await make_agent())["id"]]})
    turn = await api.post(f"/groups/{group['id']}/messages/async", {"input": "Hello"})
    assert (turn["status"], turn["group_id"]) == ("created", group["id"])
    assert await api.get(f"/groups/{group['id']}/turns", active=True) == [turn]
    assert (await api.call("POST", f"/groups/{group['id']}/messages", {"input": "x", "background": True}))[0] == 422


# --- sleep-time --------------------------------------------------------------------------------------------------------


async def test_an_agent_with_sleeptime_shows_its_group_whose_settings_can_be_changed(
    api: Api, make_agent: Agents
) -> None:
    agent = await make_agent(name="Ada", enable_sleeptime=True)
    group = agent["managed_group"]
    assert (group["manager_type"], group["sleeptime_agent_frequency"]) == ("sleeptime", 5)
    assert agent["multi_agent_group"] == group
    path = f"/agents/{agent['id']}"
    assert (await api.get(path, include="agent.managed_group"))["managed_group"] == group
    assert (await api.get(path))["managed_group"] is None
    config = {"manager_type": "sleeptime", "sleeptime_agent_frequency": 2, "sleeptime_idle_s": 60}
    changed = await api.patch(f"/groups/{group['id']}", {"manager_config": config})
    assert (changed["sleeptime_agent_frequency"], changed["sleeptime_idle_s"]) == (2, 60)
    off = {"manager_type": "sleeptime", "sleeptime_idle_s": 0}
    assert (await api.patch(f"/groups/{group['id']}", {"manager_config": off}))["sleeptime_idle_s"] is None
    [companion] = group["agent_ids"]
    assert (await api.get(f"/agents/{companion}"))["name"] == "Ada-sleeptime"
    await api.delete(f"/agents/{companion}")
    left = await api.get(path, include="agent.managed_group")
    assert (left["enable_sleeptime"], left["managed_group"]) == (False, None)


@pytest.mark.usefixtures("running")
async def test_the_answer_names_the_sleeptime_runs_that_it_has_called(api: Api, make_agent: Agents) -> None:
    agent = await make_agent(enable_sleeptime=True)
    first = await api.post(f"/agents/{agent['id']}/messages", {"input": "I like tea."})
    second = await api.post(f"/agents/{agent['id']}/messages", {"input": "And cake."})
    [run_id] = first["usage"]["run_ids"]
    assert second["usage"]["run_ids"] is None
    run = await api.get(f"/runs/{run_id}")
    assert run["agent_id"] == agent["managed_group"]["agent_ids"][0]
    assert run["metadata"]["run_type"] == "sleeptime_agent_send_message_async"


async def test_patching_the_switch_makes_the_companion(api: Api, make_agent: Agents) -> None:
    agent = await make_agent(name="Ada")
    changed = await api.patch(f"/agents/{agent['id']}", {"enable_sleeptime": True})
    assert changed["managed_group"]["manager_agent_id"] == agent["id"]
    assert [tool["name"] for tool in changed["tools"]] == [tool["name"] for tool in agent["tools"]]


# --- proposals ---------------------------------------------------------------------------------------------------------


async def _propose(block: dict[str, Any], agent: dict[str, Any], value: str) -> str:
    from agents_core.models import BlockProposal

    proposal = await BlockProposal.objects.acreate(
        block_id=block["id"], base_version=1, value=value, agent_id=agent["id"]
    )
    return str(proposal.id)


async def test_a_proposal_is_listed_and_accepted_or_declined(api: Api, make_agent: Agents) -> None:
    agent = await make_agent(memory_blocks=[{"label": "human", "value": "Ada lives in Kiel.", "review": True}])
    [block] = agent["blocks"]
    assert block["review"] is True
    path = f"/blocks/{block['id']}/proposals"
    first = await _propose(block, agent, "Ada lives in Bremen.")
    [listed] = await api.get(path)
    assert (listed["id"], listed["value"], listed["status"]) == (first, "Ada lives in Bremen.", "pending")
    accepted = await api.post(f"{path}/{first}/accept")
    assert accepted["value"] == "Ada lives in Bremen."
    second = await _propose(block, agent, "Ada lives in Rome.")
    status, body = await api.call("POST", f"{path}/{second}/accept")
    assert (status, "same words" in body["detail"]) == (409, True)
    assert (await api.post(f"{path}/{second}/decline"))["status"] == "declined"
    assert (await api.call("POST", f"{path}/{second}/decline"))[0] == 409
    assert await api.get(path, status="pending") == []
    assert [each["id"] for each in await api.get(path, order="asc")] == [first, second]
    assert (await api.call("POST", f"{path}/proposal-{NOBODY}/accept"))[0] == 404
    assert (await api.call("GET", f"/blocks/block-{NOBODY}/proposals"))[0] == 404


# --- kinds -------------------------------------------------------------------------------------------------------------


async def test_the_fields_of_a_kind_go_through_the_api(api: Api, make_agent: Agents) -> None:
    agent = await make_agent(
        agent_type="memgpt_agent", include_multi_agent_tools=True, llm_config={"put_inner_thoughts_in_kwargs": True}
    )
    assert agent["llm_config"]["put_inner_thoughts_in_kwargs"] is True
    assert "send_message_to_agent_async" in {tool["name"] for tool in agent["tools"]}
    assert {"type": "exit_loop", "tool_name": "send_message"} in agent["tool_rules"]
    assert len(agent["message_ids"]) == 4
    plain = await make_agent(agent_type="memgpt_agent", initial_message_sequence=[], include_base_tool_rules=False)
    assert (len(plain["message_ids"]), plain["tool_rules"]) == (1, [])
    await api.patch(f"/agents/{plain['id']}/reset-messages", {"add_default_initial_messages": True})
    assert len((await api.get(f"/agents/{plain['id']}"))["message_ids"]) == 4
    status, body = await api.call("POST", "/agents/", {"agent_type": "voice_convo_agent", "model": "offline/rules"})
    assert (status, "enable_sleeptime" in body["detail"]) == (400, True)
