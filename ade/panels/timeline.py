"""The timeline of a run: its model calls and tool calls, side by side with the clock."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from ade.panels.base import Panel
from ade.panels.context import number_in
from agents_core.models import MemorySearch, Run, Step, StepKind, ToolCall

_MOST_STEPS = 100

Hits = dict[tuple[str | None, str | None], int]


@dataclass(frozen=True, slots=True)
class Span:
    """A line of the timeline; ``at`` and ``length`` are shares of the whole."""

    dom_id: str
    label: str
    depth: int
    kind: str
    at: float
    length: float
    note: str
    number: int


class TimelinePanel(Panel):
    slug = "timeline"
    title = "Timeline"
    follows: ClassVar = frozenset(
        {"run.created", "run.ended", "step.started", "step.ended", "tool.called", "tool.returned"}
    )

    def context(self) -> dict[str, Any]:
        run = self._run()
        if run is None:
            return {}
        steps = list(Step.objects.filter(run=run).order_by("number")[:_MOST_STEPS])
        calls = list(ToolCall.objects.filter(step__in=steps).order_by("position"))
        hits: Hits = {
            (search.step_id, search.tool_call_id): sum(candidate["returned"] for candidate in search.candidates)
            for search in MemorySearch.objects.filter(step__in=steps)
        }
        spans = list(_spans(steps, calls, hits))
        whole = max((span.at + span.length for span in spans), default=1.0) or 1.0
        scaled = [
            Span(
                s.dom_id, s.label, s.depth, s.kind, round(s.at / whole, 4), round(s.length / whole, 4), s.note, s.number
            )
            for s in spans
        ]
        tokens = sum(step.prompt_tokens + step.completion_tokens for step in steps)
        costs = [step.cost_usd for step in steps if step.cost_usd is not None]
        total_ms = (run.completed_at - run.created_at).total_seconds() * 1000 if run.completed_at else None
        return {
            "run": run,
            "spans": scaled,
            "tokens": tokens,
            "cost": sum(costs) if costs else None,
            "total_ms": total_ms,
        }

    def _run(self) -> Run | None:
        if number := number_in(self.params, "step"):
            return Run.objects.filter(steps__agent=self.agent, steps__number=number).first()
        return Run.objects.filter(agent=self.agent).order_by("-first_seq").first()


def _spans(steps: Sequence[Step], calls: Sequence[ToolCall], hits: Hits) -> Iterator[Span]:
    """The spans in milliseconds from the first step's start."""
    if not steps:
        return
    begin = steps[0].started_at
    for step in steps:
        at = _ms(begin, step.started_at)
        label = f"{step.number} {'summary' if step.kind == StepKind.SUMMARY else 'model call'}"
        kind = "error" if step.status == "failed" else "compaction" if step.kind == StepKind.SUMMARY else "model"
        yield Span(f"wf-{step.id}", label, 0, kind, at, step.model_ms or 0.0, _model_note(step), step.number)
        for call in calls:
            if call.step_id == step.id:
                yield _call_span(call, step, at, hits.get((step.id, call.call_id)))


def _call_span(call: ToolCall, step: Step, at: float, found: int | None) -> Span:
    kind = (
        "wait"
        if call.status == "intended"
        else "error"
        if call.status != "ok"
        else "core"
        if "memory" in call.name
        else "tool"
    )
    note = "running" if call.status == "intended" else f"{call.duration_ms or 0:.0f} ms"
    if found is not None:
        note += f" · {found} hit{'' if found == 1 else 's'}"
    return Span(f"wf-{call.pk}", call.name, 1, kind, at + call.started_ms, call.duration_ms or 0.0, note, step.number)


def _model_note(step: Step) -> str:
    if step.model_ms is None:
        return "running" if step.status == "pending" else step.status
    first = f"first token {step.first_token_ms:.0f} ms · " if step.first_token_ms is not None else ""
    return f"{first}{step.model_ms:.0f} ms"


def _ms(begin: datetime, moment: datetime) -> float:
    return (moment - begin).total_seconds() * 1000
