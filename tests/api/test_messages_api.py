"""Messages over HTTP, answered by a worker beside the test."""

import asyncio
import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from tests.api.conftest import Agents, Api

pytestmark = pytest.mark.usefixtures("running")


async def frames(api: Api, path: str, body: Any) -> list[tuple[str | None, Any]]:
    """The frames of a stream: (event, data), the data parsed."""
    response: Any = await api.client.post(f"/v1{path}", json.dumps(body), content_type="application/json")
    assert response.status_code == 200, response.content
    assert response["content-type"] == "text/event-stream"
    text = b"".join([chunk async for chunk in response.streaming_content]).decode()
    found = []
    for block in filter(None, text.split("\n\n")):
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        data = fields["data"]
        found.append((fields.get("event"), data if data == "[DONE]" else json.loads(data)))
    return found


def of_type(found: list[tuple[str | None, Any]], kind: str) -> list[Any]:
    return [data for _, data in found if isinstance(data, dict) and data["message_type"] == kind]


def tables_that_name(agent_id: str) -> list[str]:
    """The tables that hold a row of the agent."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.columns WHERE column_name = 'agent_id'")
        tables = [name for (name,) in cursor.fetchall()]
        counts = {}
        for table in tables:
            cursor.execute(f"SELECT count(*) FROM {table} WHERE agent_id = %s", [agent_id])
            (counts[table],) = cursor.fetchone()
    return [table for table, count in counts.items() if count]


async def test_a_message_is_answered_with_what_was_said_why_it_ended_and_what_it_cost(
    api: Api, make_agent: Agents
) -> None:
    agent = await make_agent()
    answer = await api.post(f"/agents/{agent['id']}/messages", {"messages": [{"role": "user", "content": "hello"}]})
    assert [each["message_type"] for each in answer["messages"]][-1] == "assistant_message"
    assert answer["messages"][-1]["content"]
    assert answer["messages"][-1]["run_id"].startswith("run-")
    assert answer["stop_reason"] == {"message_type": "stop_reason", "stop_reason": "end_turn"}
    assert answer["usage"]["step_count"] >= 1
    assert answer["usage"]["total_tokens"] == answer["usage"]["prompt_tokens"] + answer["usage"]["completion_tokens"]


async def test_a_memgpt_agent_speaks_by_send_message(api: Api, make_agent: Agents) -> None:
    agent = await make_agent(agent_type="memgpt_agent")
    answer = await api.post(f"/agents/{agent['id']}/messages", {"input": "hello"})
    assert answer["messages"][-1]["message_type"] == "assistant_message"
    kinds = {each["message_type"] for each in answer["messages"]}
    raw = await api.post(f"/agents/{agent['id']}/messages", {"input": "hello again", "use_assistant_message": False})
    assert "tool_call_message" in {each["message_type"] for each in raw["messages"]} - (kinds - {"tool_call_message"})


async def test_a_stream_begins_with_a_ping_and_ends_with_reason_usage_and_done(api: Api, make_agent: Agents) -> None:
    agent = await make_agent()
    found = await frames(api, f"/agents/{agent['id']}/messages", {"input": "hello", "streaming": True})
    assert found[0][1]["message_type"] == "ping"
    assert found[0][1]["run_id"].startswith("run-")
    assert [data["message_type"] for _, data in found[-3:-1]] == ["stop_reason", "usage_statistics"]
    assert found[-1] == (None, "[DONE]")
    assert of_type(found, "assistant_message")


async def test_tokens_join_to_what_is_stored(api: Api, make_agent: Agents) -> None:
    agent = await make_agent()
    body = {"input": "My name is Ada and I like chess.", "stream_tokens": True, "include_pings": False}
    found = await frames(api, f"/agents/{agent['id']}/messages/stream", body)
    assert not of_type(found, "ping")
    said = "".join(data["content"] for data in of_type(found, "assistant_message"))
    listed = await api.get(f"/agents/{agent['id']}/messages")
    assert said == listed[-1]["content"]
    assert {data["otid"] for data in of_type(found, "assistant_message")} <= {each["otid"] for each in listed}


async def test_a_background_run_is_resumed_after_the_last_frame_seen(api: Api, make_agent: Agents) -> None:
    agent = await make_agent()
    body = {"input": "hello", "streaming": True, "stream_tokens": True, "background": True}
    found = await frames(api, f"/agents/{agent['id']}/messages", body)
    numbered = [data for _, data in found if isinstance(data, dict) and data.get("seq_id")]
    numbers = [data["seq_id"] for data in numbered]
    assert numbers == sorted(set(numbers))
    run_id = numbered[0]["run_id"]
    again = await frames(api, f"/runs/{run_id}/stream", {"starting_after": numbers[0], "include_pings": False})
    assert [data["seq_id"] for _, data in again if isinstance(data, dict) and data.get("seq_id")] == numbers[1:]
    assert again[-1] == (None, "[DONE]")


async def test_a_foreground_run_is_not_resumed(api: Api, make_agent: Agents) -> None:
    agent = await make_agent()
    answer = await api.post(f"/agents/{agent['id']}/messages", {"input": "hello"})
    assert (await api.call("POST", f"/runs/{answer['messages'][0]['run_id']}/stream"))[0] == 400


async def test_an_async_message_gives_its_run_which_completes(api: Api, make_agent: Agents) -> None:
    agent = await make_agent()
    run = await api.post(f"/agents/{agent['id']}/messages/async", {"input": "hello"})
    assert (run["agent_id"], run["background"]) == (agent["id"], True)
    while run["status"] in ("created", "running"):
        await asyncio.sleep(0.02)
        run = await api.get(f"/runs/{run['id']}")
    assert (run["status"], run["stop_reason"]) == ("completed", "end_turn")
    shown = await api.get(f"/runs/{run['id']}/messages")
    assert [each["message_type"] for each in (shown[0], shown[-1])] == ["user_message", "assistant_message"]
    assert [each["id"] for each in await api.get("/runs/", agent_id=agent["id"])] == [run["id"]]
    [step] = await api.get(f"/runs/{run['id']}/steps")
    assert (step["run_id"], step["status"], step["model_handle"]) == (run["id"], "success", "offline/rules")
    assert await api.get(f"/steps/{step['id']}") == step
    assert (await api.get(f"/steps/{step['id']}/trace"))["request_json"]
    assert (await api.get(f"/steps/{step['id']}/metrics"))["step_ns"] > 0
    assert (await api.patch(f"/steps/{step['id']}/feedback", {"feedback": "positive", "tags": ["t"]}))[
        "feedback"
    ] == "positive"
    assert [each["id"] for each in await api.get("/steps/", feedback="positive")] == [step["id"]]
    usage = await api.get(f"/runs/{run['id']}/usage")
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] == step["total_tokens"]
    assert (await api.delete(f"/runs/{run['id']}"))["id"] == run["id"]
    assert (await api.call("GET", f"/runs/{run['id']}"))[0] == 404
    assert len(await api.get(f"/agents/{agent['id']}/messages")) >= 3


async def test_cursors_of_messages_are_chronological_and_pages_always_oldest_first(
    api: Api, make_agent: Agents
) -> None:
    opening = [{"role": "user", "content": str(number)} for number in range(6)]
    agent = await make_agent(initial_message_sequence=opening)
    path = f"/agents/{agent['id']}/messages"

    async def contents(**query: Any) -> list[str]:
        return [each["content"] for each in await api.get(path, include_return_message_types="user_message", **query)]

    ids = [each["id"] for each in await api.get(path)]
    assert await contents(limit=2) == ["4", "5"]
    assert await contents(limit=2, order="asc", after=ids[1]) == ["1", "2"]
    assert await contents(limit=2, before=ids[3]) == ["0", "1"]
    assert await contents(limit=1, order="asc") == ["0"], "a page of the hidden system message gives way to the next"
    assert await contents(after=ids[-1]) == []
    status, body = await api.call("GET", path, after="message-00000000-0000-4000-8000-000000000000")
    assert (status, "no message" in body["detail"]) == (404, True)
    other = await make_agent()
    assert (await api.call("GET", path, after=other["message_ids"][0]))[0] == 404


async def test_a_message_is_retrieved_as_the_list_of_its_parts(api: Api, make_agent: Agents) -> None:
    agent = await make_agent()
    answer = await api.post(f"/agents/{agent['id']}/messages", {"input": "hello"})
    message = answer["messages"][-1]
    assert message["id"] in {each["id"] for each in await api.get(f"/messages/{message['id']}")}
    everywhere = await api.get("/messages/", limit=1)
    assert everywhere[-1]["id"] == message["id"]
    found = await api.post("/messages/search", {"query": "hello", "agent_id": agent["id"]})
    assert {"user_message"} <= {each["message_type"] for each in found}
    assert all(each["agent_id"] == agent["id"] and each["message_id"] for each in found)


async def test_conversations_keep_their_messages_apart(api: Api, make_agent: Agents) -> None:
    agent = await make_agent()
    conversation = (await api.call("POST", "/conversations/", {"summary": "s"}, agent_id=agent["id"]))[1]
    path = f"/conversations/{conversation['id']}"
    assert len(conversation["in_context_message_ids"]) == 1
    found = await frames(api, f"{path}/messages", {"input": "hello there"})
    assert of_type(found, "assistant_message")
    listed = await api.get(f"{path}/messages")
    assert listed[0]["id"] == of_type(found, "assistant_message")[0]["id"], "newest first"
    assert listed[-1]["message_type"] == "system_message"
    assert len(await api.get(f"/agents/{agent['id']}/messages", conversation_id="default")) == 1
    own = await api.post(
        "/conversations/default/messages", {"input": "hi", "streaming": False, "agent_id": agent["id"]}
    )
    assert own["messages"]
    assert (await api.patch(path, {"summary": "new"}))["summary"] == "new"
    assert [each["id"] for each in await api.get("/conversations/", agent_id=agent["id"])] == [conversation["id"]]
    assert (await api.call("POST", f"{path}/cancel"))[0] == 409
    assert await api.delete(path) is None
    assert (await api.call("GET", path))[0] == 404
    assert (await api.call("POST", "/conversations/default/messages", {"input": "x"}))[0] == 422


async def test_a_long_history_is_deleted_with_its_agent(api: Api, make_agent: Agents) -> None:
    agent = await make_agent(memory_blocks=[{"label": "human"}])
    await api.post(f"/agents/{agent['id']}/messages", {"input": "My name is Ada."})
    await api.post("/messages/search", {"query": "name", "agent_id": agent["id"]})
    await api.delete(f"/agents/{agent['id']}")

    assert await sync_to_async(tables_that_name)(agent["id"]) == []


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        ({}, 422, "exactly one of input and messages"),
        ({"input": "a", "messages": [{"role": "user", "content": "b"}]}, 422, "exactly one"),
        ({"messages": []}, 422, "no message"),
        ({"input": ""}, 422, "no message"),
        ({"messages": [{"role": "user", "content": ""}]}, 422, "needs content"),
        ({"messages": [{"role": "robot", "content": "x"}]}, 422, "role"),
        ({"messages": [{"role": "user", "content": [{"type": "song", "text": "x"}]}]}, 422, "song"),
        ({"input": "x", "max_steps": 0}, 422, "max_steps"),
        ({"input": "x", "stream_tokens": True}, 422, "streaming"),
        ({"messages": [{"type": "approval", "approve": True}]}, 400, "No tool call is currently awaiting approval"),
        ({"input": "x", "client_tools": [{"name": "no name"}]}, 422, "client_tools"),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": "http://a/b"}}]}
                ]
            },
            400,
            "base64",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "base64", "data": "?"}}]}]},
            400,
            "base64",
        ),
        (b'{"input": NaN}', 422, "NaN"),
        (b"{", 422, "not valid JSON"),
    ],
)
async def test_what_cannot_be_sent_is_refused_with_the_reason_and_stores_nothing(
    api: Api, make_agent: Agents, body: Any, status: int, sentence: str
) -> None:
    agent = await make_agent()
    answered, answer = await api.call("POST", f"/agents/{agent['id']}/messages", body)
    assert (answered, sentence in answer["detail"]) == (status, True), answer
    assert len(await api.get(f"/agents/{agent['id']}/messages")) == 1
    assert await api.get("/runs/") == []


async def test_text_that_no_database_holds_is_stored_without_it(api: Api, make_agent: Agents) -> None:
    agent = await make_agent()
    await api.call("POST", f"/agents/{agent['id']}/messages", rb'{"input": "a\u0000b \ud800 \ud83c\udf88"}')
    shown = await api.get(f"/agents/{agent['id']}/messages", order="asc", limit=2)
    assert shown[1]["content"] == "ab  🎈"


async def test_a_message_to_nobody_is_404(api: Api) -> None:
    path = "/agents/agent-00000000-0000-4000-8000-000000000000/messages"
    for body in ({"input": "x"}, {"input": "x", "streaming": True}):
        assert await api.call("POST", path, body) == (404, {"detail": "Agent not found"})


async def test_a_run_nobody_can_serve_fails_with_the_models_error(api: Api, make_agent: Agents) -> None:
    agent = await make_agent()
    body = {"input": "x", "override_model": "nobody/model"}
    status, answer = await api.call("POST", f"/agents/{agent['id']}/messages", body)
    assert status >= 400
    assert "nobody" in json.dumps(answer)
    found = await frames(api, f"/agents/{agent['id']}/messages", body | {"streaming": True})
    assert [event for event, _ in found[-2:]] == ["error", None]
    assert found[-2][1]["message_type"] == "error_message"
    assert found[-3][1]["message_type"] == "stop_reason"
