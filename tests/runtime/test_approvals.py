"""Calls that wait: for a person's approval, or for the result of a tool that the caller runs."""

import asyncio
import json
from collections import Counter
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from agents_core.actions import approvals, conversations, runs, tools
from agents_core.actions.messages import CallAnswer, Input, RunOptions, RunOutcome, outcome, pending, send
from agents_core.errors import Refused
from agents_core.events.types import ApprovalAnswered, ApprovalRequested
from agents_core.llm.providers.scripted import Answer
from agents_core.llm.types import ModelRequest
from agents_core.models import Agent, Message, Run, ToolCall
from agents_core.runtime import calls
from agents_core.runtime.approvals import PendingApproval
from agents_core.runtime.loop import execute
from agents_core.tools.execute import run_custom
from tests.runtime.test_crash import WorkerDied, die_at
from tests.runtime.world import events, in_context, make_agent, make_tool, said, say, spoken, text, value_of

GATE = {"type": "requires_approval", "tool_name": "core_memory_append"}
APPEND = ("core_memory_append", {"label": "human", "content": "Likes tea."})
SEARCH = ("conversation_search", {"query": "tea"})
MAIL_SOURCE = 'def send_mail(to: str) -> str:\n    """Sends.\n\n    Args:\n        to: Whom.\n    """\n    return "sent to " + to\n'
MAIL = ("send_mail", {"to": "Ada"})
BROWSE = {"name": "open_page", "description": "Opens a page.", "parameters": {"type": "object", "properties": {}}}


async def waiting_agent(*script: Any, call: tuple[str, dict[str, Any]] = APPEND, **fields: Any) -> Agent:
    """An agent whose call waits for an answer."""
    fields = {"tools": ["core_memory_append", "conversation_search"], "tool_rules": [GATE], **fields}
    agent = await make_agent([Answer("May I?", calls=[call]), *script], **fields)
    asked = await say(agent, "I like tea")
    assert (asked.status, asked.stop_reason) == ("completed", "requires_approval")
    return agent


async def call_ids(agent: Agent) -> list[str]:
    waiting = await pending(agent.id)
    return waiting.call_ids if waiting else []


async def answer(agent: Agent, *texts: str, **facts: Any) -> RunOutcome:
    """Answers all calls that wait in the same way, and executes the run that follows."""
    given = [CallAnswer(call_id, **facts) for call_id in await call_ids(agent)]
    inputs = [Input("user", text(words)) for words in texts]
    sent = await send(agent.id, inputs, options=RunOptions(answers=given))
    await execute(agent.id, sent.run_id, None, 1)
    return await outcome(sent.run_id)


async def test_a_call_that_needs_approval_ends_the_turn_and_does_not_run() -> None:
    agent = await waiting_agent()
    assert await value_of(agent) == "Her name is Ada."
    call = await ToolCall.objects.aget(agent=agent)
    assert (call.status, call.arguments) == ("awaiting", APPEND[1])
    [requested] = await events(agent, ApprovalRequested)
    message = await Message.objects.aget(agent=agent, role="assistant")
    assert requested == ApprovalRequested(message.id, [call.call_id])
    assert message.tool_calls[0]["gated"] is True


async def test_an_approved_call_runs_as_part_of_the_step_that_asked_and_the_turn_goes_on() -> None:
    agent = await waiting_agent("Noted.")
    ended = await answer(agent, approve=True)
    assert (ended.status, ended.stop_reason, ended.steps) == ("completed", "end_turn", 1)
    assert await value_of(agent) == "Her name is Ada.\nLikes tea."
    call = await ToolCall.objects.select_related("step").aget(agent=agent)
    assert (call.status, call.step.number) == ("ok", 1)
    roles = [message.role for message in await in_context(agent)]
    assert roles == ["system", "user", "assistant", "tool", "assistant"]
    assert [event.call_ids for event in await events(agent, ApprovalAnswered)] == [[call.call_id]]


async def test_the_model_sees_the_approved_edit_in_the_very_next_request() -> None:
    seen: list[str] = []
    agent = await waiting_agent(lambda request: seen.append(request.system) or "Noted.")
    await answer(agent, approve=True)
    assert "Likes tea." in seen[0]


