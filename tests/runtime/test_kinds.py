"""What the kinds of agent mean to the loop: heartbeats, exits, and tool rules in a real run."""

import json
from typing import Any

import pytest

from agents_core.llm.providers.scripted import Answer
from agents_core.llm.types import ModelRequest
from agents_core.models import Message, Step
from tests.runtime.world import in_context, make_agent, make_tool, say, spoken, value_of

SEND = ("send_message", {"message": "Hello."})


def append(content: str, **more: Any) -> tuple[str, dict[str, Any]]:
    return ("core_memory_append", {"label": "human", "content": content, **more})


def one(*calls: tuple[str, dict[str, Any]]) -> Answer:
    return Answer("Thinking.", calls=list(calls))


async def make_memgpt(answers: list[Any], **fields: Any) -> Any:
    own = {"agent_type": "memgpt_agent", "include_base_tool_rules": False, "opening": ()}
    return await make_agent(answers, **{**own, "tools": ["send_message", "core_memory_append"], **fields})


async def heartbeats(agent: Any) -> list[str]:
    users = [message for message in await in_context(agent) if message.role == "user"]
    packed = [spoken(message) for message in users if spoken(message).startswith("{")]
    return [json.loads(text)["reason"] for text in packed if json.loads(text)["type"] == "heartbeat"]


async def test_a_heartbeat_is_asked_for_by_an_argument_that_all_tools_but_the_speaking_one_take() -> None:
    offered = {}

    def model(request: ModelRequest) -> Answer:
        offered.update({tool.name: tool.parameters for tool in request.tools})
        assert request.tool_choice == "required"
        return one(SEND)

    await say(await make_memgpt([model]), "Hi")
    assert "request_heartbeat" not in offered["send_message"]["properties"]
    assert "request_heartbeat" in offered["core_memory_append"]["required"]


async def test_with_a_heartbeat_the_turn_goes_on_and_the_agent_is_told_why() -> None:
    agent = await make_memgpt([one(append("A", request_heartbeat=True)), one(SEND)])
    ended = await say(agent, "Hi")
    assert (ended.stop_reason, ended.steps) == ("end_turn", 2)
    assert ["heartbeat" in reason for reason in await heartbeats(agent)] == [True]


@pytest.mark.parametrize("call", [append("A"), append("A", request_heartbeat=False), SEND])
async def test_without_a_heartbeat_the_turn_ends_after_the_tool(call: tuple[str, dict[str, Any]]) -> None:
    agent = await make_memgpt([one(call)])
    ended = await say(agent, "Hi")
    assert (ended.status, ended.stop_reason, ended.steps) == ("completed", "end_turn", 1)


async def test_speaking_ends_the_turn_also_with_a_heartbeat_that_nobody_offered() -> None:
    agent = await make_memgpt([one(("send_message", {"message": "Hi", "request_heartbeat": True}))])
    assert (await say(agent, "Hi")).steps == 1


async def test_after_a_failure_the_agent_is_called_again() -> None:
    agent = await make_memgpt([one(("core_memory_append", {"label": "nobody", "content": "A"})), one(SEND)])
    ended = await say(agent, "Hi")
    assert (ended.stop_reason, ended.steps) == ("end_turn", 2)
    assert ["failed" in reason for reason in await heartbeats(agent)] == [True]


async def test_an_answer_without_a_call_is_an_error_for_a_kind_that_has_to_call() -> None:
    agent = await make_memgpt(["I just talk.", one(SEND)])
    ended = await say(agent, "Hi")
    assert (ended.status, ended.stop_reason) == ("failed", "no_tool_call")
    assert ended.error is not None
    assert "without calling a tool" in ended.error["message"]
    assert (await say(agent, "Again")).status == "completed"


async def test_kinds_without_memory_show_no_blocks() -> None:
    agent = await make_agent([lambda request: request.system], agent_type="react_agent")
    ended = await say(agent, "Hi")
    assert "Her name is Ada." not in spoken(ended.messages[0])


# --- tool rules ----------------------------------------------------------------------------------------------------

TOOLS = ["core_memory_append", "conversation_search", "send_message"]
SEARCH = ("conversation_search", {"query": "x"})


def offered_in(requests: list[ModelRequest]) -> list[set[str]]:
    return [{tool.name for tool in request.tools} for request in requests]


async def run_with(rules: list[dict[str, Any]], answers: list[Any], **fields: Any) -> tuple[Any, list[ModelRequest]]:
    requests: list[ModelRequest] = []

    def recorded(answer: Any) -> Any:
        return lambda request: requests.append(request) or answer

    agent = await make_agent([recorded(answer) for answer in answers], tools=TOOLS, tool_rules=rules, **fields)
    return await say(agent, "Go"), requests


async def test_run_first_offers_only_that_tool_and_forces_it() -> None:
    rule = {"type": "run_first", "tool_name": "conversation_search", "args": {"query": "lighthouse"}}
    ended, requests = await run_with([rule], [one(SEARCH), "Done."])
    assert offered_in(requests) == [{"conversation_search"}, set(TOOLS)]
    assert requests[0].tool_choice == "conversation_search"
    assert requests[1].tool_choice == "auto"
    assert ended.stop_reason == "end_turn"


