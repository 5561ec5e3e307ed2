"""The simulator: turns and their steps as they happen, and the box to speak to the agent."""

from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_noop

from ade.address import query, step_number, thread
from ade.adoptions import adopted_turns
from ade.fragments import Fragment
from ade.panels.base import Panel
from ade.panels.branches import MOVES
from ade.standing import QUICK, plain
from ade.turns import StepView, TurnView, last_steps, step_views, steps_taken, turns
from agents_core.events.types import AgentChanged, BlockChanged, RunEnded, StoredEvent
from agents_core.models import (
    Block,
    Breakpoint,
    Conversation,
    Fork,
    Run,
    Step,
    ToolCall,
    ToolCallStatus,
)
from agents_core.record.lines import OPEN

PAGE = 20
"""Turns of a page at most."""
PAGE_STEPS = 20
"""A page ends with the turn that reaches so many steps."""


class TracePanel(Panel):
    """``params``: ``conversation`` narrows it to one; ``before`` is the run before which a page begins."""

    slug = "trace"
    title = gettext_noop("Simulator")

    def context(self) -> dict[str, Any]:
        runs, has_more, end = self._page()
        adopted = adopted_turns(self.agent.id, thread(self.params), runs[-1].first_seq if has_more else 0, end)
        return {
            **self.place,
            "conversation": Conversation.objects.filter(agent=self.agent, id=thread(self.params)).first(),
            "origin": Fork.objects.filter(agent=self.agent).select_related("parent").first(),
            "turns": sorted([*turns(runs[::-1]), *adopted], key=lambda turn: turn.seq),
            "earlier": runs[-1].id if has_more else None,
        }

    def named(self) -> dict[str, Any]:
        """The turns that ``params["runs"]`` names, by their runs or the branch that was left for a fork, those that there are."""
        named = self.params.get("runs", "").split(",")[:PAGE]
        found = turns(list(self._runs().filter(id__in=named).order_by("first_seq")))
        adopted = [
            turn for turn in adopted_turns(self.agent.id, thread(self.params)) if turn.adoption.branch_id in named
        ]
        return {"turns": [*found, *adopted], "agent": self.agent}

    def earlier_steps(self) -> dict[str, Any]:
        """Steps of the run ``params["run"]`` before the step ``params["step"]``, and how many are left before them."""
        run_id, number = self.params.get("run", ""), step_number(self.params.get("step", ""), "step")
        steps = last_steps(run_id, number)[::-1] if self._runs().filter(id=run_id).exists() else []
        first = steps[0].number if steps else 0
        left = Step.objects.filter(run=run_id, number__lt=first).count()
        return {"steps": step_views(steps), "run_id": run_id, "number": first, "count": left}

    @cached_property
    def place(self) -> dict[str, Any]:
        """What the partials need to stay in the conversation, and to show where runs stop."""
        shown = plain(Breakpoint.objects.filter(agent=self.agent, enabled=True))
        return {
            "thread": thread(self.params),
            "params": query(self.params, ("conversation",)),
            "stops": {f"{kind} {target}".strip() for kind, target in shown},
            "quick": QUICK,
        }

    def _runs(self) -> "QuerySet[Run]":
        runs = Run.objects.filter(agent=self.agent)
        return runs.filter(conversation=thread(self.params)) if thread(self.params) else runs

    def _page(self) -> tuple[list[Run], bool, int]:
        """The newest runs first, those before the run that ``params["before"]`` names, whether there are earlier ones, and the event
        before which the page ends."""
        runs, end = self._runs().order_by("-first_seq"), OPEN
        if before := self.params.get("before"):
            end = Run.objects.filter(agent=self.agent, id=before).values_list("first_seq", flat=True).first() or 0
            runs = runs.filter(first_seq__lt=end)
        found = list(runs[: PAGE + 1])
        taken = steps_taken(found)
        steps = list(accumulate(taken.get(run.id, 0) for run in found))
        size = min(PAGE, bisect_left(steps, PAGE_STEPS) + 1)
        return found[:size], len(found) > size, end

    def fragments(self, events: Sequence[StoredEvent]) -> list[Fragment]:
        """A whole turn when the run itself changed, else only its steps that did; all after a block or a fork was deleted."""
        moved = _moved(events) or _changed(events, "breakpoints") or _changed(events, "forks") or _lost_block(events)
        if moved or (thread(self.params) and _changed(events, "conversations")):
            return [self.whole()]
        # A run ends with its last step, in one commit: the event names both.
        runs = {event.run_id for event in events if event.run_id and (not event.step_id or _is_of_run(event))}
        steps = {event.step_id for event in events if event.step_id}
        found: list[Fragment] = []
        if any(isinstance(event.event, AgentChanged) for event in events):
            found.append(Fragment("composer", "ade/partials/_composer.html", {"agent": self.agent, **self.place}))
        whole = list(self._runs().filter(id__in=runs).order_by("first_seq")) if runs else []
        # The step may be another run's: an answer is carried out beside the call that waited for it.
        shown = Q(id__in=steps)
        # A run that was to answer calls may have left them waiting.
        if any(isinstance(event.event, RunEnded) for event in events):
            shown |= Q(id__in=ToolCall.objects.filter(agent=self.agent, status=ToolCallStatus.AWAITING).values("step"))
        alone = list(Step.objects.filter(shown, run__in=self._runs()).exclude(run__in=runs).order_by("number"))
        if whole or alone:
            found.append(Fragment("trace-empty", swap="remove"))
        found += [_turn_fragment(turn, self) for turn in turns(whole)]
        return [*found, *(_step_fragment(view, self) for view in step_views(alone))]


def _is_of_run(event: StoredEvent) -> bool:
    return event.event.type.startswith("run.")


def _moved(events: Sequence[StoredEvent]) -> bool:
    """Whether the agent has left a branch: steps anywhere may be on another one now."""
    return any(event.event.type in MOVES for event in events)


def _lost_block(events: Sequence[StoredEvent]) -> bool:
    """Whether a block is gone, and its versions with it, which the steps that wrote them show."""
    gone = {
        event.event.block_id
        for event in events
        if isinstance(event.event, BlockChanged) and event.event.change == "detached"
    }
    return bool(gone) and Block.objects.filter(id__in=gone).count() < len(gone)


def _changed(events: Sequence[StoredEvent], field: str) -> bool:
    return any(isinstance(event.event, AgentChanged) and field in event.event.fields for event in events)


def _turn_fragment(turn: TurnView, panel: TracePanel) -> Fragment:
    context = {"turn": turn, "agent": panel.agent, **panel.place}
    return Fragment(turn.dom_id, "ade/partials/_turn.html", context, swap="append", target="trace")


def _step_fragment(view: StepView, panel: TracePanel) -> Fragment:
    context = {"view": view, "agent": panel.agent, **panel.place}
    return Fragment(view.dom_id, "ade/partials/_step.html", context, swap="append", target=f"steps-{view.step.run_id}")
