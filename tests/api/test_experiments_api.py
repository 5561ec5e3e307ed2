"""Model calls made again, over the API."""

import asyncio
from typing import Any

import pytest

from tests.api.conftest import Agents, Api


async def asked(api: Api, agent: dict[str, Any]) -> dict[str, Any]:
    """The step of an agent that has answered once."""
    await api.post(f"/agents/{agent['id']}/messages", {"input": "I live in Porto."})
    step: dict[str, Any] = (await api.get("/steps/", agent_id=agent["id"], order="asc"))[0]
    return step


async def ended(api: Api, experiment_id: str) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while (told := await api.get(f"/experiments/{experiment_id}"))["status"] in ("created", "running"):
            await asyncio.sleep(0.05)
    return dict(told)


@pytest.mark.usefixtures("running")
async def test_a_call_is_made_again_and_its_answer_has_an_address(api: Api, make_agent: Agents) -> None:
    agent = await make_agent(memory_blocks=[{"label": "human", "value": "Ada."}])
    step = await asked(api, agent)
    history = await api.get(f"/agents/{agent['id']}/messages")
    changes = {"blocks": {"human": "Lives in Porto."}, "system": "Be brief."}
    made = await api.post("/experiments/", {"step_id": step["id"], "changes": changes})
    told = await ended(api, made["id"])
    assert (told["status"], told["changes"]) == ("completed", changes)
    assert told["answer"]["calls"] or told["answer"]["text"]
    trace = await api.get(f"/experiments/{made['id']}/trace")
    assert "Lives in Porto." in trace["request"]
    assert [each["id"] for each in await api.get("/experiments/", step_id=step["id"])] == [made["id"]]
    assert await api.get(f"/agents/{agent['id']}/messages") == history
    await api.delete(f"/experiments/{made['id']}")
    assert (await api.call("GET", f"/experiments/{made['id']}"))[0] == 404


@pytest.mark.usefixtures("running")
async def test_malformed_and_impossible_experiments_are_refused(api: Api, make_agent: Agents) -> None:
    step = await asked(api, await make_agent())
    nobody = "step-00000000-0000-4000-8000-000000000000"
    for body, status in (
        ({}, 422),
        ({"step_id": "7"}, 422),
        ({"step_id": nobody}, 404),
        ({"step_id": step["id"], "changes": {"tools": []}}, 422),
        ({"step_id": step["id"], "changes": {"blocks": {"nothing": "x"}}}, 400),
        ({"step_id": step["id"], "changes": {"model": "gpt"}}, 400),
    ):
        assert (await api.call("POST", "/experiments/", body))[0] == status, body
    made = await api.post("/experiments/", {"step_id": step["id"]})
    await ended(api, made["id"])
    assert (await api.call("POST", f"/experiments/{made['id']}/cancel"))[0] == 409