async def test_a_denied_call_does_not_run_and_the_model_is_told_why() -> None:
    seen: list[str] = []
    agent = await waiting_agent(lambda request: seen.append(request.messages[-1].text) or "Sorry.")
    await answer(agent, approve=False, reason="Not your business.")
    assert await value_of(agent) == "Her name is Ada."
    assert "denied" in seen[0]
    assert "Not your business." in seen[0]


async def test_arguments_may_be_changed_on_the_way_and_the_model_is_told() -> None:
    seen: list[str] = []
    agent = await waiting_agent(lambda request: seen.append(request.messages[-1].text) or "Noted.")
    await answer(agent, approve=True, arguments={"label": "human", "content": "Likes coffee."})
    assert await value_of(agent) == "Her name is Ada.\nLikes coffee."
    assert (await ToolCall.objects.aget(agent=agent)).arguments["content"] == "Likes coffee."
    assert "A person changed the arguments" in json.loads(seen[0])["note"]


async def test_a_person_may_answer_in_the_tools_place() -> None:
    seen: list[str] = []
    agent = await waiting_agent(lambda request: seen.append(request.messages[-1].text) or "Good.")
    await answer(agent, type="tool", tool_return="Done by hand.")
    assert await value_of(agent) == "Her name is Ada."
    assert "Done by hand." in seen[0]


async def test_calls_beside_the_gated_one_wait_with_it() -> None:
    settings = {"parallel_tool_calls": True}
    agent = await make_agent(
        [Answer(calls=[SEARCH, APPEND]), "Both done."],
        tools=["core_memory_append", "conversation_search"], tool_rules=[GATE], model_settings=settings,
    )  # fmt: skip
    await say(agent, "Tea?")
    assert [(call.name, call.status) async for call in ToolCall.objects.filter(agent=agent)] == [
        ("conversation_search", "held"), ("core_memory_append", "awaiting")
    ]  # fmt: skip
    assert len(await call_ids(agent)) == 1
    await answer(agent, approve=True)
    [tool_message] = [message async for message in Message.objects.filter(agent=agent, role="tool")]
    assert [entry["name"] for entry in tool_message.tool_returns] == ["conversation_search", "core_memory_append"]


async def test_other_messages_come_after_the_answered_calls() -> None:
    seen: list[list[str]] = []
    agent = await waiting_agent(lambda request: seen.append([m.role for m in request.messages]) or "Right.")
    await answer(agent, "And hurry", approve=True)
    assert seen == [["user", "assistant", "tool", "user"]]
    assert [m.role for m in await in_context(agent)] == ["system", "user", "assistant", "tool", "user", "assistant"]


async def test_a_waiting_thread_refuses_other_messages_with_the_request_to_answer() -> None:
    agent = await waiting_agent()
    with pytest.raises(PendingApproval) as refused:
        await say(agent, "Hello?")
    message = await Message.objects.aget(agent=agent, role="assistant")
    assert refused.value.data == {"pending_request_id": message.id}


async def test_a_message_that_was_queued_before_the_agent_asked_is_refused_and_leaves_no_trace_in_the_context() -> None:
    agent = await make_agent([Answer(calls=[APPEND])], tools=["core_memory_append"], tool_rules=[GATE])
    first, second = await said(agent, "Note it"), await said(agent, "And?")
    await execute(agent.id, first, None, 1)
    await execute(agent.id, second, None, 1)
    late = await outcome(second)
    assert (late.status, late.error["code"]) == ("failed", "PENDING_APPROVAL")
    assert [spoken(m) for m in await in_context(agent)][1:] == ["Note it", ""]
    assert len(await call_ids(agent)) == 1


async def test_other_threads_of_the_agent_do_not_wait() -> None:
    agent = await waiting_agent()
    other = (await sync_to_async(conversations.create)(agent.id)).id
    assert await pending(agent.id, other) is None
    assert (await say(agent, "Hi", conversation_id=other)).status == "completed"
    waiting = [await pending(agent.id, thread) for thread in (None, other)]
    assert len({found.message_id for found in waiting if found}) == 2


