"""Approvals and the caller's own tools over HTTP."""

from typing import Any

import pytest

from tests.api.conftest import Agents, Api
from tests.api.test_messages_api import frames, of_type

pytestmark = pytest.mark.usefixtures("running")

ADD = '''def add(a: int, b: int) -> int:
    """Adds.

    Args:
        a: One.
        b: Two.
    """
    return a + b
'''
PAGE = {"name": "open_page", "parameters": {"type": "object", "properties": {"url": {"type": "string"}}}}


@pytest.fixture
async def asking(api: Api, make_agent: Agents) -> dict[str, Any]:
    """An agent that may add only with approval, and has asked for it."""
    await api.post("/tools/", {"source_code": ADD, "default_requires_approval": True})
    agent = await make_agent(tools=["add"])
    answer = await api.post(f"/agents/{agent['id']}/messages", {"input": "call add with a=1, b=2"})
    assert answer["stop_reason"]["stop_reason"] == "requires_approval"
    assert answer["messages"][-1]["message_type"] == "approval_request_message"
    return {"path": f"/agents/{agent['id']}", "request": answer["messages"][-1]}


def approval(asking: dict[str, Any], **facts: Any) -> dict[str, Any]:
    call_id = asking["request"]["tool_call"]["tool_call_id"]
    return {"messages": [{"type": "approval", "approvals": [{"tool_call_id": call_id, **facts}]}]}


async def test_a_request_shows_only_the_calls_that_wait(asking: dict[str, Any]) -> None:
    request = asking["request"]
    assert [call["name"] for call in request["tool_calls"]] == ["add"]
    assert request["tool_call"] == request["tool_calls"][0]


async def test_an_approved_call_gives_its_result_and_the_answer(api: Api, asking: dict[str, Any]) -> None:
    answer = await api.post(f"{asking['path']}/messages", approval(asking, approve=True))
    assert answer["messages"][0]["message_type"] == "tool_return_message"
    assert answer["messages"][0]["tool_return"] == "3"
    assert answer["stop_reason"]["stop_reason"] == "end_turn"


async def test_a_denial_reaches_the_model_and_the_history_tells_of_it(api: Api, asking: dict[str, Any]) -> None:
    await api.post(f"{asking['path']}/messages", approval(asking, approve=False, reason="Too easy."))
    listed = await api.get(f"{asking['path']}/messages")
    [response] = [each for each in listed if each["message_type"] == "approval_response_message"]
    assert (response["approve"], response["reason"]) == (False, "Too easy.")
    [returned] = [each for each in listed if each["message_type"] == "tool_return_message"]
    assert (returned["status"], "Too easy." in returned["tool_return"]) == ("error", True)


async def test_an_older_client_answers_without_naming_the_call(api: Api, asking: dict[str, Any]) -> None:
    body = {"messages": [{"approve": True, "approval_request_id": asking["request"]["id"]}]}
    answer = await api.post(f"{asking['path']}/messages", body)
    assert answer["messages"][0]["tool_return"] == "3"


async def test_a_waiting_agent_answers_other_messages_with_409_and_what_to_do(api: Api, asking: dict[str, Any]) -> None:
    status, answer = await api.call("POST", f"{asking['path']}/messages", {"input": "Hello?"})
    assert status == 409
    assert answer["detail"]["code"] == "PENDING_APPROVAL"
    assert answer["detail"]["pending_request_id"] == asking["request"]["id"]
    message = answer["detail"]["message"]
    assert "waits for an answer to a tool call: approve or deny the pending request before continuing" in message
    assert "give it up (POST /v1/agents/{id}/messages/cancel)" in message


async def test_what_an_agent_waits_for_is_part_of_its_state_when_asked_for(api: Api, asking: dict[str, Any]) -> None:
    assert (await api.get(asking["path"]))["pending_approval"] is None
    state = await api.get(asking["path"], include="agent.pending_approval")
    assert state["pending_approval"]["tool_calls"] == asking["request"]["tool_calls"]


async def test_giving_up_makes_the_agent_usable_again(api: Api, asking: dict[str, Any]) -> None:
    cancelled = await api.post(f"{asking['path']}/messages/cancel")
    assert cancelled == {asking["request"]["run_id"]: "cancelled"}
    answer = await api.post(f"{asking['path']}/messages", {"input": "Hello?"})
    assert answer["stop_reason"]["stop_reason"] == "end_turn"


@pytest.mark.parametrize(
    ("answers", "status", "words"),
    [
        ([{"tool_call_id": "call_x", "approve": True}], 400, "Invalid tool call IDs"),
        ([{"approve": True}], 422, "tool_call_id"),
        ([], 400, "Say for each call"),
        (
            [{"type": "tool", "tool_call_id": "c", "tool_return": [{"type": "image", "source": {"type": "url"}}]}],
            400,
            "text only",
        ),
    ],
)
async def test_answers_that_cannot_be_are_refused_and_the_agent_waits_on(
    api: Api, asking: dict[str, Any], answers: Any, status: int, words: str
) -> None:
    body = {"messages": [{"type": "approval", "approvals": answers}]}
    answered, answer = await api.call("POST", f"{asking['path']}/messages", body)
    assert (answered, words in answer["detail"]) == (status, True)
    state = await api.get(asking["path"], include="agent.pending_approval")
    assert state["pending_approval"] is not None


@pytest.mark.parametrize("tokens", [False, True])
async def test_a_stream_ends_with_the_request_and_goes_on_with_the_answer(
    api: Api, make_agent: Agents, tokens: bool
) -> None:
    await api.post("/tools/", {"source_code": ADD, "default_requires_approval": True})
    path = f"/agents/{(await make_agent(tools=['add']))['id']}/messages"
    body = {"input": "call add with a=1, b=2", "streaming": True, "stream_tokens": tokens}
    asked = await frames(api, path, body)
    requests = of_type(asked, "approval_request_message")
    assert of_type(asked, "tool_call_message") == []
    assert "".join(request["tool_call"]["arguments"] for request in requests) == '{"a":1,"b":2}'
    assert of_type(asked, "stop_reason")[0]["stop_reason"] == "requires_approval"
    call_id = requests[0]["tool_call"]["tool_call_id"]
    answer = {"type": "approval", "approvals": [{"tool_call_id": call_id, "approve": True}]}
    told = await frames(api, path, {"messages": [answer], "streaming": True, "stream_tokens": tokens})
    assert of_type(told, "tool_return_message")[0]["tool_return"] == "3"
    assert of_type(told, "stop_reason")[0]["stop_reason"] == "end_turn"


async def test_a_tool_of_the_caller_is_called_and_answered_by_it(api: Api, make_agent: Agents) -> None:
    path = f"/agents/{(await make_agent())['id']}/messages"
    asked = await api.post(path, {"input": 'call open_page with url="x"', "client_tools": [PAGE]})
    call = asked["messages"][-1]["tool_call"]
    assert (call["name"], asked["stop_reason"]["stop_reason"]) == ("open_page", "requires_approval")
    returned = {"tool_call_id": call["tool_call_id"], "type": "tool", "tool_return": "A page.", "status": "success"}
    body = {"messages": [{"type": "tool_return", "tool_returns": [returned]}], "client_tools": [PAGE]}
    answer = await api.post(path, body)
    assert answer["messages"][0]["tool_return"] == "A page."
    assert answer["stop_reason"]["stop_reason"] == "end_turn"
