"""The simulation of tool rules decides as a run does."""

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents_core.llm.providers.scripted import Answer
from agents_core.llm.types import ToolCall
from agents_core.models import ToolCall as CallRow
from agents_core.runtime import context
from agents_core.runtime.calls import plan_calls
from agents_core.runtime.outcome import decide
from agents_core.runtime.simulation import Ending, RuledAgent, SimulatedCall, simulate
from agents_core.runtime.state import AgentFacts, StoredMessage, ToolFacts, Turn
from agents_core.tools.base import ToolResult
from agents_core.tools.rule_findings import findings
from agents_core.tools.rules import allowed as allowed_now
from tests.runtime.world import make_agent, make_tool, say
from tests.tools.ruling import NAMES, RESULTS, RULES

V1, MEMGPT = "letta_v1_agent", "memgpt_agent"


def ruled(*rules: dict[str, Any], kind: str = V1) -> RuledAgent:
    return RuledAgent(list(rules), kind)


def rule(kind: str, name: str = "a", **more: Any) -> dict[str, Any]:
    return {"type": kind, "tool_name": name, **more}


def called(*names: str) -> list[SimulatedCall]:
    return [SimulatedCall(name) for name in names]


def test_a_call_that_may_not_be_made_is_refused_and_does_not_count() -> None:
    first = rule("run_first")
    found = simulate(ruled(first), "ab", called("b", "missing"))
    assert [each.refused for each in found.judged] == [True, True]
    assert found.allowed.names == {"a"}
    assert found.forbidding == {"b": [first]}


def test_nothing_follows_once_the_turn_has_ended() -> None:
    found = simulate(ruled(rule("exit_loop")), "ab", called("b", "a", "b"))
    assert [each.ending for each in found.judged[:2]] == [Ending.GOES_ON, Ending.ENDS]
    assert found.judged[2].beyond
    assert found.ended


def test_a_failed_call_does_not_end_the_turn() -> None:
    found = simulate(ruled(rule("exit_loop")), "ab", [SimulatedCall("a", failed=True)])
    assert not found.ended


def test_a_required_tool_keeps_the_turn_going() -> None:
    agent = ruled(rule("exit_loop"), rule("required_before_exit", "b"))
    assert (simulate(agent, "ab", called("a")).ended, simulate(agent, "ab", called("a")).missing) == (False, ["b"])
    assert simulate(agent, "ab", called("b", "a")).ended


def test_a_kind_with_heartbeats_ends_unless_one_is_asked_for() -> None:
    agent = ruled(rule("continue_loop", "b"), kind=MEMGPT)
    endings = [
        each.ending for each in simulate(agent, ["a", "b", "send_message"], called("a", "b", "send_message")).judged
    ]
    assert endings == [Ending.UNLESS_HEARTBEAT, Ending.GOES_ON, Ending.ENDS]


def test_only_a_model_that_is_not_forced_to_call_may_answer() -> None:
    assert simulate(ruled(), "a", []).may_answer
    assert not simulate(ruled(rule("run_first")), "a", []).may_answer
    assert not simulate(ruled(kind=MEMGPT), "a", []).may_answer


def test_a_call_that_waits_for_a_person_begins_the_count_anew() -> None:
    agent = ruled(rule("requires_approval", "b"), rule("required_before_exit"), rule("required_before_exit", "b"))
    found = simulate(agent, "ab", called("a", "b"))
    assert found.judged[1].waits
    assert found.missing == ["a"]


# --- beside the loop's own functions ------------------------------------------------------------------------------

CALL = st.builds(SimulatedCall, st.sampled_from((*NAMES, "detached")), st.sampled_from(RESULTS), st.booleans())


def turn_of(rules: list[dict[str, Any]], kind: str) -> Turn:
    facts = AgentFacts("a", "a", kind, "", "m", {}, 1, None, rules, {}, None, False, ZoneInfo("UTC"), {})
    tools = {name: ToolFacts(name, name, "custom", "", {}, "", 1, False) for name in NAMES}
    return Turn("r", None, {"max_steps": 1000}, facts, 1, False, False, 0, "s", 1, {}, tools, [], None, [], [])


