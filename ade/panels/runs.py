"""The runs of an agent, newest first."""

from typing import Any, ClassVar

from django.db.models import Count, Sum

from ade.panels.base import Panel
from agents_core.models import Run

PAGE = 50


def run_page(runs: Any, before: str | None) -> dict[str, Any]:
    """A page of ``runs`` (a queryset), those before the run ``before``, with their steps' sums."""
    found = runs.annotate(
        step_total=Count("steps"),
        prompt_total=Sum("steps__prompt_tokens"),
        completion_total=Sum("steps__completion_tokens"),
        cost=Sum("steps__cost_usd"),
    ).order_by("-created_at", "-id")
    if before and (edge := Run.objects.filter(id=before).values_list("created_at", flat=True).first()):
        found = found.filter(created_at__lt=edge)
    listed = list(found[: PAGE + 1])
    return {"runs": listed[:PAGE], "next": listed[PAGE - 1].id if len(listed) > PAGE else None}


class RunsPanel(Panel):
    slug = "runs"
    title = "Runs"
    follows: ClassVar = frozenset(
        {
            *("run.created", "run.started", "run.paused", "run.resumed", "run.ended"),
            *("run.callback_sent", "step.ended", "agent.changed"),
        }
    )

    def context(self) -> dict[str, Any]:
        return run_page(Run.objects.filter(agent=self.agent), self.params.get("before"))
