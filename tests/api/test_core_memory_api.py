"""Blocks over HTTP: those of everybody, and those an agent holds."""

from typing import Any

import pytest

from tests.api.conftest import Agents, Api

FOREIGN = "block-00000000-0000-4000-8000-000000000000"


async def events_of(agent_id: str, kind: str) -> list[Any]:
    from agents_core.events.subscribe import read

    return [stored.event for stored in await read(agent_id, 0) if stored.event.type == kind]


async def test_a_block_is_made_changed_found_and_deleted(api: Api) -> None:
    block = await api.post("/blocks/", {"label": "facts", "value": "one", "tags": ["t"], "metadata": {"a": 1}})
    assert (block["limit"], block["read_only"], block["description"]) == (100_000, False, None)
    path = f"/blocks/{block['id']}"
    changed = await api.patch(path, {"value": "two", "limit": None, "read_only": True})
    assert (changed["value"], changed["limit"], changed["read_only"]) == ("two", 100_000, True)
    assert await api.get(path) == changed
    assert [each["id"] for each in await api.get("/blocks/", value_search="TW", tags=["t"])] == [block["id"]]
    assert await api.get("/blocks/", label="other") == []
    assert await api.delete(path) is None
    assert (await api.call("GET", path))[0] == 404


async def test_a_value_over_the_limit_is_refused_and_nothing_changes(api: Api) -> None:
    block = await api.post("/blocks/", {"label": "facts", "value": "one", "limit": 5})
    status, body = await api.call("PATCH", f"/blocks/{block['id']}", {"value": "too long"})
    assert (status, body["detail"]) == (422, "Edit failed: Exceeds 5 character limit (requested 8)")
    assert (await api.get(f"/blocks/{block['id']}"))["value"] == "one"


async def test_an_agents_block_is_read_and_changed_by_its_label(api: Api, make_agent: Agents) -> None:
    agent = await make_agent(memory_blocks=[{"label": "human/notes", "value": "a"}])
    path = f"/agents/{agent['id']}/core-memory/blocks"
    [listed] = await api.get(path)
    assert await api.get(f"{path}/human%2Fnotes") == listed
    assert (await api.call("GET", f"{path}/nothing"))[0] == 404
    plain = await api.post("/blocks/", {"label": "plain", "value": "b"})
    await api.patch(f"{path}/attach/{plain['id']}")
    assert (await api.patch(f"{path}/plain", {"value": "c"}))["value"] == "c"
    assert (await api.get(f"{path}/plain"))["value"] == "c"
    assert await api.get(path, order="asc", after=listed["id"]) == [await api.get(f"/blocks/{plain['id']}")]


async def test_attaching_twice_changes_nothing_and_detaching_what_is_not_there_is_404(
    api: Api, make_agent: Agents
) -> None:
    agent, block = await make_agent(), await api.post("/blocks/", {"label": "a", "value": ""})
    path = f"/agents/{agent['id']}/core-memory/blocks"
    for _ in range(2):
        state = await api.patch(f"{path}/attach/{block['id']}")
        assert [each["id"] for each in state["blocks"]] == [block["id"]]
    assert len(await events_of(agent["id"], "block.changed")) == 1
    assert (await api.patch(f"{path}/detach/{block['id']}"))["blocks"] == []
    assert (await api.call("PATCH", f"{path}/detach/{block['id']}"))[0] == 404
    assert (await api.call("PATCH", f"{path}/attach/{FOREIGN}"))[0] == 404
    assert (await api.call("PATCH", f"{path}/attach/block-1"))[0] == 422


async def test_two_blocks_with_one_label_cannot_be_held(api: Api, make_agent: Agents) -> None:
    agent = await make_agent(memory_blocks=[{"label": "a"}])
    other = await api.post("/blocks/", {"label": "a", "value": ""})
    status, body = await api.call("PATCH", f"/agents/{agent['id']}/core-memory/blocks/attach/{other['id']}")
    assert (status, "already has a block labelled 'a'" in body["detail"]) == (409, True)


async def test_every_holder_of_a_shared_block_is_told_of_a_change_with_its_author(api: Api, make_agent: Agents) -> None:
    block = await api.post("/blocks/", {"label": "shared", "value": "1"})
    agents = [await make_agent(block_ids=[block["id"]]) for _ in range(2)]
    await api.patch(f"/blocks/{block['id']}", {"value": "2"})
    await api.patch(f"/blocks/{block['id']}", {"metadata": {"unseen": True}})
    told = [await events_of(agent["id"], "block.changed") for agent in agents]
    # The first held it already when the second got it.
    assert [[event.change for event in events] for events in told] == [
        ["attached", "shared", "edited"],
        ["attached", "edited"],
    ]
    assert {(events[-1].version, events[-1].author) for events in told} == {(2, "api")}
    holders = await api.get(f"/blocks/{block['id']}/agents", order="asc")
    assert [each["id"] for each in holders] == [agent["id"] for agent in agents]
    assert await api.get("/blocks/", connected_to_agents_count_gt=1) == await api.get("/blocks/")
    assert await api.get("/blocks/", connected_to_agents_count_eq=[0, 1]) == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"label": ""},
        {"label": 1, "value": ""},
        {"label": "a", "limit": -1},
        {"label": "a", "limit": 10**20},
        "x",
        None,
    ],
)
async def test_a_malformed_block_is_refused(api: Api, body: Any) -> None:
    status, answer = await api.call("POST", "/blocks/", body)
    assert (status, isinstance(answer["detail"], str)) == (422, True)
