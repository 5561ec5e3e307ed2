"""Agents over HTTP."""

from typing import Any

import pytest

from tests.api.conftest import Agents, Api

UNKNOWN = "agent-00000000-0000-4000-8000-000000000000"


async def test_a_new_agent_has_the_defaults_of_its_kind_and_its_prompt_compiled(api: Api) -> None:
    agent = await api.post("/agents/", {})
    assert (agent["agent_type"], agent["model"], agent["timezone"]) == ("letta_v1_agent", "offline/rules", "UTC")
    assert {tool["name"] for tool in agent["tools"]} == {"conversation_search", "memory_replace", "memory_insert"}
    [system] = await api.get(f"/agents/{agent['id']}/messages")
    assert (system["message_type"], system["id"]) == ("system_message", agent["message_ids"][0])
    assert agent["system"][:40] in system["content"]
    assert agent["id"] in system["content"]


async def test_an_agent_is_made_with_blocks_tools_secrets_and_an_opening(api: Api) -> None:
    shared = await api.post("/blocks/", {"label": "company", "value": "ACME"})
    agent = await api.post(
        "/agents/",
        {
            "name": "Ada's friend",
            "agent_type": "memgpt_agent",
            "memory_blocks": [{"label": "human", "value": "Ada"}, {"label": "persona", "value": "kind", "limit": 100}],
            "block_ids": [shared["id"]],
            "tools": ["archival_memory_insert"],
            "secrets": {"KEY": "value"},
            "tags": ["a", "b"],
            "initial_message_sequence": [{"role": "assistant", "content": "Hello!"}, {"role": "user", "content": "Hi"}],
            "max_tokens": 500,
        },
    )
    assert [block["label"] for block in agent["blocks"]] == ["human", "persona", "company"]
    assert agent["memory"]["blocks"] == agent["blocks"]
    assert agent["blocks"][0]["description"]
    assert [(each["key"], each["value"]) for each in agent["secrets"]] == [("KEY", "value")]
    assert agent["model_settings"]["max_output_tokens"] == 500
    assert len({tool["name"] for tool in agent["tools"]}) == len(agent["tools"]) == 7
    shown = await api.get(f"/agents/{agent['id']}/messages")
    assert [each["message_type"] for each in shown] == ["system_message", "assistant_message", "user_message"]
    assert "Ada" in shown[0]["content"]


@pytest.mark.parametrize(
    ("fields", "status", "sentence"),
    [
        ({"name": "a/b"}, 422, "no name for an agent"),
        ({"name": "a" * 256}, 422, "at most 255"),
        ({"memory_blocks": [{"label": "a" * 256}]}, 422, "at most 255"),
        ({"model_settings": {"temperature": "hot"}}, 422, "temperature of model_settings is a number"),
        ({"model_settings": {"temperature": 2.5}}, 422, "temperature of model_settings is a number"),
        ({"model_settings": {"max_output_tokens": True}}, 422, "max_output_tokens of model_settings"),
        ({"model_settings": {"reasoning": "high"}}, 422, "reasoning of model_settings is an object"),
        ({"response_format": {"type": "banana"}}, 422, "json_object"),
        ({"response_format": {"type": "json_schema", "json_schema": {}}}, 422, "json_schema needs"),
        ({"model_settings": {"response_format": {}, "unheard": [1]}, "response_format": {"type": "x"}}, 422, "text"),
        (
            {"tool_rules": [{"type": "max_count_per_step", "tool_name": "x", "max_count_limit": -1}]},
            422,
            "0 or more",
        ),
        ({"timezone": "Mars/Base"}, 422, "no time zone"),
        ({"model": "gpt"}, 400, "provider/model"),
        ({"model": "nobody/gpt"}, 404, "No provider named 'nobody'"),
        ({"tools": ["fly"]}, 404, "no tool named fly"),
        ({"tool_ids": ["tool-x"]}, 404, "no tool tool-x"),
        ({"block_ids": ["block-x"]}, 404, "no block block-x"),
        ({"memory_blocks": [{"label": "a"}, {"label": "a"}]}, 400, "two are labelled a"),
        ({"memory_blocks": [{"label": "a", "value": "xx", "limit": 1}]}, 422, "Exceeds 1 character limit"),
        ({"agent_type": "robot"}, 422, "agent_type"),
        ({"context_window_limit": 3}, 422, "context_window_limit"),
        ({"identity_ids": ["identity-1"]}, 400, "identities"),
        ({"folder_ids": ["source-1"]}, 404, "no folder source-1"),
        ({"tool_rules": [{"type": "fly"}]}, 422, "no tool rule of type 'fly'"),
        ({"tool_rules": [{"type": "conditional", "tool_name": "a"}]}, 422, "needs child_output_mapping, a dict"),
        ({"tool_rules": [{"type": "requires_approval"}]}, 422, "tool_name"),
        ({"tool_rules": [{"type": "requires_approval", "tool_name": ""}]}, 422, "needs tool_name"),
        (
            {"tool_rules": [{"type": "exit_loop", "tool_name": "a", "children": 5}]},
            422,
            "children of a tool rule is a list",
        ),
        ({"tool_rules": [{"type": "exit_loop", "tool_name": "a", "default_child": []}]}, 422, "default_child"),
        ([], 422, "dictionary"),
    ],
)
async def test_what_cannot_be_made_is_refused_with_the_reason_and_leaves_nothing(
    api: Api, fields: Any, status: int, sentence: str
) -> None:
    answered, body = await api.call("POST", "/agents/", fields)
    assert (answered, sentence in body["detail"]) == (status, True), body
    assert await api.get("/agents/") == []
    assert await api.get("/blocks/") == []


