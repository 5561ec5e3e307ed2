"""Forks, rewinds and branches over HTTP."""

import pytest
from asgiref.sync import sync_to_async

from agents_core.memory.digest import state_digest
from agents_core.models import Agent
from tests.api.conftest import Agents, Api

BLOCKS = [{"label": "human", "value": "Name: Bo."}]


async def spoken_to(api: Api, make_agent: Agents, *texts: str) -> str:
    agent_id: str = (await make_agent(memory_blocks=BLOCKS))["id"]
    for text in texts:
        await api.post(f"/agents/{agent_id}/messages", {"input": text})
    return agent_id


async def test_an_agent_is_forked_rewound_brought_back_and_takes_over_its_fork(
    api: Api, make_agent: Agents, running: None
) -> None:
    agent_id = await spoken_to(api, make_agent, "My name is Inês.", "I moved to Lisbon.")
    now = (await api.get(f"/agents/{agent_id}/branches"))["digest"]
    forked = await api.post(f"/agents/{agent_id}/fork", {"step": 3, "name": "Elsewhere", "blocks": {"human": "New."}})
    assert (forked["name"], [block["value"] for block in forked["blocks"]]) == ("Elsewhere", ["New."])
    branch = await api.post(f"/agents/{agent_id}/rewind", {"step": 3, "name": "As it was"})
    assert (branch["name"], branch["cause"], branch["step_number"], branch["digest"]) == ("As it was", "rewind", 3, now)
    messages = await api.get(f"/agents/{agent_id}/messages", limit="100")
    assert "noted" not in str(messages[-1]).lower()  # what was said after it is no more
    await api.post(f"/agents/{agent_id}/branches/{branch['id']}/come-back")
    listed = await api.get(f"/agents/{agent_id}/branches")
    assert listed["digest"] == now
    assert [each["cause"] for each in listed["branches"]] == ["come_back", "rewind"]
    assert [(each["agent_id"], each["step_number"]) for each in listed["forks"]] == [(forked["id"], 3)]
    await api.post(f"/agents/{agent_id}/adopt", {"fork_id": forked["id"]})
    of_fork = await api.get(f"/agents/{forked['id']}/branches")
    assert (await api.get(f"/agents/{agent_id}/branches"))["digest"] == of_fork["digest"]
    assert of_fork["origin"]["parent_id"] == agent_id


@pytest.mark.parametrize(
    ("verb", "body", "status"),
    [
        ("fork", {"step": 99}, 404),
        ("fork", {"step": 0}, 422),
        ("fork", {"step": "x"}, 422),
        ("fork", {"step": 10**30}, 422),
        ("fork", {"name": "a/b"}, 422),
        ("fork", {"blocks": {"nobody": "x"}}, 422),
        ("fork", {"surprise": 1}, 422),
        ("fork", {"conversation_id": "conv-11111111-1111-4111-8111-111111111111"}, 404),
        ("rewind", {}, 422),
        ("rewind", {"step": 99}, 404),
        ("rewind", {"step": 1, "name": "x" * 201}, 422),
        ("branches/nobody/come-back", {}, 404),
        ("adopt", {"fork_id": "agent-11111111-1111-4111-8111-111111111111"}, 404),
    ],
)
async def test_what_cannot_be_is_refused_and_changes_nothing(
    api: Api, make_agent: Agents, verb: str, body: dict[str, object], status: int
) -> None:
    agent_id = (await make_agent(memory_blocks=BLOCKS))["id"]
    before = await sync_to_async(state_digest)(agent_id)
    answered, error = await api.call("POST", f"/agents/{agent_id}/{verb}", body)
    assert answered == status, error
    assert error["detail"]
    assert await sync_to_async(state_digest)(agent_id) == before
    assert await Agent.objects.acount() == 1