@pytest.mark.parametrize("with_the_right_one", [True, False])
async def test_answers_to_other_calls_are_refused_and_change_nothing(with_the_right_one: bool) -> None:
    agent = await waiting_agent()
    waiting = await call_ids(agent)
    given = [CallAnswer(call_id, approve=True) for call_id in [*(waiting if with_the_right_one else []), "call_x"]]
    with pytest.raises(Refused, match="Invalid tool call IDs"):
        await send(agent.id, [], options=RunOptions(answers=given))
    assert await call_ids(agent) == waiting


async def test_answers_when_nothing_waits_are_refused() -> None:
    agent = await make_agent(["Hi."])
    with pytest.raises(Refused, match="No tool call is currently awaiting approval"):
        await send(agent.id, [], options=RunOptions(answers=[CallAnswer("call_x", approve=True)]))


async def test_the_same_answer_again_is_taken_and_does_nothing() -> None:
    agent = await waiting_agent("Noted.")
    given = [CallAnswer(call_id, approve=True) for call_id in await call_ids(agent)]
    for _ in range(2):
        sent = await send(agent.id, [], options=RunOptions(answers=given))
        await execute(agent.id, sent.run_id, None, 1)
        assert (await outcome(sent.run_id)).status == "completed"
    assert await value_of(agent) == "Her name is Ada.\nLikes tea."


async def test_another_answer_to_a_call_that_was_answered_is_refused() -> None:
    agent = await waiting_agent("Sorry.")
    [call_id] = await call_ids(agent)
    await answer(agent, approve=False)
    with pytest.raises(Refused, match="No tool call is currently awaiting approval"):
        await send(agent.id, [], options=RunOptions(answers=[CallAnswer(call_id, approve=True)]))


async def test_of_two_who_answer_at_once_one_decides() -> None:
    agent = await waiting_agent("Noted.", "Noted.")
    [call_id] = await call_ids(agent)
    answers = [CallAnswer(call_id, approve=True), CallAnswer(call_id, approve=False)]
    asked = [send(agent.id, [], options=RunOptions(answers=[one])) for one in answers]
    sent = await asyncio.gather(*asked, return_exceptions=True)
    [run] = [each for each in sent if not isinstance(each, BaseException)]
    assert [type(each) for each in sent if each is not run] == [Refused]
    await execute(agent.id, run.run_id, None, 1)
    assert (await outcome(run.run_id)).status == "completed"
    assert await ToolCall.objects.filter(agent=agent).acount() == 1
    assert len([m for m in await in_context(agent) if m.role == "tool"]) == 1


async def test_giving_up_on_a_call_frees_the_agent_without_a_model_call() -> None:
    seen: list[ModelRequest] = []
    agent = await waiting_agent(lambda request: seen.append(request) or "Yes?")
    asked = await Run.objects.aget(agent=agent)
    assert await sync_to_async(runs.cancel)(agent.id) == [asked.id]
    assert seen == []
    assert (await ToolCall.objects.aget(agent=agent)).status == "error"
    assert (await say(agent, "Hello?")).status == "completed"
    assert [m.role for m in seen[0].messages] == ["user", "assistant", "tool", "user"]
    assert "given up" in seen[0].messages[2].text
    assert [event.abandoned for event in await events(agent, ApprovalAnswered)] == [True]


@pytest.mark.parametrize("taken_up", [True, False])
async def test_an_answer_that_is_cancelled_before_it_had_an_effect_lets_the_call_wait_again(taken_up: bool) -> None:
    agent = await waiting_agent("Noted.")
    waiting = await call_ids(agent)
    sent = await send(agent.id, [], options=RunOptions(answers=[CallAnswer(waiting[0], approve=True)]))
    if taken_up:
        await Run.objects.filter(id=sent.run_id).aupdate(cancel_requested=True)
        await execute(agent.id, sent.run_id, None, 1)
    else:
        await sync_to_async(runs.cancel)(agent.id)
    assert (await Run.objects.aget(id=sent.run_id)).status == "cancelled"
    assert await call_ids(agent) == waiting
    assert (await answer(agent, approve=True)).stop_reason == "end_turn"
    assert await value_of(agent) == "Her name is Ada.\nLikes tea."


async def test_an_agent_that_waits_for_nothing_has_nothing_to_give_up() -> None:
    agent = await make_agent()
    assert await sync_to_async(approvals.abandon)(agent.id) == []


