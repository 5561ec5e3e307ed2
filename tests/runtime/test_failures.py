"""A run that fails or is cancelled ends with its reason, leaves nothing half in the context, and does not hinder the next."""

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from agents_core.actions import runs
from agents_core.actions.messages import outcome
from agents_core.events.types import MessageCreated, MessageDelta, RunCancelRequested, RunEnded
from agents_core.llm import errors
from agents_core.llm.errors import ModelError
from agents_core.llm.offline.summary import SUMMARY_REQUEST
from agents_core.llm.providers.scripted import Answer
from agents_core.llm.types import ModelRequest
from agents_core.models import Agent, Message, Run, Step, ToolCall
from agents_core.models.pipeline import Statement, run_sync
from agents_core.record.steps import request_bytes, response_bytes
from agents_core.runtime import finishing
from agents_core.runtime.loop import execute
from tests.llm.fake_server import FakeModelServer, Reply
from tests.runtime.world import events, in_context, make_agent, make_tool, play, said, say, spoken

CLASSES = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ModelError)]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
async def test_a_model_error_ends_the_run_with_its_reason_and_the_next_message_is_answered(
    kind: type[ModelError],
) -> None:
    error = kind("It went wrong.", advice="Do better.", status=418, response_body=b'{"why": "\x00\xff"}')
    agent = await make_agent([Answer("Half an", error=error)])
    before = [message.id for message in await in_context(agent)]
    ended = await say(agent, "Hi")
    assert (ended.status, ended.stop_reason) == ("failed", kind.stop_reason)
    assert ended.error == {"code": kind.code, "message": "It went wrong. Do better.", "status": 418}
    assert [message.id for message in await in_context(agent)] == before
    step = await Step.objects.select_related("response").aget(agent=agent, kind="agent")
    assert (step.status, step.error) == ("failed", ended.error)
    assert b'"Hi"' in await sync_to_async(request_bytes)(step)
    assert await sync_to_async(response_bytes)(step) == error.response_body
    assert await events(agent, RunEnded) == [RunEnded("failed", kind.stop_reason)]
    await play(agent, [lambda request: str([message.text for message in request.messages])])
    assert spoken((await say(agent, "Again")).messages[0]) == "['Again']"


async def test_a_failure_in_a_later_step_keeps_what_was_done_before_it() -> None:
    append = ("core_memory_append", {"label": "human", "content": "Likes tea."})
    agent = await make_agent(
        [Answer(calls=[append]), Answer(error=errors.ModelServerError("Down."))], tools=["core_memory_append"]
    )
    ended = await say(agent, "I like tea")
    assert (ended.status, len(ended.messages)) == ("failed", 2)
    assert [message.role for message in await in_context(agent)] == ["system", "user", "assistant", "tool"]
    await play(agent, ["Back."])
    assert (await say(agent, "Again")).status == "completed"


@pytest.mark.parametrize("model", ["scripted/absent", "nobody/model", "openai/gpt-4o-mini"])
async def test_a_model_that_cannot_be_reached_ends_the_run_in_words(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    agent = await make_agent()
    await Agent.objects.filter(id=agent.id).aupdate(model=model)
    ended = await say(agent, "Hi")
    assert ended.status == "failed"
    assert ended.error is not None
    assert len(ended.error["message"]) > 20
    assert (await in_context(agent))[-1].role == "system"


async def test_an_answer_cut_at_the_output_limit_is_kept_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeModelServer() as server:
        monkeypatch.setenv("OLLAMA_BASE_URL", server.url)
        server.push(Reply("Half of", finish="length"))
        agent = await make_agent(model="ollama/some-model")
        ended = await say(agent, "Hi")
    assert (ended.status, ended.stop_reason) == ("failed", "max_tokens_exceeded")
    assert spoken(ended.messages[0]) == "Half of"


async def test_calls_with_one_id_are_told_apart_within_and_between_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = (("conversation_search", '{"query": "x"}'),)
    with FakeModelServer() as server:
        monkeypatch.setenv("OLLAMA_BASE_URL", server.url)
        server.push(Reply("", calls=calls), Reply("", calls=calls), Reply("Done."))
        agent = await make_agent(model="ollama/some-model", tools=["conversation_search"])
        ended = await say(agent, "Hi")
    assert ended.status == "completed"
    ids = [call["id"] for message in ended.messages for call in message["tool_calls"]]
    assert len(set(ids)) == 2
    assert [answer["tool_call_id"] for m in ended.messages for answer in m["tool_returns"]] == ids


async def test_an_error_of_ours_ends_the_run_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any) -> None:
        raise ZeroDivisionError("by \x00 zero")

    await make_tool('def one() -> int:\n    """One."""\n    return 1\n')
    agent = await make_agent([Answer(calls=[("one", {})]), "Back."], tools=["one"])
    with monkeypatch.context() as patch:
        patch.setattr(finishing, "decide", broken)
        ended = await say(agent, "Hi")
    assert (ended.status, ended.stop_reason) == ("failed", "error")
    assert ended.error == {"code": "internal_error", "message": "ZeroDivisionError: by  zero", "status": None}
    assert (await ToolCall.objects.aget(agent=agent)).status == "interrupted"
    assert (await say(agent, "Again")).status == "completed"


