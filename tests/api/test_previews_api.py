"""The next request of an agent over the API."""

from typing import Any

from tests.api.conftest import Agents, Api


async def test_the_next_request_is_told_with_its_parts_and_their_places(api: Api, make_agent: Agents) -> None:
    agent = await make_agent(memory_blocks=[{"label": "human", "value": "Ada é."}])
    told = await api.post(f"/agents/{agent['id']}/preview", {"message": "Hello"})
    body = told["body"].encode()
    places = [(segment["start"], segment["end"]) for segment in told["segments"]]
    assert [0, *(end for _, end in places)] == [*(start for start, _ in places), len(body)]
    [human] = [segment for segment in told["segments"] if segment["label"] == "human"]
    assert "Ada é." in body[human["start"] : human["end"]].decode()
    assert told["handle"] == "offline/rules"
    assert "Hello" in told["body"]


async def test_what_if_is_told_without_being_done(api: Api, make_agent: Agents) -> None:
    agent = await make_agent(memory_blocks=[{"label": "human", "value": "Ada."}])
    changes: dict[str, Any] = {"blocks": {"human": "Bea."}, "system": "Be brief."}
    told = await api.post(f"/agents/{agent['id']}/preview", {"changes": changes})
    assert "Bea." in told["body"]
    assert "Be brief." in told["body"]
    assert "Ada." in (await api.post(f"/agents/{agent['id']}/preview"))["body"]


async def test_a_malformed_preview_is_refused(api: Api, make_agent: Agents) -> None:
    agent = await make_agent()
    for body, status in (
        ({"changes": {"colour": "red"}}, 422),
        ({"changes": {"blocks": {"nothing": "x"}}}, 422),
        ({"changes": {"model": "nowhere/m"}}, 404),
        ({"conversation_id": "conv-1"}, 404),
        ({"message": 7}, 422),
    ):
        assert (await api.call("POST", f"/agents/{agent['id']}/preview", body))[0] == status
    nobody = "agent-00000000-0000-4000-8000-000000000000"
    assert (await api.call("POST", f"/agents/{nobody}/preview"))[0] == 404