async def test_relations_come_only_when_asked_for(api: Api, make_agent: Agents) -> None:
    agent = await make_agent(memory_blocks=[{"label": "human", "value": "Ada"}], secrets={"K": "v"})
    bare = await api.get(f"/agents/{agent['id']}")
    assert (bare["blocks"], bare["tools"], bare["secrets"], bare["memory"]["blocks"]) == ([], [], [], [])
    full = await api.get(f"/agents/{agent['id']}", include=["agent.blocks", "agent.tools"])
    assert (len(full["blocks"]), len(full["tools"]), full["secrets"]) == (1, 3, [])
    [legacy] = await api.get("/agents", include_relationships=["memory", "secrets"])
    assert (len(legacy["blocks"]), len(legacy["secrets"]), legacy["tools"]) == (1, 1, [])


async def test_agents_are_found_by_name_tags_and_text_and_hidden_ones_are_not(api: Api, make_agent: Agents) -> None:
    await make_agent(name="Ada", tags=["x", "y"], description="counts")
    await make_agent(name="Bob", tags=["y"])
    await make_agent(name="Sub", tags=["role:subagent"])

    async def names(**query: Any) -> list[str]:
        return [agent["name"] for agent in await api.get("/agents/", order="asc", **query)]

    assert await names() == ["Ada", "Bob"]
    assert await names(name="Bob") == ["Bob"]
    assert await names(tags=["x", "y"]) == ["Ada", "Bob"]
    assert await names(tags=["x", "y"], match_all_tags=True) == ["Ada"]
    assert await names(query_text="COUNT") == ["Ada"]
    assert await names(show_hidden_agents=True) == ["Ada", "Bob", "Sub"]
    assert await api.get("/tags/") == ["role:subagent", "x", "y"]
    assert await api.get("/tags/", after="x", limit=1) == ["y"]


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_paging_reaches_every_agent_once_in_both_directions(api: Api, make_agent: Agents, order: str) -> None:
    made = [(await make_agent())["id"] for _ in range(7)]
    expected = made if order == "asc" else made[::-1]
    forward: list[str] = []
    while rows := await api.get("/agents/", order=order, limit=3, **({"after": forward[-1]} if forward else {})):
        forward += [row["id"] for row in rows]
    backward: list[str] = []
    start = expected[-1]
    while rows := await api.get("/agents/", order=order, limit=3, before=start):
        backward = [row["id"] for row in rows] + backward
        start = backward[0]
    assert (forward, backward) == (expected, expected[:-1])


