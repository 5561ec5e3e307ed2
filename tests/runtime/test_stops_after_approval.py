"""Breakpoints in calls that somebody has approved: they run in a later run than the one that asked."""

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from agents_core.actions import breakpoints, pauses, runs
from agents_core.actions.messages import CallAnswer, RunOptions, outcome, send
from agents_core.events.types import RunPaused, ToolCalled
from agents_core.models import Agent, Pause, Run, Step, ToolCall
from agents_core.runtime.loop import execute
from tests.runtime.test_approvals import MAIL, MAIL_SOURCE, answer, call_ids, waiting_agent
from tests.runtime.test_breakpoints import call_of, edit, go_on, standing, stop
from tests.runtime.test_crash import WorkerDied, die_at
from tests.runtime.world import events, in_context, make_tool, play, say, value_of

MAIL_GATE = {"type": "requires_approval", "tool_name": "send_mail"}


async def mailer(*script: Any) -> Agent:
    """An agent whose mail waits for an answer."""
    await make_tool(MAIL_SOURCE)
    return await waiting_agent(*script, call=MAIL, tools=["send_mail"], tool_rules=[MAIL_GATE])


async def stopped(agent: Agent, kind: str, *texts: str, **facts: Any) -> Pause:
    """Where the run stands that does what ``facts`` answer."""
    await stop(agent, kind)
    ended = await answer(agent, *texts, **(facts or {"approve": True}))
    assert ended.status == "paused", ended
    return await standing(agent)


async def test_an_approved_call_stops_before_what_it_writes_and_goes_on() -> None:
    agent = await waiting_agent("Noted.", "You are welcome.")
    pause = await stopped(agent, "block_write", "Thanks!")
    assert (pause.stage, pause.step.number) == ("results", 1)
    assert [write["after"] for write in pause.proposed] == ["Her name is Ada.\nLikes tea."]
    assert await value_of(agent) == "Her name is Ada."
    ended = await go_on(pause)
    assert (ended.status, ended.stop_reason, ended.steps) == ("completed", "end_turn", 1)
    assert await value_of(agent) == "Her name is Ada.\nLikes tea."
    call = await call_of(agent)
    assert (call.status, call.step.number) == ("ok", 1)
    roles = [message.role for message in await in_context(agent)]
    assert roles == ["system", "user", "assistant", "tool", "user", "assistant"]
    assert [event.name for event in await events(agent, ToolCalled)] == ["core_memory_append"]


async def test_its_write_is_refused_or_another_text_written() -> None:
    for kind, wanted, value in (
        ("refused", "She prefers coffee.", "Her name is Ada."),
        ("write", "Ada, no milk.", "Ada, no milk."),
    ):
        agent = await waiting_agent("I see.")
        pause = await stopped(agent, "block_write")
        call_id = (await call_of(agent)).call_id
        await edit(pause, kind, call_id if kind == "refused" else f"{call_id} human", wanted)
        assert (await go_on(pause)).status == "completed"
        assert await value_of(agent) == value


async def test_its_result_is_changed_and_the_changed_arguments_are_still_told() -> None:
    seen: list[str] = []
    agent = await mailer(lambda request: seen.append(request.messages[-1].text) or "Done.")
    pause = await stopped(agent, "result", approve=True, arguments={"to": "Eve"})
    call = await call_of(agent)
    assert (call.status, call.result) == ("paused", "sent to Eve")
    await edit(pause, "result", call.call_id, "sent, it seems")
    assert (await go_on(pause)).status == "completed"
    told = json.loads(seen[0])
    assert (told["message"], "A person changed the arguments" in told["note"]) == ("sent, it seems", True)


async def test_a_call_that_was_denied_or_answered_does_not_stop() -> None:
    for facts in ({"approve": False}, {"type": "tool", "tool_return": "By hand.", "status": "error"}):
        agent = await waiting_agent("I see.")
        for kind in ("result", "error"):
            await stop(agent, kind)
        assert (await answer(agent, **facts)).status == "completed"
        assert not await events(agent, RunPaused)


async def test_a_run_that_stands_there_is_cancelled_and_the_agent_answers_again() -> None:
    agent = await waiting_agent("Back.")
    pause = await stopped(agent, "block_write")
    assert await sync_to_async(runs.cancel)(agent.id) == [pause.run_id]
    await execute(agent.id, pause.run_id, None, 1)
    assert (await outcome(pause.run_id)).status == "cancelled"
    assert (await call_of(agent)).status == "interrupted"
    assert await value_of(agent) == "Her name is Ada."
    assert (await say(agent, "Still there?")).status == "completed"


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("before_the_pause", [True, False])
async def test_a_worker_that_dies_around_the_pause_loses_and_doubles_nothing(
    monkeypatch: pytest.MonkeyPatch, before_the_pause: bool, number: int, committed: bool
) -> None:
    agent = await mailer("Sent.", "Sent.")
    found = await stop(agent, "result")
    given = [CallAnswer(call_id, approve=True) for call_id in await call_ids(agent)]
    run_id = (await send(agent.id, [], options=RunOptions(answers=given))).run_id
    for attempt, dies in ((1, before_the_pause), (3, not before_the_pause)):
        with monkeypatch.context() as patch:
            if dies:
                die_at(patch, number, committed=committed)
            try:
                await execute(agent.id, run_id, None, attempt)
            except WorkerDied:
                await play(agent, ["Sent.", "Sent."])
        await execute(agent.id, run_id, None, attempt + 1)
        if (pause := await sync_to_async(pauses.open_pause)(agent.id)) is not None:
            await sync_to_async(breakpoints.delete)(found.id)
            await sync_to_async(pauses.resume)(pause.id)
    run = await Run.objects.aget(id=run_id)
    assert (run.status, run.stop_reason) == ("completed", "end_turn"), run.error
    call = await ToolCall.objects.aget(agent=agent)
    assert call.status in (("ok", "error") if before_the_pause else ("ok",))
    assert len(await events(agent, ToolCalled)) == 1
    assert [message.role for message in await in_context(agent)].count("tool") == 1
    assert not await Step.objects.filter(agent=agent, status="pending").aexists()
