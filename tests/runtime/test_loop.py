"""How a run goes on and ends, over a scripted model."""

import json

import pytest

from agents_core.events.types import ToolCalled, ToolReturned
from agents_core.llm.providers.scripted import Answer
from agents_core.models import Message, Run, Step, ToolCall
from tests.runtime.world import events, in_context, make_agent, make_tool, play, said, say, spoken, text, value_of

LOOKUP = Answer(calls=[("conversation_search", {"query": "lighthouse"})])
APPEND = ("core_memory_append", {"label": "human", "content": "Likes tea."})


async def test_a_run_without_tools_takes_one_step_and_tells_the_stream_in_order() -> None:
    agent = await make_agent(["Hello Ada."])
    ended = await say(agent, "Hi")
    assert (ended.status, ended.stop_reason, ended.steps) == ("completed", "end_turn", 1)
    assert [spoken(message) for message in ended.messages] == ["Hello Ada."]
    told = [event for event in await events(agent) if event.type != "message.delta"][-7:]
    assert [event.type for event in told] == [
        "run.created", "message.created", "run.started", "step.started", "message.created", "step.ended", "run.ended"
    ]  # fmt: skip


async def test_the_answer_and_its_input_are_in_the_next_context() -> None:
    agent = await make_agent(["One.", "Two."])
    await say(agent, "First")
    await say(agent, "Second")
    assert [(m.role, spoken(m)) for m in (await in_context(agent))[1:]] == [
        ("user", "First"), ("assistant", "One."), ("user", "Second"), ("assistant", "Two.")
    ]  # fmt: skip


async def test_tools_are_run_and_their_results_shown_until_the_model_answers() -> None:
    agent = await make_agent([Answer("Let me note it.", calls=[APPEND]), "Noted."], tools=["core_memory_append"])
    ended = await say(agent, "I like tea")
    assert ended.stop_reason == "end_turn"
    assert [message["role"] for message in ended.messages] == ["assistant", "tool", "assistant"]
    assert await value_of(agent) == "Her name is Ada.\nLikes tea."


async def test_a_block_that_a_tool_changed_shows_in_the_very_next_request() -> None:
    seen = []
    answers = [Answer(calls=[APPEND]), lambda request: seen.append(request.system) or "Done."]
    agent = await make_agent(answers, tools=["core_memory_append"])
    await say(agent, "I like tea")
    assert "Likes tea." in seen[0]


async def test_a_tool_that_does_not_exist_is_told_with_those_that_do() -> None:
    agent = await make_agent([Answer(calls=[("fly", {})]), "Sorry."], tools=["core_memory_append"])
    ended = await say(agent, "Fly!")
    assert ended.status == "completed"
    [answer] = ended.messages[1]["tool_returns"]
    assert (answer["status"], answer["value"]) == ("error", "Tool not found: fly. Valid tools: core_memory_append.")


async def test_a_tool_that_fails_is_a_result_too() -> None:
    wrong = ("core_memory_replace", {"label": "nobody", "old_content": "a", "new_content": "b"})
    agent = await make_agent([Answer(calls=[wrong]), "I see."], tools=["core_memory_replace"])
    ended = await say(agent, "Change it")
    [answer] = ended.messages[1]["tool_returns"]
    assert (ended.status, answer["status"]) == ("completed", "error")
    assert "There is no memory block labelled 'nobody'. Blocks: human." in answer["value"]


@pytest.mark.parametrize(
    "arguments",
    ["", "{", "[1]", "null", '{"label": NaN}', "[" * 5000, '{"x": 1e999}'],
)
async def test_malformed_arguments_are_a_result_and_the_run_goes_on(arguments: str) -> None:
    agent = await make_agent(
        [Answer(calls=[("core_memory_append", arguments)]), "Again."], tools=["core_memory_append"]
    )
    ended = await say(agent, "Note it")
    assert (ended.status, ended.stop_reason) == ("completed", "end_turn")
    assert ended.messages[1]["tool_returns"][0]["status"] == "error"


async def test_the_first_of_two_joined_objects_counts() -> None:
    joined = json.dumps(APPEND[1]) * 2
    agent = await make_agent([Answer(calls=[("core_memory_append", joined)]), "Done."], tools=["core_memory_append"])
    await say(agent, "Note it")
    assert await value_of(agent) == "Her name is Ada.\nLikes tea."


async def test_arguments_reach_the_tool_without_what_postgres_cannot_hold() -> None:
    odd = '{"label": "human\\u0000", "content": "\\ud800 half"}'
    agent = await make_agent([Answer(calls=[("core_memory_append", odd)]), "Done."], tools=["core_memory_append"])
    assert (await say(agent, "Note it")).status == "completed"
    assert await value_of(agent) == "Her name is Ada.\n? half"


async def test_what_postgres_cannot_hold_does_not_end_a_run() -> None:
    agent = await make_agent([Answer("NUL \x00, half \ud83d.", reasoning="\x00")])
    ended = await say(agent, "Say it")
    assert (ended.status, ended.stop_reason) == ("completed", "end_turn")
    assert spoken(ended.messages[0]).startswith("NUL ")


async def test_output_of_a_tool_that_postgres_cannot_hold_does_not_end_a_run() -> None:
    await make_tool('def odd() -> str:\n    """Odd."""\n    print("a\\0b")\n    return "x\\0y\\ud83d"\n')
    agent = await make_agent([Answer(calls=[("odd", {})]), "Odd."], tools=["odd"])
    ended = await say(agent, "Do it")
    assert (ended.status, ended.stop_reason) == ("completed", "end_turn")
    assert ended.messages[1]["tool_returns"][0]["status"] == "success"


