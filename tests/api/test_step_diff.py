"""``GET /v1/steps/{id}/diff``: two steps of one agent, by id or number, always in the order of time."""

from typing import Any

import pytest

from tests.api.conftest import Agents, Api

pytestmark = pytest.mark.usefixtures("running")


async def told(api: Api, agent: dict[str, Any], *texts: str) -> list[dict[str, Any]]:
    """The steps of the agent, oldest first, after it was told so."""
    for text in texts:
        await api.post(f"/agents/{agent['id']}/messages", {"input": text})
    steps: list[dict[str, Any]] = await api.get("/steps/", agent_id=agent["id"], order="asc", limit=100)
    return steps


@pytest.fixture
async def agent(make_agent: Agents) -> dict[str, Any]:
    return await make_agent(memory_blocks=[{"label": "human", "value": ""}])


async def test_a_rewritten_block_is_told_in_words_with_the_step_that_wrote_it(api: Api, agent: dict[str, Any]) -> None:
    steps = await told(api, agent, "My name is Ada and I live in Porto.", "Hello.")
    first, last = steps[0], steps[-1]
    by_id = await api.get(f"/steps/{first['id']}/diff", to=last["id"])
    assert by_id["older"] == {"id": first["id"], "number": 1}
    assert by_id["newer"]["id"] == last["id"]
    [block] = [each for each in by_id["segments"] if each["kind"] == "core"]
    assert (block["change"], block["label"]) == ("rewritten", "human")
    assert block["step"] < by_id["newer"]["number"]
    added = "".join(word["text"] for word in block["words"] if word["op"] == "added")
    assert "Porto" in added
    assert "".join(word["text"] for word in block["words"] if word["op"] != "removed") == block["text"]
    changes = [each["change"] for each in by_id["segments"]]
    assert by_id["totals"] == {change: changes.count(change) for change in by_id["totals"]}
    assert by_id["totals"]["added"] > 0

    by_number = await api.get(f"/steps/{first['id']}/diff", to=by_id["newer"]["number"])
    backwards = await api.get(f"/steps/{last['id']}/diff", to=1)
    assert by_id == by_number == backwards


async def test_a_step_that_is_not_there_or_of_another_agent_is_refused(
    api: Api, agent: dict[str, Any], make_agent: Agents
) -> None:
    [step, *_] = await told(api, agent, "Hello.")
    [other, *_] = await told(api, await make_agent(), "Hello.")
    nowhere = "step-00000000-0000-4000-8000-000000000000"
    refusals = {"99": 404, nowhere: 404, other["id"]: 404, "": 422, "-1": 422, "two": 422, "9" * 30: 422}
    for to, expected in refusals.items():
        status, body = await api.call("GET", f"/steps/{step['id']}/diff", to=to)
        assert status == expected, to
        assert expected == 422 or to in str(body)
    assert (await api.call("GET", f"/steps/{step['id']}/diff"))[0] == 422
    assert (await api.call("GET", f"/steps/{nowhere}/diff", to="1"))[0] == 404
