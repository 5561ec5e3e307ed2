"""Where runs stop: each kind of breakpoint, its conditions, and what a person then does."""

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from agents_core.actions import breakpoints, pauses, runs
from agents_core.actions.messages import RunOutcome, outcome
from agents_core.actions.rewind import rewind
from agents_core.errors import AgentsError, InvalidInput, Refused
from agents_core.events.types import BreakpointLogged, RunEdited, RunEnded, RunPaused, RunResumed, ToolCalled
from agents_core.llm.errors import ModelServerError
from agents_core.llm.providers.scripted import Answer
from agents_core.llm.types import ModelRequest
from agents_core.models import Agent, Breakpoint, Intervention, Pause, Run, Step, ToolCall
from agents_core.record.steps import segments_of
from agents_core.runtime.loop import execute
from tests.runtime.test_crash import WorkerDied, die_at
from tests.runtime.world import events, make_agent, make_tool, play, said, say, spoken, value_of

APPEND = ("core_memory_append", {"label": "human", "content": "Likes tea."})
MAIL_SOURCE = 'def send_mail(to: str) -> str:\n    """Sends.\n\n    Args:\n        to: Whom.\n    """\n    return "sent to " + to\n'
MAIL = ("send_mail", {"to": "Bob"})


async def stop(agent: Agent | None, kind: str, **facts: Any) -> Breakpoint:
    return await sync_to_async(breakpoints.create)(agent.id if agent else None, kind, **facts)


async def paused(agent: Agent, words: str = "Hello") -> Pause:
    """Where the run stands that answers ``words``."""
    run = await say(agent, words)
    assert run.status == "paused", run
    return await standing(agent)


async def standing(agent: Agent) -> Pause:
    pause = await sync_to_async(pauses.open_pause)(agent.id)
    assert pause is not None
    return pause


async def edit(pause: Pause, kind: str, target: str, value: Any, **more: Any) -> Intervention:
    return await sync_to_async(pauses.edit)(pause.id, kind, target, value, **more)


async def go_on(pause: Pause, how: str = "continue", **more: Any) -> RunOutcome:
    """Lets the run go on, as far as it comes."""
    await sync_to_async(pauses.resume)(pause.id, how, **more)
    await execute(pause.agent_id, pause.run_id, None, 1)
    return await outcome(pause.run_id)


async def call_of(agent: Agent) -> ToolCall:
    return await ToolCall.objects.select_related("step").aget(agent=agent)


def writing(*then: Any) -> list[Any]:
    return [Answer("I note it.", calls=[APPEND]), *then]


async def writer(*then: Any, **fields: Any) -> Agent:
    """An agent that appends to its block ``human``, and then answers."""
    return await make_agent(writing(*(then or ("Noted.",))), tools=["core_memory_append"], **fields)


# --- where it stops --------------------------------------------------------------------------------------------------


async def test_a_run_stands_before_the_model_with_the_exact_request_and_then_goes_on_in_the_same_step() -> None:
    agent = await make_agent(["Hi."])
    await stop(agent, "model")
    pause = await paused(agent)
    assert pause.stage == "request"
    assert pause.reasons[0]["text"] == "the model is about to be called"
    step = await Step.objects.aget(agent=agent)
    shown = b"".join(segment.raw for segment in await sync_to_async(segments_of)(step))
    ended = await go_on(pause)
    assert (ended.status, ended.stop_reason, ended.steps) == ("completed", "end_turn", 1)
    sent = b"".join(segment.raw for segment in await sync_to_async(segments_of)(await Step.objects.aget(agent=agent)))
    assert shown == sent


async def test_a_run_that_stands_has_no_job_and_says_so_in_the_stream() -> None:
    agent = await writer()
    await stop(agent, "tool", target="core_memory_append")
    pause = await paused(agent)
    [told] = await events(agent, RunPaused)
    assert told == RunPaused(pause.id, "answer", "core_memory_append is about to run")
    assert not await events(agent, RunEnded)
    await go_on(pause)
    assert [event.how for event in await events(agent, RunResumed)] == ["continue"]