@settings(max_examples=300)
@given(RULES, st.sampled_from((V1, MEMGPT)), st.lists(CALL, max_size=5))
def test_the_simulation_decides_as_the_loop_does(
    rules: list[dict[str, Any]], kind: str, calls: list[SimulatedCall]
) -> None:
    rules = [each for each in rules if each["type"] != "requires_approval"]
    agent, turn = ruled(*rules, kind=kind), turn_of(rules, kind)
    for number, call in enumerate(calls):
        found = simulate(agent, NAMES, calls[:number])
        last_result = context._last_result(turn.messages)
        allowed = allowed_now(rules, turn.tools, turn.calls_made, last_result)
        assert (found.allowed, found.last_result) == (allowed, last_result)
        judged = simulate(agent, NAMES, calls[: number + 1]).judged[-1]
        outcomes = [_step(replace(turn, messages=[*turn.messages]), call, allowed, asks) for asks in (False, True)]
        assert judged.refused == outcomes[0][1]
        assert judged.ending == _ending(*(stop for stop, *_ in outcomes))
        if judged.ending is Ending.ENDS:
            return
        turn = outcomes[1][2]


def _step(turn: Turn, call: SimulatedCall, allowed: Any, asks: bool) -> tuple[str | None, bool, Turn]:
    """As runtime.step makes one: plan the call, give it its result, decide."""
    arguments = '{"request_heartbeat": true}' if asks else "{}"
    [plan] = plan_calls(turn, [ToolCall("c", call.name, arguments)], allowed)
    if plan.result is None:
        plan.result = ToolResult("error" if call.failed else "success", call.result or "")
    value = plan.result.text if plan.refused else call.result
    made = [*turn.calls_made, *([] if plan.refused else [call.name])]
    stop = decide(turn, [plan], made, None).stop_reason
    turn.messages.append(StoredMessage("m", "tool", [], [], [{"value": value}]))
    turn.calls_made = made
    return stop, plan.refused, turn


def _ending(silent: str | None, asking: str | None) -> Ending:
    if silent is None:
        return Ending.GOES_ON
    return Ending.ENDS if asking else Ending.UNLESS_HEARTBEAT


@settings(max_examples=200)
@given(RULES, st.sampled_from((V1, MEMGPT)), st.lists(CALL, max_size=6))
def test_no_simulated_turn_ends_that_is_said_never_to_end(
    rules: list[dict[str, Any]], kind: str, calls: list[SimulatedCall]
) -> None:
    agent = ruled(*rules, kind=kind)
    found = simulate(agent, NAMES, calls)
    ends = any(each.ending is not Ending.GOES_ON for each in found.judged) or (found.may_answer and not found.missing)
    never = [each for each in findings(rules, NAMES, agent.closing) if each.text.startswith("No turn can end")]
    assert not (ends and never)


# --- beside a real run --------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
async def test_a_real_run_refuses_and_ends_where_the_simulation_does() -> None:
    for name in ("weigh", "pack", "send"):
        await make_tool(f'def {name}() -> str:\n    """Do it."""\n    return "heavy"\n')
    rules = [
        rule("run_first", "weigh"),
        rule("conditional", "weigh", child_output_mapping={"heavy": "pack"}),
        rule("exit_loop", "send"),
        rule("required_before_exit", "pack"),
    ]
    names = ["pack", "weigh", "send", "pack", "send"]
    answers = [Answer(calls=[(name, {})]) for name in names]
    agent = await make_agent(answers, tools=["weigh", "pack", "send"], tool_rules=rules)
    outcome = await say(agent, "Go")
    results = [call.result async for call in CallRow.objects.filter(agent=agent).order_by("step__number")]
    found = simulate(ruled(*rules), ["weigh", "pack", "send"], [SimulatedCall(name, "heavy") for name in names])
    assert [each.refused for each in found.judged] == ["ToolConstraintError" in (result or "") for result in results]
    assert [each.refused for each in found.judged] == [True, False, True, False, False]
    assert found.ended
    assert outcome.stop_reason == "tool_rule"
