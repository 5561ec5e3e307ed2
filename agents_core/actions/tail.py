"""The tail of an agent's history: the steps that its thread took from one on, and what was sent to it meanwhile."""

from dataclasses import dataclass
from typing import Any

from agents_core.errors import NotFound, Refused
from agents_core.models import Message, Role, Run, Step, StepKind, ToolCall
from agents_core.record.lines import current_line, has_step

MOST_STEPS = 50


@dataclass(frozen=True, slots=True)
class Tail:
    """``inputs``: see ``agents_core.models.Comparison``."""

    steps: list[Step]
    inputs: list[dict[str, Any]]

    @property
    def last_step(self) -> int:
        return self.steps[-1].number


def tail_of(agent_id: str, from_step: int) -> Tail:
    """Up to ``MOST_STEPS`` steps of the thread, of those that still lead to where it is. Raises ``NotFound`` without the step, ``Refused``
    for one that did not ask the agent's model."""
    first = Step.objects.filter(agent=agent_id, number=from_step).first()
    if first is None:
        raise NotFound(f"This agent has no step {from_step}.")
    if first.kind != StepKind.AGENT or first.request_digest is None:
        raise Refused(f"Step {from_step} did not ask the agent's model: choose the step before or after it.")
    steps = steps_from(first)
    return Tail(steps, _inputs(steps))


def steps_from(first: Step) -> list[Step]:
    """The steps from ``first`` on, along the line of the thread on which it stands."""
    later = Step.objects.filter(
        agent=first.agent_id, conversation=first.conversation_id, kind=StepKind.AGENT, number__gte=first.number
    )
    line = current_line(first.agent_id, first.conversation_id)
    on_line = first.seq is not None and has_step(line, first.seq)
    found = [step for step in later.order_by("number")[: 4 * MOST_STEPS] if _belongs(step, line, on_line)]
    return found[:MOST_STEPS]


def _belongs(step: Step, line: Any, on_line: bool) -> bool:
    return not on_line or (step.seq is not None and has_step(line, step.seq))


def _inputs(steps: list[Step]) -> list[dict[str, Any]]:
    """A request for each run of the steps: the first goes on with what the first step saw. The steps that a branch may take are shared
    out as they were taken, what is left of them evenly."""
    taken: dict[str, int] = {}
    for step in steps:
        taken[step.run_id] = taken.get(step.run_id, 0) + 1
    runs = {run.id: run for run in Run.objects.filter(id__in=taken)}
    said = _said(list(taken))
    first = steps[0].run_id
    asked = [run_id for run_id in taken if run_id == first or said.get(run_id)]
    spare = (MOST_STEPS - len(steps)) // len(asked)
    return [
        {
            "run_id": run_id,
            "messages": [] if run_id == first else said[run_id],
            "most_steps": taken[run_id] + spare,
            "calls_made": _called(first, steps[0].number) if run_id == first else [],
            **{name: runs[run_id].request[name] for name in _KEPT if runs[run_id].request.get(name)},
        }
        for run_id in asked
    ]


def _called(run_id: str, before: int) -> list[str]:
    """The tools that a run had called before a step of it, for its tool rules; a call that was refused took no time."""
    calls = ToolCall.objects.filter(step__run=run_id, step__number__lt=before).exclude(duration_ms=0)
    return list(calls.order_by("step__number", "position").values_list("name", flat=True))


_KEPT = ("override_model", "override_system", "client_tools")


def _said(run_ids: list[str]) -> dict[str, list[dict[str, Any]]]:
    """The messages that each run was to answer, as ``queue.requests.Input`` takes them."""
    said: dict[str, list[dict[str, Any]]] = {}
    messages = Message.objects.filter(run__in=run_ids, step=None, role__in=(Role.USER, Role.SYSTEM)).order_by("seq")
    for run_id, role, content, name, sender_id in messages.values_list("run", "role", "content", "name", "sender_id"):
        said.setdefault(run_id or "", []).append(
            {"role": role, "content": content, "name": name, "sender_id": sender_id}
        )
    return said