async def test_a_call_waits_at_its_breakpoint_and_runs_once_when_it_goes_on() -> None:
    agent = await writer()
    await stop(agent, "tool", target="core_memory_append")
    pause = await paused(agent)
    assert await value_of(agent) == "Her name is Ada."
    assert (await call_of(agent)).status == "paused"
    ended = await go_on(pause)
    assert (ended.status, ended.steps) == ("completed", 2)
    assert await value_of(agent) == "Her name is Ada.\nLikes tea."
    call = await call_of(agent)
    assert (call.status, call.step.number) == ("ok", 1)
    assert [event.name for event in await events(agent, ToolCalled)] == ["core_memory_append"]
    assert [spoken(message) for message in ended.messages if message["role"] == "assistant"] == ["I note it.", "Noted."]


async def test_a_block_that_is_about_to_change_stops_the_run_before_anything_is_written() -> None:
    agent = await writer()
    await stop(agent, "block_write", target="human")
    pause = await paused(agent)
    assert pause.stage == "results"
    assert pause.reasons[0]["text"] == "block human is about to change, +11 characters"
    [write] = pause.proposed
    assert (write["label"], write["before"], write["after"]) == (
        "human",
        "Her name is Ada.",
        "Her name is Ada.\nLikes tea.",
    )
    assert await value_of(agent) == "Her name is Ada."
    await go_on(pause)
    assert await value_of(agent) == "Her name is Ada.\nLikes tea."


async def test_a_breakpoint_on_another_block_or_tool_does_not_stop_it() -> None:
    agent = await writer()
    await stop(agent, "block_write", target="persona")
    await stop(agent, "tool", target="send_mail")
    await stop(agent, "result", target="send_mail")
    assert (await say(agent, "Hello")).status == "completed"


async def test_one_that_is_off_or_of_another_agent_does_not_stop_it_and_one_for_all_agents_does() -> None:
    agent, other = await make_agent(["Hi."]), await make_agent(["Hi."])
    await stop(agent, "model", enabled=False)
    await stop(other, "model")
    assert (await say(agent, "Hello")).status == "completed"
    everywhere = await stop(None, "answer")
    third = await make_agent(["Hi."])
    assert (await paused(third)).reasons[0]["breakpoint_id"] == everywhere.id


async def test_the_result_of_a_tool_that_ran_outside_is_kept_and_the_tool_is_not_run_again() -> None:
    await make_tool(MAIL_SOURCE.replace("return", "print('once')\n    return"))
    agent = await make_agent([Answer(calls=[MAIL]), "Sent."], tools=["send_mail"])
    await stop(agent, "result", target="send_mail")
    pause = await paused(agent)
    call = await call_of(agent)
    assert (call.status, call.result, call.stdout) == ("paused", "sent to Bob", "once\n")
    ended = await go_on(pause)
    assert ended.status == "completed"
    call = await call_of(agent)
    assert (call.status, call.result, call.stdout) == ("ok", "sent to Bob", "once\n")


async def test_a_failing_tool_stops_it() -> None:
    agent = await make_agent(
        [Answer(calls=[("core_memory_append", {"label": "no", "content": "x"})]), "Oh."], tools=["core_memory_append"]
    )
    await stop(agent, "error")
    pause = await paused(agent)
    assert (pause.stage, pause.reasons[0]["text"]) == ("results", "core_memory_append failed")


async def test_a_failing_model_stops_it_and_it_is_asked_again_when_it_goes_on() -> None:
    agent = await make_agent([Answer(error=ModelServerError("Slow down.")), "Here I am."])
    await stop(agent, "error")
    pause = await paused(agent)
    assert (pause.stage, pause.reasons[0]["text"]) == ("failed", "Slow down.")
    ended = await go_on(pause)
    assert (ended.status, spoken(ended.messages[-1])) == ("completed", "Here I am.")
    assert [step.status async for step in Step.objects.filter(agent=agent).order_by("number")] == ["failed", "success"]


async def test_a_call_that_needs_approval_stops_it_before_anybody_is_asked() -> None:
    gate = {"type": "requires_approval", "tool_name": "core_memory_append"}
    agent = await writer(tool_rules=[gate])
    await stop(agent, "approval")
    pause = await paused(agent)
    assert pause.reasons[0]["text"] == "core_memory_append needs an answer"
    ended = await go_on(pause)
    assert (ended.status, ended.stop_reason) == ("completed", "requires_approval")
    assert (await call_of(agent)).status == "awaiting"


