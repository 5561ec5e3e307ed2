"""What an agent's tool rules make of a sequence of calls: decided by the functions that decide it in a run, without one.

Rules alone are looked at: neither the most steps of a turn, nor budgets, nor calls that repeat themselves.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from agents_core.llm.types import ToolCall
from agents_core.runtime.calls import PlannedCall, refusal
from agents_core.runtime.outcome import continuation
from agents_core.runtime.policy import LoopPolicy, policy_of
from agents_core.tools import rules
from agents_core.tools.base import ToolResult
from agents_core.tools.rule_findings import Closing
from agents_core.tools.rules import Allowed, Rule


@dataclass(frozen=True, slots=True)
class RuledAgent:
    """What decides of an agent of the kind ``agent_type``; no such agent needs to be."""

    tool_rules: list[dict[str, Any]]
    agent_type: str

    @property
    def policy(self) -> LoopPolicy:
        return policy_of(self.agent_type)

    @property
    def closing(self) -> Closing:
        policy = self.policy
        return Closing(not policy.must_call, policy.heartbeats, frozenset(policy.exit_tools))


@dataclass(frozen=True, slots=True)
class SimulatedCall:
    """A call as one imagines it. ``result``: the text that the tool returns, None for one that no rule names; ``failed``: an error."""

    name: str
    result: str | None = None
    failed: bool = False


class Ending(StrEnum):
    """Whether the turn ends with a call. ``UNLESS_HEARTBEAT``: it does, unless the call asks for a heartbeat."""

    GOES_ON = "goes on"
    UNLESS_HEARTBEAT = "ends unless a heartbeat is asked for"
    ENDS = "ends"


@dataclass(frozen=True, slots=True)
class JudgedCall:
    """What would happen to a call. ``refused``: it would not be run. ``waits``: a person is asked first, and the run that brings the
    answer begins to count its calls anew. ``beyond``: the turn had ended before."""

    call: SimulatedCall
    refused: bool = False
    waits: bool = False
    ending: Ending = Ending.GOES_ON
    beyond: bool = False


@dataclass(frozen=True, slots=True)
class Simulation:
    """The calls as judged, and what may follow them.

    ``forbidding``: the rules against each tool that is not allowed. ``last_result``: what the rules see of the last call. ``missing``: the
    tools without which the turn may not end. ``may_answer``: whether the model may answer without a call, which ends the turn unless
    something is missing. ``ended``: nothing follows.
    """

    judged: list[JudgedCall]
    allowed: Allowed
    forbidding: Mapping[str, list[Rule]]
    last_result: str | None
    missing: list[str]
    may_answer: bool
    ended: bool


@dataclass(slots=True)
class _Imagined:
    """A turn on its way. ``called`` and ``last_result`` are what ``rules.allowed`` takes."""

    agent: RuledAgent
    available: frozenset[str]
    called: list[str] = field(default_factory=list)
    last_result: str | None = None
    ended: bool = False

    def allowed(self) -> Allowed:
        return rules.allowed(self.agent.tool_rules, self.available, self.called, self.last_result)

    def judge(self, call: SimulatedCall) -> JudgedCall:
        """Makes the call."""
        if self.ended:
            return JudgedCall(call, beyond=True)
        allowed = self.allowed()
        if call.name not in allowed.names:
            told = refusal(call.name, self.available, allowed)
            self.last_result = told.text
            return JudgedCall(call, refused=True, ending=self._ending(call.name, told))
        waits = rules.needs_approval(self.agent.tool_rules, call.name)
        self.called = [call.name] if waits else [*self.called, call.name]
        self.last_result = call.result
        ending = self._ending(call.name, ToolResult("error" if call.failed else "success", call.result or ""))
        self.ended = ending is Ending.ENDS
        return JudgedCall(call, waits=waits, ending=ending)

    def _ending(self, name: str, result: ToolResult) -> Ending:
        silent, asking = (
            continuation(self.agent, [_planned(name, heartbeat, result)], self.called, None).stop_reason
            for heartbeat in (False, True)
        )
        if silent is None:
            return Ending.GOES_ON
        return Ending.ENDS if asking is not None else Ending.UNLESS_HEARTBEAT


def _planned(name: str, heartbeat: bool, result: ToolResult) -> PlannedCall:
    return PlannedCall(ToolCall("", name, "{}"), 0, None, {}, heartbeat, result=result)


def simulate(agent: RuledAgent, tools: Iterable[str], calls: Sequence[SimulatedCall]) -> Simulation:
    """What becomes of ``calls``, one an answer, by an agent that has ``tools``."""
    turn = _Imagined(agent, frozenset(tools))
    judged = [turn.judge(call) for call in calls]
    allowed = turn.allowed()
    return Simulation(
        judged,
        allowed,
        rules.forbidding(agent.tool_rules, turn.available, turn.called, turn.last_result),
        turn.last_result,
        rules.required_before_exit(agent.tool_rules, turn.called),
        not (allowed.must_call or agent.policy.must_call),
        turn.ended,
    )
