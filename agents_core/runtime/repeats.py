"""Agents that go round in circles: the same call with the same result, over and over, is told to the agent and then ends the run; so does
answering again and again without a call that a tool rule requires."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from agents_core.runtime.calls import PlannedCall
from agents_core.runtime.outcome import Outcome
from agents_core.runtime.state import Turn

MAX_REPEATED_CALLS = 5
"""How often a run may make one call that gives the same result, unless ``max_repeated_calls`` of the budgets says otherwise."""


def repeat_key(name: str, arguments: dict[str, Any], result: str | None) -> bytes:
    """The same for the same call with the same result."""
    return sha256(json.dumps([name, arguments, result], sort_keys=True).encode()).digest()


_NO_CALL = b""


def keys_of(planned: Sequence[PlannedCall]) -> Counter[bytes]:
    """What an answer counts as; one without calls, that it made none."""
    if not planned:
        return Counter([_NO_CALL])
    return Counter(
        repeat_key(plan.call.name, plan.arguments, plan.result.text) for plan in planned if plan.result is not None
    )


def limit_of(turn: Turn) -> int:
    """The request's own limit, else the agent's, else the default; 0: none."""
    for given in (turn.request.get("budgets") or {}, turn.agent.budgets):
        if given.get("max_repeated_calls") is not None:
            return int(given["max_repeated_calls"])
    return MAX_REPEATED_CALLS


def unless_looping(turn: Turn, planned: Sequence[PlannedCall], outcome: Outcome) -> Outcome:
    """``outcome``, unless the turn would go on and has made one of these calls too often: then its end, and a warning one call before."""
    limit = limit_of(turn)
    if outcome.stop_reason is not None or not limit:
        return outcome
    if not planned:
        times = turn.spent.calls[_NO_CALL] + 1
        return _failed(_SILENT.format(times=times)) if times >= limit else outcome
    made = keys_of(planned)
    key = max(made, key=lambda each: turn.spent.calls[each] + made[each])
    times = turn.spent.calls[key] + made[key]
    name = next(plan.call.name for plan in planned if key in keys_of([plan]))
    if times >= limit:
        return _ended(name, times)
    if times > 1 and times == limit - 1:
        return replace(outcome, nudge=f"{outcome.nudge} {_warning(name, times)}".strip())
    return outcome


def _warning(name: str, times: int) -> str:
    return (
        f"[Automatic message, not from the person] You have called {name} {times} times with the same arguments and got the same "
        "result each time. Doing it once more ends your turn: do something else, or answer with what you know."
    )


def _ended(name: str, times: int) -> Outcome:
    return _failed(
        f"The agent called {name} {times} times with the same arguments and the same result, so the run was ended."
    )


_SILENT = "The agent answered {times} times without calling the tool that its rules require, so the run was ended."


def _failed(message: str) -> Outcome:
    told = f"{message} Set max_repeated_calls in the budgets of the agent to allow more, 0 for any number."
    return Outcome("error", "failed", error={"code": "loop_detected", "message": told, "status": None})