async def test_a_text_that_comes_into_the_context_stops_it_once() -> None:
    agent = await make_agent(["One.", "Two.", "Three."])
    await stop(agent, "text", pattern=r"Berl\w+")
    assert (await say(agent, "Hello")).status == "completed"
    pause = await paused(agent, "I moved to Berlin")
    assert (await go_on(pause)).status == "completed"
    assert (await say(agent, "Hello again")).status == "completed"


async def test_a_text_of_a_branch_that_was_left_is_new_when_it_comes_again() -> None:
    agent = await make_agent(["One.", "Two.", "Three."])
    for words in ("Hello", "I moved to Berlin"):
        assert (await say(agent, words)).status == "completed"
    await sync_to_async(rewind)(agent.id, 1)
    await stop(agent, "text", pattern=r"Berl\w+")
    assert (await paused(agent, "Is Berlin far?")).reasons[0]["text"].endswith("is in the context")


async def test_a_block_that_somebody_changed_since_the_last_step_stops_it() -> None:
    from agents_core.actions import blocks

    agent = await make_agent(["One.", "Two."])
    await stop(agent, "block_changed", target="human")
    assert (await say(agent, "Hello")).status == "completed"
    block = await sync_to_async(blocks.of_agent)(agent.id, "human")
    await sync_to_async(blocks.modify)(block.id, {"value": "Her name is Eve."})
    pause = await paused(agent, "And now?")
    assert pause.reasons[0]["text"] == "block human has changed since step 1"


async def test_a_fuller_context_stops_it_when_it_crosses_the_share() -> None:
    agent = await make_agent(["One.", "Two.", "Three."], context_window=4000)
    await stop(agent, "context", threshold=50)
    assert (await say(agent, "Hello")).status == "completed"
    pause = await paused(agent, "word " * 2200)
    assert "of the window" in pause.reasons[0]["text"]
    assert (await go_on(pause)).status == "completed"
    assert (await say(agent, "Hello")).status == "completed"


async def test_it_stops_just_before_messages_leave_the_context() -> None:
    agent = await make_agent([f"Answer {n}. " + "word " * 300 for n in range(20)], context_window=4000)
    await stop(agent, "eviction")
    for n in range(15):
        run = await say(agent, f"Question {n}: " + "word " * 200)
        if run.status == "paused":
            break
    pause = await standing(agent)
    assert (pause.stage, "about to leave the context" in pause.reasons[0]["text"]) == ("eviction", True)
    assert (await go_on(pause)).status == "completed"
    kinds = [step.kind async for step in Step.objects.filter(agent=agent)]
    assert "summary" in kinds


async def test_the_same_call_made_again_and_again_stops_it() -> None:
    search = Answer(calls=[("conversation_search", {"query": "tea"})])
    agent = await make_agent([search, search, search, "No."], tools=["conversation_search"])
    await stop(agent, "repeat", threshold=3)
    pause = await paused(agent)
    assert pause.reasons[0]["text"] == "conversation_search is called with the same arguments for the 3. time"
    assert await Step.objects.filter(agent=agent).acount() == 3


async def test_a_broken_prefix_cache_stops_it_and_a_longer_conversation_does_not() -> None:
    from agents_core.actions import blocks

    agent = await make_agent(["One.", "Two.", "Three."])
    await stop(agent, "cache")
    assert (await say(agent, "Hello")).status == "completed"
    assert (await say(agent, "Hello again")).status == "completed"
    block = await sync_to_async(blocks.of_agent)(agent.id, "human")
    await sync_to_async(blocks.modify)(block.id, {"value": "Her name is Eve."})
    assert "the prefix cache breaks at core human" in (await paused(agent, "And now?")).reasons[0]["text"]


async def test_an_expression_stops_it_when_it_becomes_true_and_not_while_it_stays_so() -> None:
    agent = await writer("Noted.", "Still here.")
    await stop(agent, "expression", condition='"tea" in block.human and tokens.core > 0')
    pause = await paused(agent)
    assert (pause.stage, pause.step.number) == ("request", 2)
    assert (await go_on(pause)).status == "completed"
    assert (await say(agent, "Hello again")).status == "completed"