# --- cancelling ----------------------------------------------------------------------------------------------------


async def cancel(agent: Agent) -> list[str]:
    return await sync_to_async(runs.cancel)(agent.id)


async def check_cancelled(agent: Agent, run_id: str) -> None:
    ended = await outcome(run_id)
    assert (ended.status, ended.stop_reason) == ("cancelled", "cancelled")
    assert not await Step.objects.filter(run=run_id, status="pending").aexists()
    assert not await Message.objects.filter(run=run_id, context_position=0).aexists()
    assert (await events(agent, RunEnded))[-1] == RunEnded("cancelled", "cancelled")
    assert len(await events(agent, RunCancelRequested)) == 1
    await play(agent, ["Next."])
    assert (await say(agent, "Next")).status == "completed"


async def test_a_run_that_waits_is_cancelled_at_once() -> None:
    agent = await make_agent(["Never said."])
    run_id = await said(agent, "Hi")
    assert await cancel(agent) == [run_id]
    await execute(agent.id, run_id, None, 1)
    await check_cancelled(agent, run_id)
    with pytest.raises(runs.NothingToCancel):
        await cancel(agent)


@pytest.mark.parametrize("delay_ms", ["300", "60000"], ids=["while it speaks", "while it thinks"])
async def test_a_run_is_cancelled_while_its_model_answers(delay_ms: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFLINE_DELAY_MS", delay_ms)
    agent = await make_agent(model="offline/rules")
    run_id = await said(agent, "Tell me everything you know about ships, harbours, and the sea." * 20)
    worker = asyncio.create_task(execute(agent.id, run_id, None, 1))
    while not await Run.objects.filter(id=run_id, status="running").aexists():
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.4)
    await cancel(agent)
    await asyncio.wait_for(worker, 10)
    ended = await outcome(run_id)
    assert (ended.status, ended.messages) == ("cancelled", [])
    await Agent.objects.filter(id=agent.id).aupdate(model="scripted/after")
    agent.model = "scripted/after"
    await check_cancelled(agent, run_id)


async def test_a_cancelled_call_leaves_the_provider_in_mid_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeModelServer() as server:
        monkeypatch.setenv("OLLAMA_BASE_URL", server.url)
        server.push(Reply("one two three four", stall_after=3))
        agent = await make_agent(model="ollama/some-model")
        run_id = await said(agent, "Hi")
        worker = asyncio.create_task(execute(agent.id, run_id, None, 1))
        while not await events(agent, MessageDelta):
            await asyncio.sleep(0.02)
        await cancel(agent)
        await asyncio.wait_for(worker, 10)
        assert await asyncio.to_thread(server.wait_left_early)
    assert (await outcome(run_id)).status == "cancelled"


