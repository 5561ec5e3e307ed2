"""The top bar of the workspace: who the agent is, what it does now, how full its window is."""

from typing import Any, ClassVar

from ade.panels.base import Panel
from ade.window import Bar, bar_of
from agents_core.models import Run, RunStatus, Segment, Step, StepKind


class HeadPanel(Panel):
    slug = "head"
    title = "Agent"
    follows: ClassVar = frozenset(
        {"run.created", "run.started", "run.ended", "step.started", "step.ended", "agent.changed"}
    )

    def context(self) -> dict[str, Any]:
        newest = Step.objects.filter(agent=self.agent, kind=StepKind.AGENT).order_by("-number").first()
        return {"state": self._state(), "newest": newest, "bar": self._bar(newest)}

    def _state(self) -> str:
        statuses = set(
            Run.objects.filter(agent=self.agent, status__in=[RunStatus.CREATED, RunStatus.RUNNING]).values_list(
                "status", flat=True
            )
        )
        if statuses:
            return "running" if RunStatus.RUNNING in statuses else "queued"
        last = Run.objects.filter(agent=self.agent).order_by("-first_seq").values_list("status", flat=True).first()
        return "failed" if last == RunStatus.FAILED else "idle"

    def _bar(self, newest: Step | None) -> Bar:
        if newest is None or not newest.segments:
            return Bar([], self.agent.context_window)
        sizes = {
            key: (kind, tokens)
            for key, kind, tokens in Segment.objects.filter(id__in=newest.segments).values_list("id", "kind", "tokens")
        }
        return bar_of(newest, [sizes[key] for key in newest.segments])
