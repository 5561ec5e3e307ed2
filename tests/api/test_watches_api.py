"""Watches over the API: made, changed, taken away; their values, and the step at which an expression became true."""

from typing import Any

import pytest

from tests.api.conftest import Agents, Api, worker_beside

NOBODY = "agent-00000000-0000-4000-8000-000000000000"


@pytest.fixture
async def agent(api: Api, make_agent: Agents) -> dict[str, Any]:
    return await make_agent(memory_blocks=[{"label": "human", "value": "Ada"}])


async def test_a_watch_is_made_listed_changed_and_taken_away(
    api: Api, agent: dict[str, Any], make_agent: Agents
) -> None:
    path = f"/agents/{agent['id']}/watches"
    made = await api.post(path, {"expression": " len(block.human) ", "name": "Length"})
    everywhere = await api.post(path, {"expression": "cost", "everywhere": True})
    assert (made["expression"], made["name"], made["agent_id"]) == ("len(block.human)", "Length", agent["id"])
    assert [each["id"] for each in await api.get(path)] == [made["id"], everywhere["id"]]
    other = await make_agent()
    assert [each["id"] for each in await api.get(f"/agents/{other['id']}/watches")] == [everywhere["id"]]
    changed = await api.patch(f"{path}/{made['id']}", {"expression": "len(context)"})
    assert (changed["expression"], changed["name"]) == ("len(context)", "Length")
    assert await api.get(f"{path}/{made['id']}") == changed
    await api.delete(f"{path}/{made['id']}")
    assert (await api.call("GET", f"{path}/{made['id']}"))[0] == 404


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"expression": "len(blok)"}, 400, "Column 5: Unknown name `blok`: did you mean `block`?"),
        ({"expression": ""}, 400, "Write an expression"),
        ({"expression": "x" * 3_000}, 400, "at most 1,000 characters"),
        ({"expression": "x" * 30_000}, 422, "expression"),
        ({"expression": 7}, 422, "expression"),
        ({"expression": "cost", "name": "n" * 200}, 422, "at most 100 characters"),
        ({"expression": "cost", "color": "red"}, 422, "color"),
        ({}, 422, "expression"),
    ],
)
async def test_what_is_no_watch_is_refused(api: Api, agent: dict[str, Any], body: Any, status: int, told: str) -> None:
    answered, detail = await api.call("POST", f"/agents/{agent['id']}/watches", body)
    assert (answered, told in detail["detail"]) == (status, True), detail
    assert await api.get(f"/agents/{agent['id']}/watches") == []


async def test_the_same_expression_is_watched_once(api: Api, agent: dict[str, Any]) -> None:
    path = f"/agents/{agent['id']}/watches"
    await api.post(path, {"expression": "cost", "everywhere": True})
    second = await api.post(path, {"expression": "1"})
    assert (await api.call("POST", path, {"expression": " cost"}))[0] == 422
    assert (await api.call("PATCH", f"{path}/{second['id']}", {"expression": "cost"}))[0] == 422


async def test_another_agents_watch_is_out_of_reach(api: Api, agent: dict[str, Any], make_agent: Agents) -> None:
    other = await make_agent()
    made = await api.post(f"/agents/{other['id']}/watches", {"expression": "cost"})
    for method in ("GET", "PATCH", "DELETE"):
        assert (await api.call(method, f"/agents/{agent['id']}/watches/{made['id']}", {}))[0] == 404
    for path in ("watches", "bisect?expression=1"):
        assert (await api.call("GET", f"/agents/{NOBODY}/{path}"))[0] == 404
    assert (await api.call("GET", f"/agents/{agent['id']}/watches/watch-1"))[0] == 422


async def test_values_and_the_first_step_are_told(api: Api, agent: dict[str, Any]) -> None:
    base = f"/agents/{agent['id']}"
    async with worker_beside():
        for words in ("Hello", "My name is Ines. I live in Berlin.", "And now?"):
            await api.post(f"{base}/messages", {"input": words})
    watch = await api.post(f"{base}/watches", {"expression": "len(messages)"})
    told = await api.get(f"{base}/watches/{watch['id']}/values")
    numbers = [each["step"] for each in told["steps"]]
    assert numbers == list(range(1, told["last_step"] + 1))
    assert [each["number"] for each in told["steps"]] == sorted(each["number"] for each in told["steps"])
    rest = await api.get(f"{base}/watches/{watch['id']}/values", after=numbers[0], limit=1)
    assert ([each["step"] for each in rest["steps"]], rest["has_more"], rest["complete"]) == ([2], True, True)

    found = await api.get(f"{base}/bisect", expression='"Berlin" in context')
    assert 1 < found["first_step"] <= told["last_step"]
    assert found["turns"][0] == {
        "step": found["first_step"], "becomes": True, "value": "True", "number": None, "error": None, "column": None
    }  # fmt: skip
    assert (found["steps"], found["complete"]) == (told["last_step"], True)
    never = await api.get(f"{base}/bisect", expression='"Timbuktu" in context')
    assert (never["first_step"], never["turns"]) == (None, [])
    status, refused = await api.call("GET", f"{base}/bisect", expression="blok")
    assert (status, "Unknown name `blok`" in refused["detail"]) == (400, True)
    assert (await api.call("GET", f"{base}/bisect", expression="1", conversation_id="conv-1"))[0] == 404