async def test_a_run_is_cancelled_between_two_steps() -> None:
    agent = await make_agent(tools=["core_memory_append"])

    async def stop(request: ModelRequest) -> None:
        await cancel(agent)

    loop = asyncio.get_running_loop()
    stopping: list[asyncio.Task[None]] = []

    def model(request: ModelRequest) -> Answer:
        stopping.append(loop.create_task(stop(request)))
        return Answer(calls=[("core_memory_append", {"label": "human", "content": "X"})], delay_s=0.03)

    await play(agent, [model] * 50)
    run_id = await said(agent, "Hi")
    worker = asyncio.create_task(execute(agent.id, run_id, None, 1))
    await asyncio.wait_for(worker, 20)
    await asyncio.gather(*stopping, return_exceptions=True)
    ended = await outcome(run_id)
    assert (ended.status, ended.stop_reason) == ("cancelled", "cancelled")
    assert len(stopping) < 50


async def test_a_run_is_cancelled_while_a_summary_is_written() -> None:
    agent = await make_agent(context_window=4000)

    def model(request: ModelRequest) -> Answer:
        return Answer("Yes.", delay_s=60.0 if request.system.startswith(SUMMARY_REQUEST) else 0.0)

    await play(agent, [model] * 50)
    run_id = ""
    while not await Step.objects.filter(agent=agent, kind="summary").aexists():
        run_id = await said(agent, "The harbour master wrote down every ship that came in on that day. " * 20)
        worker = asyncio.create_task(execute(agent.id, run_id, None, 1))
        while not worker.done() and not await Step.objects.filter(agent=agent, kind="summary").aexists():
            await asyncio.sleep(0.02)
    await cancel(agent)
    await asyncio.wait_for(worker, 10)
    await check_cancelled(agent, run_id)


async def test_a_run_is_cancelled_while_a_tool_of_the_sandbox_runs() -> None:
    source = 'import time\n\ndef doze() -> str:\n    """Sleeps."""\n    time.sleep(9)\n    return "rested"\n'
    await make_tool(source)
    quick = ("core_memory_append", {"label": "human", "content": "X"})
    agent = await make_agent([Answer(calls=[quick, ("doze", {})])], tools=["core_memory_append", "doze"])
    await Agent.objects.filter(id=agent.id).aupdate(model_settings={"parallel_tool_calls": True})
    run_id = await said(agent, "Sleep")
    worker = asyncio.create_task(execute(agent.id, run_id, None, 1))
    while not await ToolCall.objects.filter(agent=agent, name="doze").aexists():
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.2)
    await cancel(agent)
    await asyncio.wait_for(worker, 4)
    ended = await outcome(run_id)
    assert (ended.status, ended.stop_reason) == ("cancelled", "cancelled")
    calls = {call.name: call.status async for call in ToolCall.objects.filter(agent=agent)}
    assert calls == {"core_memory_append": "ok", "doze": "interrupted"}
    [_, returned] = ended.messages
    assert ["Interrupted" in each["text"] for each in returned["tool_returns"]] == [False, True]
    assert (await Step.objects.aget(agent=agent)).status == "cancelled"
    await play(agent, [lambda request: request.messages[-2].text])
    assert "Interrupted" in spoken((await say(agent, "Well?")).messages[0])


# --- the stream ----------------------------------------------------------------------------------------------------


def hold_agent(agent_id: str, seconds: float) -> None:
    run_sync([
        Statement("SELECT id FROM agent WHERE id = %s FOR UPDATE", (agent_id,)),
        Statement("SELECT pg_sleep(%s)", (seconds,)),
    ])  # fmt: skip


async def test_the_pieces_of_a_message_come_before_it_and_spell_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFLINE_DELAY_MS", "20")
    agent = await make_agent(model="offline/rules")
    run_id = await said(agent, "Hello there, who are you and what can you do for me today?")
    worker = asyncio.create_task(execute(agent.id, run_id, None, 1))
    while not await events(agent, MessageDelta):
        await asyncio.sleep(0.01)
    await sync_to_async(hold_agent)(agent.id, 1.0)
    await worker
    told = [event for event in await events(agent) if isinstance(event, MessageDelta | MessageCreated)]
    [answer] = (await outcome(run_id)).messages
    kinds = [type(event) for event in told if event.message_id == answer["id"]]
    assert kinds[-1] is MessageCreated
    assert kinds.count(MessageCreated) == 1
    spelt = "".join(e.text for e in told if isinstance(e, MessageDelta) and e.part == "text")
    assert spoken(answer).startswith(spelt)
