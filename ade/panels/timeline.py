"""The timeline of a run: its model calls and tool calls, beside the clock."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from ade.panels.base import Panel
from ade.panels.branches import MOVES
from ade.panels.context import number_in
from ade.returns import searches_of
from ade.templatetags.ade import ms
from agents_core.models import (
    BlockVersion,
    MemorySearch,
    Run,
    RunStatus,
    Step,
    StepKind,
    StepStatus,
    ToolCall,
    ToolCallStatus,
)
from agents_core.record.lines import left_steps, newest_run

_MOST_STEPS = 100
_UNDER_WAY_SHARE = 0.1
"""How long a call that has not ended is drawn, as a share of what has: the page must not depend on the time it is drawn."""

_NOT_DONE: Mapping[str, str] = {
    ToolCallStatus.INTENDED: gettext_noop("under way"),
    ToolCallStatus.AWAITING: gettext_noop("waits for an answer"),
    ToolCallStatus.HELD: gettext_noop("waits for an answer"),
    ToolCallStatus.PAUSED: gettext_noop("paused"),
}

CallKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Span:
    """A line of the timeline, first in milliseconds after the run was asked for, then in shares of the whole.

    ``length`` is None for what has not ended. ``first_token`` is a share of ``length``. ``step`` is the number of its step;
    ``left``: that is on a branch that the agent has left.
    """

    dom_id: str
    label: str
    kind: str
    at: float
    length: float | None
    note: str
    depth: int = 0
    first_token: float | None = None
    step: int | None = None
    left: bool = False


class TimelinePanel(Panel):
    """``params``: ``step`` chooses the run of that step, without it the newest run is followed, those left on a branch aside."""

    slug = "timeline"
    title = gettext_noop("Timeline")
    follows: ClassVar[frozenset[str]] = frozenset(
        {
            "run.created",
            "run.started",
            "run.ended",
            "run.paused",
            "run.resumed",
            "step.started",
            "step.ended",
            "tool.called",
            "tool.returned",
            "approval.answered",
            *MOVES,
            "block.changed",  # one that is deleted takes with it that a call wrote it
        }
    )

    def context(self) -> dict[str, Any]:
        number = number_in(self.params, "step")
        shared = {"params": f"step={number}" if number else ""}
        run = self._run(number)
        if run is None:
            return shared
        steps = list(Step.objects.filter(run=run).defer("segments").order_by("-number")[: _MOST_STEPS + 1])[::-1]
        shown = steps[-_MOST_STEPS:]
        gone = {step.number for step in left_steps(shown)}
        costs = [step.cost_usd for step in shown if step.cost_usd is not None]
        return {
            **shared,
            "run": run,
            "spans": [replace(span, left=span.step in gone) for span in _scaled([*_queue(run), *_spans(run, shown)])],
            "has_more": len(steps) > len(shown),
            "tokens": sum(step.prompt_tokens + step.completion_tokens for step in shown),
            "cost": sum(costs) if costs else None,
            "total_ms": _ms(run.created_at, run.completed_at) if run.completed_at else None,
        }

    def _run(self, number: int | None) -> Run | None:
        if number:
            return Run.objects.filter(agent=self.agent, steps__number=number).first()
        return newest_run(self.agent.id)


def _ms(begin: datetime, moment: datetime) -> float:
    return max(0.0, (moment - begin).total_seconds() * 1000)


def _queue(run: Run) -> Iterator[Span]:
    """The time before a worker took it up."""
    if run.started_at:
        waited = _ms(run.created_at, run.started_at)
        yield Span(f"wf-queue-{run.id}", _("queue"), "", 0, waited, ms(waited))
    elif not run.completed_at:
        yield Span(f"wf-queue-{run.id}", _("queue"), "wait", 0, None, _("waits for a worker"))


def _spans(run: Run, steps: Sequence[Step]) -> Iterator[Span]:
    """The steps in the order of the trace, each a model call with its tool calls, in three queries."""
    calls: dict[str, list[ToolCall]] = {step.id: [] for step in steps}
    for call in ToolCall.objects.filter(step__in=calls).order_by("position"):
        calls[call.step_id].append(call)
    called = [step_id for step_id, made in calls.items() if made]
    facts = _CallFacts(
        {key: _hits(search) for key, search in searches_of(called).items()},
        set(BlockVersion.objects.filter(step__in=called).values_list("step_id", "tool_call_id")),
    )
    for step in steps:
        yield _model_span(run, step, calls[step.id])
        begin = _ms(run.created_at, step.started_at)
        yield from (_call_span(call, step, begin, facts) for call in calls[step.id])


def _hits(search: MemorySearch) -> str:
    returned = sum(bool(candidate["returned"]) for candidate in search.candidates)
    told = ngettext("{returned} hit of {ranked:,} ranked", "{returned} hits of {ranked:,} ranked", returned)
    return told.format(returned=returned, ranked=len(search.candidates))


@dataclass(frozen=True, slots=True)
class _CallFacts:
    """What the calls of a run did: what each search found, and which calls wrote a block."""

    hits: Mapping[CallKey, str]
    writes: set[tuple[str | None, str | None]]


def _model_span(run: Run, step: Step, calls: Sequence[ToolCall]) -> Span:
    """The model's part of a step. When it began is not recorded: it ended when the first tool began, or with the step."""
    begin = _ms(run.created_at, step.started_at)
    summary = step.kind == StepKind.SUMMARY
    what = _("summary") if summary else _("model call")
    label, dom_id = f"{step.number} {what}", f"wf-{step.id}"
    kind = "error" if step.status == StepStatus.FAILED else "compaction" if summary else "model"
    if step.model_ms is None:
        pending = step.status == StepStatus.PENDING
        waits = _("paused") if run.status == RunStatus.PAUSED else _("under way")
        length, note = (None, waits) if pending else (0.0, _(step.status))
        return Span(dom_id, label, "wait" if pending else kind, begin, length, note, step=step.number)
    finished = step.finished_at or step.started_at
    end = begin + min(call.started_ms for call in calls) if calls else _ms(run.created_at, finished)
    first = step.first_token_ms
    note = (
        _("first token {first} · {model_ms}").format(first=ms(first), model_ms=ms(step.model_ms))
        if first is not None
        else ms(step.model_ms)
    )
    share = min(1.0, first / step.model_ms) if first is not None and step.model_ms else None
    at = max(begin, end - step.model_ms)
    return Span(dom_id, label, kind, at, step.model_ms, note, first_token=share, step=step.number)