@pytest.mark.parametrize(
    ("condition", "stops"),
    [
        ('tool == "core_memory_append" and "tea" in arguments.content', True),
        ('"coffee" in arguments.content', False),
        ('block.human == "Her name is Ada."', True),
        ('"Ada" in context', True),
        ("step.number > 1", False),
    ],
)
async def test_a_condition_decides(condition: str, stops: bool) -> None:
    agent = await writer()
    await stop(agent, "tool", condition=condition)
    assert ((await say(agent, "Hello")).status == "paused") is stops


async def test_it_stops_from_the_nth_hit_on() -> None:
    agent = await make_agent(["One.", "Two.", "Three."])
    found = await stop(agent, "answer", nth=2)
    assert (await say(agent, "Hello")).status == "completed"
    await paused(agent)
    await found.arefresh_from_db()
    assert found.hits == 2


async def test_a_logpoint_says_so_and_does_not_stop() -> None:
    agent = await writer()
    found = await stop(agent, "block_write", log="human grows")
    assert (await say(agent, "Hello")).status == "completed"
    text = "human grows (block human is about to change, +11 characters)"
    assert await events(agent, BreakpointLogged) == [BreakpointLogged(found.id, text)]


# --- what a person then does -----------------------------------------------------------------------------------------


async def test_the_argument_of_a_wrong_call_is_mended_and_the_model_is_told() -> None:
    seen: list[str] = []

    def look(request: ModelRequest) -> str:
        seen.append(request.messages[-1].text)
        return "Sent."

    await make_tool(MAIL_SOURCE)
    agent = await make_agent([Answer(calls=[MAIL]), look], tools=["send_mail"])
    await stop(agent, "tool", target="send_mail")
    pause = await paused(agent)
    call = await call_of(agent)
    made = await edit(pause, "arguments", call.call_id, {"to": "Ada"})
    assert (json.loads(made.before), json.loads(made.after)) == ({"to": "Bob"}, {"to": "Ada"})
    assert (await go_on(pause)).status == "completed"
    call = await call_of(agent)
    assert (call.result, call.arguments) == ("sent to Ada", {"to": "Ada"})
    assert "A person changed the arguments" in seen[0]
    assert [event.kind for event in await events(agent, RunEdited)] == ["arguments"]


async def test_a_change_of_memory_is_refused_and_the_model_is_told_why() -> None:
    seen: list[str] = []
    agent = await writer(lambda request: seen.append(request.messages[-1].text) or "I see.")
    await stop(agent, "block_write", target="human")
    pause = await paused(agent)
    await edit(pause, "refused", (await call_of(agent)).call_id, "She prefers coffee.")
    assert (await go_on(pause)).status == "completed"
    assert await value_of(agent) == "Her name is Ada."
    assert "She prefers coffee." in seen[0]
    assert (await call_of(agent)).status == "error"


async def test_another_text_is_written_than_the_agent_wanted_and_the_model_is_told() -> None:
    seen: list[str] = []
    agent = await writer(lambda request: seen.append(request.messages[-1].text) or "I see.")
    await stop(agent, "block_write", target="human")
    pause = await paused(agent)
    call = await call_of(agent)
    await edit(pause, "write", f"{call.call_id} human", "Her name is Ada. Tea, no milk.")
    assert (await go_on(pause)).status == "completed"
    assert await value_of(agent) == "Her name is Ada. Tea, no milk."
    assert json.loads(seen[0])["note"].endswith('now holds "Her name is Ada. Tea, no milk.".')


async def test_a_result_that_shows_the_block_shows_what_was_written_instead() -> None:
    insert = ("memory_insert", {"label": "human", "new_string": "Likes tea.", "insert_line": -1})
    agent = await make_agent([Answer(calls=[insert]), "Noted."], tools=["memory_insert"])
    await stop(agent, "block_write", target="human")
    pause = await paused(agent)
    await edit(pause, "write", f"{(await call_of(agent)).call_id} human", "Likes coffee.")
    assert (await go_on(pause)).status == "completed"
    assert (await call_of(agent)).result == await value_of(agent) == "Likes coffee."


async def test_a_call_is_answered_in_the_tools_place_or_its_result_changed() -> None:
    await make_tool(MAIL_SOURCE)
    for kind, ran in (("tool", ""), ("result", "sent to Bob")):
        agent = await make_agent([Answer(calls=[MAIL]), "Sent."], tools=["send_mail"])
        await stop(agent, kind, target="send_mail")
        pause = await paused(agent)
        made = await edit(pause, "result", (await call_of(agent)).call_id, "bounced", status="error")
        assert made.before == ran
        assert (await go_on(pause)).status == "completed"
        call = await call_of(agent)
        assert (call.result, call.status) == ("bounced", "error")