async def test_with_parallel_calls_off_only_the_first_is_kept() -> None:
    two = Answer(calls=[APPEND, ("core_memory_append", {"label": "human", "content": "Hates tea."})])
    agent = await make_agent([two, "Done."], tools=["core_memory_append"])
    ended = await say(agent, "Note it")
    assert len(ended.messages[0]["tool_calls"]) == 1
    assert await value_of(agent) == "Her name is Ada.\nLikes tea."


async def test_with_parallel_calls_on_all_are_run_in_order_and_answered_in_one_message() -> None:
    two = Answer(calls=[APPEND, ("core_memory_append", {"label": "human", "content": "Green."})])
    agent = await make_agent([two, "Done."], tools=["core_memory_append"], model_settings={"parallel_tool_calls": True})
    ended = await say(agent, "Note it")
    assert [message["role"] for message in ended.messages] == ["assistant", "tool", "assistant"]
    assert await value_of(agent) == "Her name is Ada.\nLikes tea.\nGreen."


async def test_two_calls_with_one_id_are_told_apart() -> None:
    source = 'def twice(n: int) -> int:\n    """Twice.\n\n    Args:\n        n: A number.\n    """\n    return 2 * n\n'
    await make_tool(source)
    agent = await make_agent([Answer(calls=[("twice", {"n": 1}), ("twice", {"n": 2})]), "Done."], tools=["twice"],
                             model_settings={"parallel_tool_calls": True})  # fmt: skip
    ended = await say(agent, "Go")
    assert [answer["value"] for answer in ended.messages[1]["tool_returns"]] == ["2", "4"]


async def test_each_call_is_told_once_also_beside_one_in_the_sandbox() -> None:
    await make_tool('def one() -> int:\n    """One."""\n    return 1\n')
    mixed = Answer(calls=[("one", {}), APPEND, ("fly", {})])
    agent = await make_agent([mixed, "Done."], tools=["one", "core_memory_append"],
                             model_settings={"parallel_tool_calls": True})  # fmt: skip
    ended = await say(agent, "Go")
    assert ended.status == "completed"
    for kind in (ToolCalled, ToolReturned):
        assert [event.name for event in await events(agent, kind)] == ["one", "core_memory_append", "fly"], kind
    assert await value_of(agent) == "Her name is Ada.\nLikes tea."


async def test_the_turn_ends_at_max_steps() -> None:
    agent = await make_agent([LOOKUP] * 5, tools=["conversation_search"])
    ended = await say(agent, "Search for ever", max_steps=3)
    assert (ended.status, ended.stop_reason, ended.steps) == ("completed", "max_steps", 3)


async def test_an_entirely_empty_answer_ends_the_turn_and_stores_nothing() -> None:
    agent = await make_agent([Answer(), "Here."])
    ended = await say(agent, "Hi")
    assert (ended.status, ended.stop_reason, ended.messages) == ("completed", "end_turn", [])
    assert (await say(agent, "Again")).status == "completed"


async def test_an_agent_that_keeps_no_context_starts_each_run_empty() -> None:
    seen: list[int] = []
    count = lambda request: seen.append(len(request.messages)) or "Yes."  # noqa: E731
    agent = await make_agent([Answer(calls=[LOOKUP.calls[0]]), count, count, count], tools=["conversation_search"],
                             message_buffer_autoclear=True)  # fmt: skip
    for words in ("One", "Two", "Three"):
        await say(agent, words)
    assert seen == [3, 1, 1]
    assert [message.role for message in await in_context(agent)] == ["system"]
    assert await Message.objects.filter(agent=agent, role="user").acount() == 3


async def test_several_messages_at_once_are_one_run() -> None:
    agent = await make_agent([lambda request: str([message.text for message in request.messages])])
    ended = await say(agent, "One", "Two")
    assert spoken(ended.messages[0]) == "['One', 'Two']"


async def test_steps_are_numbered_through_and_know_their_run() -> None:
    agent = await make_agent([LOOKUP, "Done.", "Again."], tools=["conversation_search"])
    await say(agent, "One")
    await say(agent, "Two")
    steps = [step async for step in Step.objects.filter(agent=agent)]
    assert [step.number for step in steps] == [1, 2, 3]
    assert {step.status for step in steps} == {"success"}
    assert await ToolCall.objects.filter(agent=agent, status="ok").acount() == 1


async def test_a_run_that_has_ended_is_not_executed_again() -> None:
    from agents_core.runtime.loop import execute

    agent = await make_agent(["One.", "Two."])
    run_id = await said(agent, "Hi")
    for _ in range(2):
        await execute(agent.id, run_id, None, 1)
    assert await Message.objects.filter(agent=agent, role="assistant").acount() == 1


async def test_a_run_of_an_agent_that_was_deleted_is_left_alone() -> None:
    from agents_core.runtime.loop import execute

    agent = await make_agent(["One."])
    run_id = await said(agent, "Hi")
    agent_id = agent.id
    await agent.adelete()
    await execute(agent_id, run_id, None, 1)
    assert not await Run.objects.filter(id=run_id).aexists()


async def test_options_of_the_run_are_kept_to() -> None:
    agent = await make_agent(["Plain."])
    other = await make_agent([lambda request: f"{request.system} {request.model}"])
    ended = await say(agent, "Hi", override_model=other.model, override_system="Be brief.")
    assert spoken(ended.messages[0]) == f"Be brief. {other.model.removeprefix('scripted/')}"
    assert await play(agent, ["x"])
    assert text("a") == [{"type": "text", "text": "a"}]