def _call_span(call: ToolCall, step: Step, begin: float, facts: _CallFacts) -> Span:
    key = (step.id, call.call_id)
    under_way = call.status in _NOT_DONE
    notes = [
        _(_NOT_DONE[call.status])
        if under_way
        else ms(call.duration_ms)
        if call.status == ToolCallStatus.OK
        else _(call.status)
    ]
    notes += [facts.hits[key]] if key in facts.hits else []
    length = None if under_way else call.duration_ms or 0.0
    kind = _call_kind(call, key in facts.hits, key in facts.writes)
    at = begin + call.started_ms
    return Span(f"wf-{step.id}-{call.position}", call.name, kind, at, length, " · ".join(notes), 1, step=step.number)


def _call_kind(call: ToolCall, searched: bool, wrote: bool) -> str:
    match call.status:
        case status if status in _NOT_DONE:
            return "wait"
        case ToolCallStatus.OK:
            return "core" if wrote else "toolreturn" if searched else "tools"
        case _:
            return "error"


def _scaled(spans: Sequence[Span]) -> list[Span]:
    """``spans`` in shares of the time from the run's creation to the last end."""
    ended = max((span.at + (span.length or 0.0) for span in spans), default=0.0) or 1.0
    open_ms = ended * _UNDER_WAY_SHARE
    whole = ended + (open_ms if any(span.length is None for span in spans) else 0.0)
    return [
        replace(
            span,
            at=round(span.at / whole, 4),
            length=round((open_ms if span.length is None else span.length) / whole, 4),
        )
        for span in spans
    ]