async def test_the_answer_the_prompt_a_block_and_a_message_are_changed_on_the_way() -> None:
    seen: list[ModelRequest] = []
    agent = await make_agent(["I hate tea.", lambda request: seen.append(request) or "Good."])
    await stop(agent, "answer")
    pause = await paused(agent)
    run = await Run.objects.aget(id=pause.run_id)
    await edit(pause, "message", run.suspended["message_id"], "I love tea.")
    await go_on(pause)
    await stop(agent, "model")
    pause = await paused(agent, "Do you?")
    await edit(pause, "system", "", "You are a tea seller.")
    await edit(pause, "block", "human", "Her name is Eve.")
    asked = [m async for m in agent.messages.filter(role="user").order_by("seq")]
    await edit(pause, "message", asked[0].id, "Good morning")
    await go_on(pause)
    [request] = seen
    assert request.system.startswith("You are a tea seller.")
    assert "Her name is Eve." in request.system
    assert [message.text for message in request.messages] == ["Good morning", "I love tea.", "Do you?"]
    made = [each.kind async for each in Intervention.objects.order_by("id")]
    assert made == ["message", "system", "block", "message"]


async def test_step_over_goes_to_the_next_model_call_and_into_to_the_next_place() -> None:
    agent = await writer()
    await stop(agent, "model")
    pause = await paused(agent)
    stages = [(pause.stage, pause.step.number)]
    await sync_to_async(breakpoints.modify)((await Breakpoint.objects.aget()).id, {"enabled": False})
    for how in ("into", "into", "over", "into"):
        assert (await go_on(pause, how)).status == "paused"
        pause = await standing(agent)
        stages.append((pause.stage, pause.step.number))
    assert stages == [("request", 1), ("answer", 1), ("results", 1), ("request", 2), ("answer", 2)]
    assert (await go_on(pause, "over")).status == "completed"


async def test_stepping_into_a_call_records_the_code_of_its_tool_and_continuing_does_not() -> None:
    await make_tool(MAIL_SOURCE)
    for how in ("into", "continue"):
        agent = await make_agent([Answer(calls=[MAIL]), "Sent."], tools=["send_mail"])
        await stop(agent, "tool")
        await stop(agent, "result")
        assert (await go_on(await paused(agent), how)).status == "paused"
        pause = await standing(agent)
        recorded = pause.recordings.get((await call_of(agent)).call_id, [])
        assert bool(recorded) is (how == "into")
        assert not recorded or ["to", "'Bob'"] in recorded[0]["variables"]
        assert (await go_on(pause)).status == "completed"
        assert (await call_of(agent)).result == "sent to Bob"


async def test_it_runs_to_a_step() -> None:
    search = [Answer(calls=[("conversation_search", {"query": f"tea {n}"})]) for n in range(5)]
    agent = await make_agent([*search, "No."], tools=["conversation_search"])
    found = await stop(agent, "model")
    pause = await paused(agent)
    await sync_to_async(breakpoints.delete)(found.id)
    assert (await go_on(pause, until=4)).status == "paused"
    assert (await standing(agent)).step.number == 4


async def test_a_run_that_stands_is_cancelled_and_the_agent_answers_again() -> None:
    await make_tool(MAIL_SOURCE)
    agent = await make_agent([Answer(calls=[MAIL]), "Back."], tools=["send_mail"])
    found = await stop(agent, "tool")
    pause = await paused(agent)
    assert await sync_to_async(runs.cancel)(agent.id) == [pause.run_id]
    await execute(agent.id, pause.run_id, None, 1)
    assert (await outcome(pause.run_id)).status == "cancelled"
    assert (await call_of(agent)).status == "interrupted"
    await sync_to_async(breakpoints.delete)(found.id)
    assert (await say(agent, "Still there?")).status == "completed"