async def test_a_tool_of_the_caller_is_offered_hides_an_own_one_and_waits_for_its_result() -> None:
    offered: list[list[str]] = []
    own = {**BROWSE, "name": "conversation_search"}
    agent = await make_agent(
        [lambda r: offered.append([t.name for t in r.tools]) or Answer(calls=[("open_page", {})]), "Read it."],
        tools=["conversation_search"],
    )
    asked = await say(agent, "Read", client_tools=[BROWSE, own])
    assert asked.stop_reason == "requires_approval"
    assert sorted(offered[0]) == ["conversation_search", "open_page"]
    ended = await answer(agent, type="tool", tool_return="<html>", status="success")
    assert ended.stop_reason == "end_turn"
    [returned] = [m async for m in Message.objects.filter(agent=agent, role="tool")]
    assert returned.tool_returns[0]["value"] == "<html>"


async def test_an_approval_alone_does_not_run_a_tool_of_the_caller() -> None:
    agent = await make_agent([Answer(calls=[("open_page", {})]), "Oh."])
    await say(agent, "Read", client_tools=[BROWSE])
    await answer(agent, approve=True)
    [returned] = [m async for m in Message.objects.filter(agent=agent, role="tool")]
    assert returned.tool_returns[0]["status"] == "error"


async def test_an_approved_call_that_ends_the_turn_ends_it() -> None:
    rules = [GATE, {"type": "exit_loop", "tool_name": "core_memory_append"}]
    agent = await waiting_agent(tool_rules=rules)
    ended = await answer(agent, approve=True)
    assert (ended.status, ended.stop_reason, ended.steps) == ("completed", "tool_rule", 1)
    run = await Run.objects.filter(agent=agent).order_by("-first_seq").afirst()
    assert not await run.steps.filter(status="pending").aexists()


async def test_a_message_buffer_that_clears_itself_keeps_what_waits() -> None:
    agent = await waiting_agent("Noted.", message_buffer_autoclear=True)
    ended = await answer(agent, approve=True)
    assert ended.stop_reason == "end_turn"
    assert [m.role for m in await in_context(agent)] == ["system"]


async def test_a_tool_that_asks_by_default_brings_its_rule_along() -> None:
    tool = await make_tool(MAIL_SOURCE, default_requires_approval=True)
    agent = await make_agent([Answer(calls=[MAIL])], tools=["send_mail"])
    assert (await say(agent, "Mail")).stop_reason == "requires_approval"
    later = await make_agent([Answer(calls=[MAIL])])
    await sync_to_async(tools.attach)(later.id, tool.id)
    assert (await say(later, "Mail")).stop_reason == "requires_approval"
    await sync_to_async(tools.set_approval)(later.id, "send_mail", False)
    assert (await Agent.objects.aget(id=later.id)).tool_rules == []


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize("number", range(4))
async def test_a_worker_that_dies_while_it_does_what_was_approved_repeats_nothing(
    number: int, committed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: Counter[str] = Counter()

    async def counted(name: str, *arguments: Any, **options: Any) -> Any:
        ran[name] += 1
        return await run_custom(name, *arguments, **options)

    monkeypatch.setattr(calls, "run_custom", counted)
    await make_tool(MAIL_SOURCE)
    gate = {"type": "requires_approval", "tool_name": "send_mail"}
    agent = await waiting_agent("Done.", "Done.", call=MAIL, tools=["send_mail"], tool_rules=[gate])
    given = [CallAnswer(call_id, approve=True) for call_id in await call_ids(agent)]
    run_id = (await send(agent.id, [], options=RunOptions(answers=given))).run_id
    with monkeypatch.context() as patch, pytest.raises(WorkerDied):
        begun = die_at(patch, number, committed=committed)
        await execute(agent.id, run_id, None, 1)
    assert len(begun) == number + 1
    await execute(agent.id, run_id, None, 2)
    run = await Run.objects.aget(id=run_id)
    assert (run.status, run.stop_reason) == ("completed", "end_turn")
    assert ran["send_mail"] <= 1
    [returned] = [m async for m in Message.objects.filter(agent=agent, role="tool")]
    assert ("sent to Ada" in returned.tool_returns[0]["text"]) or "Interrupted" in returned.tool_returns[0]["text"]
    assert not await ToolCall.objects.filter(agent=agent, status__in=["awaiting", "held", "intended"]).aexists()