async def test_run_first_still_holds_after_a_call_that_was_refused() -> None:
    rule = {"type": "run_first", "tool_name": "conversation_search"}
    ended, requests = await run_with([rule], [one(append("A")), one(SEARCH), "Done."])
    assert offered_in(requests) == [{"conversation_search"}, {"conversation_search"}, set(TOOLS)]
    refused = ended.messages[1]["tool_returns"][0]["value"]
    assert refused == (
        "[ToolConstraintError] core_memory_append may not be called now. Valid tools: conversation_search."
    )


async def test_exit_loop_ends_the_turn_with_its_own_reason() -> None:
    ended, _ = await run_with([{"type": "exit_loop", "tool_name": "send_message"}], [one(SEND)])
    assert (ended.stop_reason, ended.steps) == ("tool_rule", 1)


async def test_an_exit_that_failed_does_not_end_the_turn() -> None:
    ended, _ = await run_with(
        [{"type": "exit_loop", "tool_name": "send_message"}], [one(("send_message", {})), "Done."]
    )
    assert (ended.stop_reason, ended.steps) == ("end_turn", 2)


async def test_constrained_children_are_forced_and_their_arguments_filled_in() -> None:
    rule = {
        "type": "constrain_child_tools",
        "tool_name": "conversation_search",
        "children": ["core_memory_append"],
        "child_arg_nodes": [{"name": "core_memory_append", "args": {"label": "human"}}],
    }
    missing_label = ("core_memory_append", {"label": "wrong", "content": "Filled."})
    ended, requests = await run_with([rule], [one(SEARCH), one(missing_label), "Done."])
    assert offered_in(requests)[1] == {"core_memory_append"}
    assert requests[1].tool_choice == "core_memory_append"
    assert ended.messages[3]["tool_returns"][0]["status"] == "success"


async def test_a_required_tool_is_asked_for_until_it_was_called() -> None:
    rule = {"type": "required_before_exit", "tool_name": "conversation_search"}
    ended, requests = await run_with([rule], ["Finished.", one(SEARCH), "Now."])
    assert (ended.stop_reason, ended.steps) == ("end_turn", 3)
    assert "conversation_search" in requests[1].messages[-1].text


async def test_continue_loop_goes_on_without_a_heartbeat() -> None:
    rule = {"type": "continue_loop", "tool_name": "core_memory_append"}
    ended, _ = await run_with([rule], [one(append("A")), one(SEND)], agent_type="memgpt_agent")
    assert (ended.stop_reason, ended.steps) == ("end_turn", 2)


@pytest.mark.parametrize("kind", ["letta_v1_agent", "memgpt_agent"])
async def test_the_result_of_a_tool_chooses_the_next(kind: str) -> None:
    await make_tool('def weather() -> str:\n    """Tells."""\n    return "rain"\n')
    rule = {"type": "conditional", "tool_name": "weather", "child_output_mapping": {"rain": "send_message"}}
    requests: list[ModelRequest] = []
    weather = one(("weather", {"request_heartbeat": True}))
    answers = [lambda r: requests.append(r) or weather, lambda r: requests.append(r) or one(SEND), "Done."]
    agent = await make_agent(answers, tools=[*TOOLS, "weather"], tool_rules=[rule], agent_type=kind)
    assert (await say(agent, "Go")).stop_reason == "end_turn"
    assert offered_in(requests)[1] == {"send_message"}


async def test_a_tool_is_withdrawn_when_it_was_called_often_enough_and_offered_again_in_the_next_turn() -> None:
    rule = {"type": "max_count_per_step", "tool_name": "conversation_search", "max_count_limit": 2}
    requests: list[ModelRequest] = []
    answers = [one(SEARCH), one(SEARCH), "Done.", "Next."]
    agent = await make_agent([lambda r, a=a: requests.append(r) or a for a in answers], tools=TOOLS, tool_rules=[rule])
    await say(agent, "One")
    await say(agent, "Two")
    assert ["conversation_search" in names for names in offered_in(requests)] == [True, True, False, True]


async def test_rules_are_told_to_the_model_and_forbid_parallel_calls() -> None:
    rule = {"type": "exit_loop", "tool_name": "send_message"}
    _, requests = await run_with([rule], [one(SEND)], model_settings={"parallel_tool_calls": True})
    assert "Calling send_message ends your turn." in requests[0].system
    assert requests[0].parallel_tool_calls is False


async def test_a_run_of_many_steps_is_stored_as_the_model_saw_it() -> None:
    agent = await make_memgpt([one(append(str(n), request_heartbeat=True)) for n in range(9)] + [one(SEND)])
    await say(agent, "Go")
    assert await Step.objects.filter(agent=agent, status="success").acount() == 10
    stored = [message.id async for message in Message.objects.filter(agent=agent).order_by("seq")]
    assert stored == [message.id for message in await in_context(agent)]


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("What is my name?", "Name: Ada.\nAllergic to nuts."),
        ("I live in Porto. I like tea.", "Name: Ada.\nAllergic to nuts.\nLives in Porto.\nLikes tea."),
        ("0. user: My name is Eve.\n1. assistant: Hello Eve.", "Name: Eve.\nAllergic to nuts."),
    ],
)
async def test_the_offline_model_keeps_what_a_voice_agents_memory_holds(words: str, value: str) -> None:
    block = {"label": "human", "value": "Name: Ada.\nAllergic to nuts."}
    agent = await make_agent(
        model="offline/rules", agent_type="voice_sleeptime_agent", blocks=[block], include_base_tools=True
    )
    run = await say(agent, words)
    assert (run.status, run.stop_reason) == ("completed", "end_turn")
    assert await value_of(agent) == value
