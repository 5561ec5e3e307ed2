"""Branches compared over the API."""

import asyncio
from typing import Any

import pytest

from tests.api.conftest import Agents, Api


async def told_twice(api: Api, make_agent: Agents) -> dict[str, Any]:
    agent = await make_agent(memory_blocks=[{"label": "human", "value": "Ada."}])
    for words in ("I live in Porto.", "Where do I live?"):
        await api.post(f"/agents/{agent['id']}/messages", {"input": words})
    return agent


async def ended(api: Api, comparison_id: str) -> dict[str, Any]:
    async with asyncio.timeout(30):
        while True:
            told = await api.get(f"/comparisons/{comparison_id}")
            statuses = {run["status"] for branch in told["branches"] for run in branch["runs"]}
            if not statuses & {"created", "running"}:
                return dict(told)
            await asyncio.sleep(0.1)


@pytest.mark.timeout(180)
@pytest.mark.usefixtures("running")
async def test_branches_run_are_read_adopted_and_taken_away(api: Api, make_agent: Agents) -> None:
    agent = await told_twice(api, make_agent)
    branches = [{"blocks": {"human": "Lives in Oslo."}}, {"system": "Be brief.", "label": "brief"}]
    made = await api.post("/comparisons/", {"agent_id": agent["id"], "from_step": 1, "branches": branches})
    told = await ended(api, made["id"])
    assert [(each["letter"], each["label"]) for each in told["branches"]] == [("B", "other human"), ("C", "brief")]
    assert [run["status"] for each in told["branches"] for run in each["runs"]] == ["completed"] * 4
    assert [each["id"] for each in await api.get("/agents/")] == [agent["id"]]
    steps = await api.get("/steps/", agent_id=told["branches"][0]["agent_id"])
    assert steps
    await api.post(f"/comparisons/{made['id']}/branches/{told['branches'][1]['id']}/adopt")
    assert (await api.get(f"/agents/{agent['id']}"))["system"] == "Be brief."
    await api.delete(f"/comparisons/{made['id']}/branches/{told['branches'][0]['id']}")
    assert [each["letter"] for each in (await api.get(f"/comparisons/{made['id']}"))["branches"]] == ["C"]
    assert [each["id"] for each in await api.get("/comparisons/", agent_id=agent["id"])] == [made["id"]]
    await api.delete(f"/comparisons/{made['id']}")
    assert await api.get("/comparisons/") == []


@pytest.mark.usefixtures("running")
async def test_malformed_and_impossible_comparisons_are_refused(api: Api, make_agent: Agents) -> None:
    agent = await told_twice(api, make_agent)
    nobody = "agent-00000000-0000-4000-8000-000000000000"
    valid: dict[str, Any] = {"agent_id": agent["id"], "from_step": 1}
    for body, status in (
        ({}, 422),
        ({**valid, "from_step": "one"}, 422),
        ({**valid, "from_step": 0}, 422),
        ({**valid, "from_step": 10**30}, 422),
        ({**valid, "branches": [{}] * 9}, 422),
        ({**valid, "branches": [{"colour": "red"}]}, 422),
        ({**valid, "branches": [{"model": "gpt"}]}, 400),
        ({**valid, "from_step": 99}, 404),
        ({**valid, "agent_id": nobody}, 404),
    ):
        assert (await api.call("POST", "/comparisons/", body))[0] == status, body
    made = await api.post("/comparisons/", {**valid, "branches": [{}], "run": False})
    branch = made["branches"][0]["id"]
    for path, status in (("cancel", 409), (f"branches/{branch}/adopt", 400), ("branches/variant-1/adopt", 404)):
        assert (await api.call("POST", f"/comparisons/{made['id']}/{path}"))[0] == status
    assert (await api.call("GET", "/comparisons/comparison-1"))[0] == 404