async def test_a_message_that_was_sent_meanwhile_waits_behind_the_pause() -> None:
    agent = await make_agent(["One.", "Two."])
    found = await stop(agent, "model")
    pause = await paused(agent, "First")
    second = await said(agent, "Second")
    await execute(agent.id, second, None, 1)
    assert (await outcome(second)).status == "created"
    await sync_to_async(breakpoints.delete)(found.id)
    await sync_to_async(pauses.resume)(pause.id)
    await execute(agent.id, second, None, 1)  # before the first has been taken up
    assert (await outcome(second)).status == "created"
    await execute(agent.id, pause.run_id, None, 1)
    await execute(agent.id, second, None, 1)
    assert [spoken((await outcome(run)).messages[-1]) for run in (pause.run_id, second)] == ["One.", "Two."]


async def test_a_budget_of_time_does_not_run_while_it_stands() -> None:
    agent = await writer(budgets={"max_run_s": 60})
    await stop(agent, "tool")
    pause = await paused(agent)
    await Pause.objects.filter(id=pause.id).aupdate(created_at="2020-01-01T00:00:00Z")
    await Run.objects.filter(id=pause.run_id).aupdate(started_at="2020-01-01T00:00:00Z")
    assert (await go_on(pause)).status == "completed"


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("kind", ["model", "tool", "result", "block_write"])
async def test_a_worker_that_dies_after_the_pause_loses_and_doubles_nothing(
    monkeypatch: pytest.MonkeyPatch, kind: str, number: int, committed: bool
) -> None:
    agent = await writer()
    found = await stop(agent, kind)
    pause = await paused(agent)
    await sync_to_async(breakpoints.delete)(found.id)
    await sync_to_async(pauses.resume)(pause.id)
    with monkeypatch.context() as patch:
        die_at(patch, number, committed=committed)
        try:
            await execute(agent.id, pause.run_id, None, 1)
        except WorkerDied:
            await play(
                agent, ["Noted."] if (await ToolCall.objects.filter(agent=agent).acount()) else writing("Noted.")
            )
    await execute(agent.id, pause.run_id, None, 2)
    ended = await outcome(pause.run_id)
    assert ended.status == "completed", ended.error
    assert (await value_of(agent)).count("Likes tea.") == 1
    assert await ToolCall.objects.filter(agent=agent, status="ok").acount() == 1
    assert not await Step.objects.filter(agent=agent, status="pending").aexists()


async def test_two_people_let_it_go_on_and_the_second_is_told() -> None:
    agent = await make_agent(["Hi."])
    await stop(agent, "model")
    pause = await paused(agent)
    await go_on(pause)
    with pytest.raises(pauses.NotPaused):
        await go_on(pause)
    with pytest.raises(pauses.NotPaused):
        await edit(pause, "system", "", "Too late.")


@pytest.mark.parametrize(
    ("kind", "target", "value"),
    [
        ("colour", "", "red"),
        ("arguments", "nobody", {}),
        ("result", "nobody", "x"),
        ("write", "nobody human", "x"),
        ("message", "message-nobody", "x"),
        ("block", "nobody", "x"),
        ("system", "", 7),
    ],
)
async def test_what_cannot_be_changed_is_refused_in_a_sentence(kind: str, target: str, value: Any) -> None:
    agent = await writer()
    await stop(agent, "tool")
    pause = await paused(agent)
    with pytest.raises(AgentsError) as refusal:
        await edit(pause, kind, target, value)
    assert refusal.value.http_status < 500
    assert not await Intervention.objects.aexists()
    assert (await go_on(pause)).status == "completed"


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        ("moon", {}),
        ("text", {}),
        ("text", {"pattern": "("}),
        ("context", {"threshold": 101}),
        ("repeat", {"threshold": 1}),
        ("expression", {}),
        ("tool", {"condition": "import os"}),
        ("tool", {"nth": 0}),
        ("tool", {"log": "x" * 5000}),
    ],
)
async def test_a_breakpoint_that_could_never_stop_is_refused(kind: str, facts: dict[str, Any]) -> None:
    agent = await make_agent()
    with pytest.raises(InvalidInput):
        await stop(agent, kind, **facts)
    assert not await Breakpoint.objects.aexists()


async def test_arguments_cannot_be_changed_once_the_tool_has_run() -> None:
    agent = await writer()
    await stop(agent, "result")
    pause = await paused(agent)
    with pytest.raises(Refused):
        await edit(pause, "arguments", (await call_of(agent)).call_id, {})