async def test_a_change_keeps_what_is_null_and_replaces_lists(api: Api, make_agent: Agents) -> None:
    agent = await make_agent(tags=["a"], description="d", model_settings={"temperature": 0.5})
    block = await api.post("/blocks/", {"label": "new", "value": "v"})
    changed = await api.patch(
        f"/agents/{agent['id']}",
        {"name": "New", "description": None, "tags": [], "block_ids": [block["id"]], "tool_ids": [], "max_tokens": 9},
    )
    assert (changed["name"], changed["description"], changed["tags"]) == ("New", "d", [])
    assert ([each["label"] for each in changed["blocks"]], changed["tools"]) == (["new"], [])
    assert changed["model_settings"] == {"temperature": 0.5, "max_output_tokens": 9}


async def test_the_context_can_be_chosen_and_reset(api: Api, make_agent: Agents) -> None:
    opening = [{"role": "user", "content": str(number)} for number in range(4)]
    agent = await make_agent(initial_message_sequence=opening)
    ids = agent["message_ids"]
    chosen = [ids[0], ids[3], ids[1]]
    assert (await api.patch(f"/agents/{agent['id']}", {"message_ids": chosen}))["message_ids"] == chosen
    status, body = await api.call("PATCH", f"/agents/{agent['id']}", {"message_ids": ids[1:]})
    assert (status, "first message" in body["detail"]) == (400, True)
    assert (await api.patch(f"/agents/{agent['id']}/reset-messages", {}))["message_ids"] == ids[:1]
    assert len(await api.get(f"/agents/{agent['id']}/messages")) == 5


async def test_recompiling_shows_the_memory_of_this_moment(api: Api, make_agent: Agents) -> None:
    agent = await make_agent(memory_blocks=[{"label": "human", "value": "old"}])
    await api.patch(f"/agents/{agent['id']}/core-memory/blocks/human", {"value": "brand new"})
    dry = await api.call("POST", f"/agents/{agent['id']}/recompile?dry_run=true")
    assert "brand new" in dry[1]
    assert "brand new" not in (await api.get(f"/agents/{agent['id']}/messages"))[0]["content"]
    await api.post(f"/agents/{agent['id']}/recompile")
    assert "brand new" in (await api.get(f"/agents/{agent['id']}/messages"))[0]["content"]


async def test_the_context_overview_adds_up(api: Api, make_agent: Agents) -> None:
    agent = await make_agent(
        memory_blocks=[{"label": "human", "value": "Ada"}], initial_message_sequence=[{"role": "user", "content": "Hi"}]
    )
    context = await api.get(f"/agents/{agent['id']}/context")
    parts = [value for name, value in context.items() if name.startswith("num_tokens_")]
    assert context["context_window_size_current"] == sum(parts)
    assert (context["num_messages"], len(context["functions_definitions"])) == (2, 3)
    assert "Ada" in context["core_memory"]
    assert context["context_window_size_max"] >= 1024


async def test_a_deleted_agent_is_gone_and_its_blocks_stay(api: Api, make_agent: Agents) -> None:
    agent = await make_agent(memory_blocks=[{"label": "human", "value": "Ada"}], secrets={"K": "v"})
    await api.post(f"/agents/{agent['id']}/archival-memory", {"text": "a fact"})
    assert agent["id"] in (await api.delete(f"/agents/{agent['id']}"))["message"]
    assert (await api.call("GET", f"/agents/{agent['id']}"))[0] == 404
    assert [block["value"] for block in await api.get("/blocks/")] == ["Ada"]


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_an_unknown_agent_is_404_and_a_malformed_id_422(api: Api, method: str) -> None:
    body: Any = {} if method == "PATCH" else None
    assert await api.call(method, f"/agents/{UNKNOWN}", body) == (404, {"detail": "Agent not found"})
    status, answer = await api.call(method, "/agents/agent-1", body)
    assert (status, isinstance(answer["detail"], str)) == (422, True)
