"""letta-client 1.12.1, as it comes from the package index, does against the running server what an application does."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from letta_client import (
    AsyncLetta,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    Letta,
    NotFoundError,
    UnprocessableEntityError,
)

from tests.api.receiver import Receiver
from tests.e2e.serving import Server

NOBODY = "agent-00000000-0000-4000-8000-000000000000"
ROLL = '''
def roll(sides: int, times: int = 1) -> list[int]:
    """Rolls dice that always show their highest side.

    Args:
        sides: How many sides each has.
        times: How often to roll.
    """
    print("rolling")
    return [sides] * times
'''


@pytest.fixture
def agent(client: Any) -> Iterator[Any]:
    made = client.agents.create(
        name="Companion",
        agent_type="memgpt_agent",
        model="offline/rules",
        memory_blocks=[{"label": "human", "value": ""}, {"label": "persona", "value": "Kind."}],
        tags=["sdk"],
    )
    yield made
    client.agents.delete(made.id)


def texts(messages: Any) -> list[Any]:
    return [message.content for message in messages if message.message_type == "assistant_message"]


def test_health_and_models(client: Any) -> None:
    assert client.health().status == "ok"
    models = list(client.models.list())
    assert "offline/rules" in [model.handle for model in models]
    assert all(model.max_context_window > 0 for model in models)
    assert all(model.embedding_dim > 0 for model in client.models.embeddings.list())


def test_an_agent_from_its_making_to_its_end(client: Any) -> None:
    made = client.agents.create(model="offline/rules", memory_blocks=[{"label": "human", "value": "Ada"}])
    assert (made.agent_type, [block.label for block in made.blocks]) == ("letta_v1_agent", ["human"])
    assert client.agents.retrieve(made.id).blocks == []
    full = client.agents.retrieve(made.id, include=["agent.blocks", "agent.tools", "agent.tags"])
    assert [block.value for block in full.blocks] == ["Ada"]
    changed = client.agents.update(made.id, name="Renamed", tags=["one", "two"], description="About.")
    assert (changed.name, changed.tags, changed.description) == ("Renamed", ["one", "two"], "About.")
    assert [found.id for found in client.agents.list(tags=["one", "two"], match_all_tags=True)] == [made.id]
    assert "Ada" in client.agents.recompile(made.id)
    client.agents.delete(made.id)
    with pytest.raises(NotFoundError):
        client.agents.retrieve(made.id)


def test_lists_are_paged_to_their_end(client: Any) -> None:
    made = [client.agents.create(model="offline/rules", tags=["paged"]).id for _ in range(7)]
    try:
        assert [agent.id for agent in client.agents.list(tags=["paged"], limit=3, order="asc")] == made
        assert [agent.id for agent in client.agents.list(tags=["paged"], limit=2)] == made[::-1]
    finally:
        for agent_id in made:
            client.agents.delete(agent_id)


def test_a_message_is_answered_and_what_was_told_is_remembered(client: Any, agent: Any) -> None:
    answer = client.agents.messages.create(agent.id, messages=[{"role": "user", "content": "My name is Grace."}])
    assert answer.stop_reason.stop_reason == "end_turn"
    assert texts(answer.messages)
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0
    assert "Grace" in client.agents.blocks.retrieve("human", agent_id=agent.id).value
    kinds = {message.message_type for message in answer.messages}
    assert {"tool_call_message", "tool_return_message", "assistant_message"} <= kinds


def test_a_plain_input_is_one_user_message(client: Any, agent: Any) -> None:
    client.agents.messages.create(agent.id, input="Just this.")
    listed = list(client.agents.messages.list(agent.id, include_return_message_types=["user_message"]))
    assert "Just this." in [message.content for message in listed]


@pytest.mark.parametrize("tokens", [False, True])
def test_a_stream_says_what_the_history_then_holds(client: Any, agent: Any, tokens: bool) -> None:
    stream = client.agents.messages.stream(
        agent.id, messages=[{"role": "user", "content": "I like chess."}], stream_tokens=tokens
    )
    chunks = list(stream)
    assert [chunk.message_type for chunk in chunks[-2:]] == ["stop_reason", "usage_statistics"]
    assert chunks[0].message_type == "ping"
    said: dict[str, str] = {}
    for chunk in chunks:
        if chunk.message_type == "assistant_message":
            said[chunk.otid] = said.get(chunk.otid, "") + chunk.content
    history = {
        m.otid: m.content for m in client.agents.messages.list(agent.id) if m.message_type == "assistant_message"
    }
    assert said
    assert said.items() <= history.items()


def test_create_streams_too_and_a_background_stream_is_resumed(client: Any, agent: Any) -> None:
    stream = client.agents.messages.create(
        agent.id, input="Hello.", streaming=True, stream_tokens=True, background=True, include_pings=False
    )
    seen = [chunk for chunk in stream if getattr(chunk, "seq_id", None)]
    rest = client.runs.messages.stream(seen[0].run_id, starting_after=seen[0].seq_id, include_pings=False)
    again = [chunk.seq_id for chunk in rest if getattr(chunk, "seq_id", None)]
    assert again == [chunk.seq_id for chunk in seen[1:]]


def test_a_run_goes_on_when_its_reader_leaves(client: Any, agent: Any) -> None:
    stream = client.agents.messages.create(agent.id, input="My name is Grace.", streaming=True)
    run_id = next(iter(stream)).run_id
    stream.close()
    while (run := client.runs.retrieve(run_id)).status in ("created", "running"):
        time.sleep(0.05)
    assert run.status == "completed"
    assert "Grace" in client.agents.blocks.retrieve("human", agent_id=agent.id).value


def test_the_history_is_listed_page_by_page_without_a_gap(client: Any, agent: Any) -> None:
    for number in range(3):
        client.agents.messages.create(agent.id, input=f"Number {number}.")
    every = list(client.agents.messages.list(agent.id, limit=1000, order="asc"))
    paged = list(client.agents.messages.list(agent.id, limit=2, order="asc"))
    assert [(each.id, each.message_type) for each in paged] == [(each.id, each.message_type) for each in every]
    assert every[0].message_type == "system_message"


def test_blocks_of_an_agent_are_read_changed_attached_and_detached(client: Any, agent: Any) -> None:
    assert {block.label for block in client.agents.blocks.list(agent.id, limit=1)} == {"human", "persona"}
    changed = client.agents.blocks.update("persona", agent_id=agent.id, value="Stern.")
    assert changed.value == client.agents.blocks.retrieve("persona", agent_id=agent.id).value == "Stern."
    block = client.blocks.create(label="company", value="ACME")
    attached = client.agents.blocks.attach(block.id, agent_id=agent.id)
    assert "company" in [each.label for each in attached.blocks]
    with pytest.raises(ConflictError):
        client.agents.blocks.attach(client.blocks.create(label="company", value="Other").id, agent_id=agent.id)
    assert [each.id for each in client.blocks.agents.list(block.id)] == [agent.id]
    detached = client.agents.blocks.detach(block.id, agent_id=agent.id)
    assert "company" not in [each.label for each in detached.blocks]


def test_blocks_stand_alone(client: Any) -> None:
    block = client.blocks.create(label="alone", value="a", limit=10)
    assert client.blocks.update(block.id, value="b", description="d").value == "b"
    with pytest.raises(UnprocessableEntityError, match="Exceeds 10 character limit"):
        client.blocks.update(block.id, value="x" * 11)
    assert block.id in [each.id for each in client.blocks.list(label="alone", limit=1)]
    client.blocks.delete(block.id)
    with pytest.raises(NotFoundError):
        client.blocks.retrieve(block.id)


def test_archival_passages_are_stored_found_and_deleted(client: Any, agent: Any) -> None:
    facts = ["The cat is called Minka.", "The car is red.", "Ada was born in London."]
    made = [client.agents.passages.create(agent.id, text=fact, tags=[str(i)])[0] for i, fact in enumerate(facts)]
    assert [passage.text for passage in client.agents.passages.list(agent.id)] == facts
    found = client.agents.passages.search(agent.id, query="what is the cat called?", top_k=1)
    assert (found.count, found.results[0].content) == (1, facts[0])
    assert client.agents.passages.search(agent.id, query="cat car", tags=["1"]).results[0].id == made[1].id
    assert client.passages.search(query="London", agent_id=agent.id)[0].passage.id == made[2].id
    client.agents.passages.delete(made[0].id, agent_id=agent.id)
    assert len(client.agents.passages.list(agent.id)) == 2


def test_archives_are_shared(client: Any, agent: Any) -> None:
    archive = client.archives.create(name="Library")
    passage = client.archives.passages.create(archive.id, text="A book.")
    client.agents.archives.attach(archive.id, agent_id=agent.id)
    assert [each.id for each in client.archives.list(agent_id=agent.id)] == [archive.id]
    assert [each.text for each in client.agents.passages.list(agent.id)] == ["A book."]
    client.archives.passages.delete(passage.id, archive_id=archive.id)
    client.agents.archives.detach(archive.id, agent_id=agent.id)
    client.archives.delete(archive.id)


def test_a_tool_is_made_attached_run_and_detached(client: Any, agent: Any) -> None:
    tool = client.tools.create(source_code=ROLL, tags=["dice"])
    assert (tool.name, tool.json_schema["parameters"]["required"]) == ("roll", ["sides"])
    assert client.tools.upsert(source_code=ROLL, description="Dice.").id == tool.id
    assert tool.id in [each.id for each in client.tools.list(limit=3)]
    client.agents.tools.attach(tool.id, agent_id=agent.id)
    assert "roll" in [each.name for each in client.agents.tools.list(agent.id)]
    result = client.agents.tools.run("roll", agent_id=agent.id, args={"sides": 6, "times": 2})
    assert (result.status, result.func_return, result.stdout) == ("success", [6, 6], ["rolling"])
    failed = client.agents.tools.run("roll", agent_id=agent.id, args={"sides": 6, "times": "x"})
    assert (failed.status, failed.func_return) == ("error", None)
    client.agents.tools.detach(tool.id, agent_id=agent.id)
    assert "roll" not in [each.name for each in client.agents.tools.list(agent.id)]
    client.tools.delete(tool.id)
    with pytest.raises(BadRequestError):
        client.tools.delete(tool.id)


def test_runs_and_steps_tell_how_a_message_was_answered(client: Any, agent: Any) -> None:
    answer = client.agents.messages.create(agent.id, input="Hello.")
    [run] = client.runs.list(agent_id=agent.id)
    assert (run.id, run.status, run.stop_reason) == (answer.messages[-1].run_id, "completed", "end_turn")
    assert client.runs.retrieve(run.id).agent_id == agent.id
    steps = list(client.runs.steps.list(run.id))
    assert [step.id for step in steps] == [step.id for step in client.steps.list(agent_id=agent.id)]
    assert client.steps.retrieve(steps[0].id).model == "rules"
    assert client.steps.trace.retrieve(steps[0].id).request_json
    assert client.steps.metrics.retrieve(steps[0].id).step_ns > 0
    assert client.runs.usage.retrieve(run.id).total_tokens == answer.usage.total_tokens
    assert list(client.runs.messages.list(run.id))[-1].run_id == run.id


def test_messages_are_sent_in_the_background_and_runs_cancelled(client: Any, agent: Any) -> None:
    run = client.agents.messages.create_async(agent.id, messages=[{"role": "user", "content": "Hello."}])
    for _ in client.runs.messages.stream(run.id):
        pass
    assert client.runs.retrieve(run.id).status == "completed"
    with pytest.raises(ConflictError):
        client.agents.messages.cancel(agent.id)
    client.agents.messages.reset(agent.id)
    assert len(client.agents.retrieve(agent.id).message_ids) == 1


def test_a_scheduled_message_is_sent_at_its_time_and_its_end_told(client: Any, agent: Any) -> None:
    with Receiver() as receiver:
        made = client.agents.schedule.create(
            agent.id,
            messages=[{"role": "user", "content": "My name is Grace."}],
            schedule={"type": "one-time", "scheduled_at": (time.time() + 0.5) * 1000},
            callback_url=receiver.url,
        )
        later = client.agents.schedule.create(
            agent.id,
            messages=[{"role": "user", "content": "Good morning."}],
            schedule={"type": "recurring", "cron_expression": "0 9 * * *"},
        )
        listed = client.agents.schedule.list(agent.id, limit="10")
        assert ([each.id for each in listed.scheduled_messages], listed.has_next_page) == ([made.id, later.id], False)
        until = time.monotonic() + 20
        while not receiver.received and time.monotonic() < until:
            time.sleep(0.1)
    [told] = receiver.received
    run = client.runs.retrieve(told.json["run_id"])
    assert (run.status, run.metadata["schedule_id"]) == ("completed", made.id)
    assert "Grace" in client.agents.blocks.retrieve("human", agent_id=agent.id).value
    assert client.agents.schedule.retrieve(made.id, agent_id=agent.id).next_scheduled_time is None
    shown = client.agents.schedule.retrieve(later.id, agent_id=agent.id)
    assert (shown.schedule.cron_expression, shown.message.messages[0].content) == ("0 9 * * *", "Good morning.")
    assert client.agents.schedule.delete(later.id, agent_id=agent.id).success


def test_the_end_of_an_async_run_is_called_back_and_its_trace_is_there(client: Any, agent: Any) -> None:
    with Receiver(500, 200) as receiver:
        run = client.agents.messages.create_async(agent.id, input="Hello.", callback_url=receiver.url)
        until = time.monotonic() + 20
        while len(receiver.received) < 2 and time.monotonic() < until:
            time.sleep(0.1)
    assert [told.json["status"] for told in receiver.received] == ["completed"] * 2
    assert client.runs.trace.retrieve(run.id)[0]["name"] == "run"
    while (run := client.runs.retrieve(run.id)).callback_error:
        time.sleep(0.05)
    assert run.callback_status_code == 200


def test_a_batch_is_answered_and_told_once(client: Any, agent: Any) -> None:
    item = {"agent_id": agent.id, "messages": [{"role": "user", "content": "Hello."}]}
    with Receiver() as receiver:
        body = {"requests": [item, item], "callback_url": receiver.url}
        batch: Any = client.post("/v1/messages/batches", body=body, cast_to=object)
        until = time.monotonic() + 20
        while not receiver.received and time.monotonic() < until:
            time.sleep(0.1)
    assert receiver.received[0].json["status"] == "completed"
    messages: Any = client.get(f"/v1/messages/batches/{batch['id']}/messages", cast_to=object)
    assert [each["role"] for each in messages["messages"]].count("user") == 2


def test_the_context_window_is_told_by_part(client: Any, agent: Any) -> None:
    context: Any = client.get(f"/v1/agents/{agent.id}/context", cast_to=object)
    parts = [value for name, value in context.items() if name.startswith("num_tokens_")]
    assert context["context_window_size_current"] == sum(parts) > 0


def test_threads_are_compacted(client: Any, agent: Any) -> None:
    conversation = client.conversations.create(agent_id=agent.id)
    for words in ("I live in Lisbon.", "I work at the harbour."):
        client.agents.messages.create(agent.id, input=words)
        list(client.conversations.messages.create(conversation.id, input=words))
    told = client.agents.messages.compact(agent.id, compaction_settings={"mode": "all"})
    assert told.num_messages_after == 2 < told.num_messages_before
    assert "Lisbon" in told.summary
    assert client.conversations.messages.compact(conversation.id).num_messages_after < told.num_messages_before
    with pytest.raises(BadRequestError):
        client.agents.messages.compact(agent.id)
    changed = client.agents.update(agent.id, compaction_settings={"mode": "self_compact_all"})
    assert changed.compaction_settings.mode == "self_compact_all"


def test_conversations_run_beside_the_agents_own_thread(client: Any, agent: Any) -> None:
    conversation = client.conversations.create(agent_id=agent.id, summary="Side talk")
    chunks = list(client.conversations.messages.create(conversation.id, messages=[{"role": "user", "content": "Hi."}]))
    assert texts(chunks)
    assert [each.id for each in client.conversations.list(agent_id=agent.id)] == [conversation.id]
    newest = client.conversations.messages.list(conversation.id).items
    oldest = list(client.conversations.messages.list(conversation.id, limit=2, order="asc"))
    assert (newest[-1].message_type, oldest[0].message_type) == ("system_message", "system_message")
    assert {each.id for each in newest} == {each.id for each in oldest}
    client.conversations.delete(conversation.id)


def test_errors_come_as_their_classes_with_what_to_do(client: Any, server: Server) -> None:
    with pytest.raises(NotFoundError, match="Agent not found"):
        client.agents.messages.create(NOBODY, input="x")
    with pytest.raises(UnprocessableEntityError):
        client.agents.retrieve("agent-1")
    with pytest.raises(BadRequestError, match="provider/model"):
        client.agents.create(model="gpt")
    with pytest.raises(NotFoundError, match="No provider named 'nobody'"):
        client.agents.create(model="nobody/gpt")
    with pytest.raises(AuthenticationError):
        Letta(base_url=f"http://localhost:{server.port}", api_key="wrong").agents.list()


async def test_the_asynchronous_client_does_the_same(client: Any, agent: Any) -> None:
    async with AsyncLetta(base_url=client.base_url, api_key=client.api_key) as asynchronous:
        answer = await asynchronous.agents.messages.create(agent.id, input="Hello.")
        assert texts(answer.messages)
        stream = await asynchronous.agents.messages.stream(agent.id, input="Hello again.", stream_tokens=True)
        assert [chunk.message_type async for chunk in stream][-1] == "usage_statistics"
        assert agent.id in [each.id async for each in asynchronous.agents.list(limit=1)]


def test_a_call_waits_for_approval_and_is_answered(client: Any, agent: Any) -> None:
    tool = client.tools.create(source_code=ROLL.replace("roll", "roll_slowly"), default_requires_approval=True)
    client.agents.tools.attach(tool.id, agent_id=agent.id)
    asked = client.agents.messages.create(agent.id, input="call roll_slowly with sides=6")
    request = asked.messages[-1]
    assert (request.message_type, asked.stop_reason.stop_reason) == ("approval_request_message", "requires_approval")
    with pytest.raises(ConflictError):
        client.with_options(max_retries=0).agents.messages.create(agent.id, input="And now?")
    approvals = [{"type": "approval", "tool_call_id": request.tool_call.tool_call_id, "approve": True}]
    answer = client.agents.messages.create(agent.id, messages=[{"type": "approval", "approvals": approvals}])
    assert [m.tool_return for m in answer.messages if m.message_type == "tool_return_message"] == ["[6]"]
