"""Whether a turn goes on after a step (contract: agent-loop, section 2, "Continuation")."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from agents_core.runtime.calls import PlannedCall
from agents_core.runtime.policy import LoopPolicy
from agents_core.runtime.state import Turn
from agents_core.tools import rules

MAX_STEPS = 50

_AUTOMATIC = "[Automatic message, not from the person] "


@dataclass(frozen=True, slots=True)
class Outcome:
    """``stop_reason`` None: the turn goes on. ``nudge``: what the agent is told on the way. ``error`` only of a failed run."""

    stop_reason: str | None = None
    status: str = "completed"
    nudge: str = ""
    error: dict[str, Any] | None = None


CONTINUE = Outcome()


def decide(turn: Turn, planned: Sequence[PlannedCall], called: Sequence[str], finish_reason: str | None) -> Outcome:
    """What follows from the answer whose calls are ``planned``; ``called`` names all calls of the run, these included. ``finish_reason`` is
    the provider's."""
    outcome = continuation(turn.agent, planned, called, finish_reason)
    limit = turn.request.get("max_steps") or MAX_STEPS
    if outcome.stop_reason is None and turn.steps_taken + 1 >= limit:
        return Outcome("max_steps")
    return outcome


class Ruled(Protocol):
    """What of an agent decides whether its turn goes on."""

    @property
    def tool_rules(self) -> list[dict[str, Any]]: ...

    @property
    def policy(self) -> LoopPolicy: ...


def continuation(
    agent: Ruled, planned: Sequence[PlannedCall], called: Sequence[str], finish_reason: str | None
) -> Outcome:
    """As ``decide``, whatever the number of steps."""
    if not planned:
        return _spoke(agent, called, finish_reason)
    tool_rules, policy = agent.tool_rules, agent.policy
    missing = rules.required_before_exit(tool_rules, called)
    terminal = [plan for plan in planned if not plan.failed and rules.ends_turn(tool_rules, plan.call.name)]
    if missing and (terminal or policy.heartbeats):
        return _required(missing)
    if terminal:
        silent = policy.heartbeats and not any(plan.heartbeat for plan in terminal)
        return Outcome("end_turn" if silent else "tool_rule")
    if not policy.heartbeats:
        return CONTINUE
    return _after_heartbeat_kind(agent, planned)


def _spoke(agent: Ruled, called: Sequence[str], finish_reason: str | None) -> Outcome:
    """After an answer without a tool call."""
    missing = rules.required_before_exit(agent.tool_rules, called)
    if missing:
        return _required(missing)
    if finish_reason == "length":
        return Outcome(
            "max_tokens_exceeded",
            "failed",
            error=_error("max_tokens_exceeded", "The answer was cut at the model's output limit."),
        )
    if agent.policy.must_call:
        return Outcome(
            "no_tool_call",
            "failed",
            error=_error("no_tool_call", "The model answered without calling a tool, which this kind of agent has to."),
        )
    return Outcome("end_turn")


def _after_heartbeat_kind(agent: Ruled, planned: Sequence[PlannedCall]) -> Outcome:
    if any(plan.failed for plan in planned):
        return Outcome(nudge=f"{_AUTOMATIC}The tool failed: look at its result and decide what to do.")
    if any(plan.call.name in agent.policy.exit_tools for plan in planned):
        return Outcome("end_turn")
    if any(plan.heartbeat for plan in planned):
        return Outcome(nudge=f"{_AUTOMATIC}You asked for a heartbeat: go on.")
    if any(rules.goes_on(agent.tool_rules, plan.call.name) for plan in planned):
        return Outcome(nudge=f"{_AUTOMATIC}A tool rule lets you go on.")
    return Outcome("end_turn")


def _required(missing: Sequence[str]) -> Outcome:
    return Outcome(nudge=f"{_AUTOMATIC}Your turn may not end before you have called: {', '.join(missing)}.")


def _error(code: str, message: str) -> dict[str, Any]:
    return {"code": code, "message": message, "status": None}
