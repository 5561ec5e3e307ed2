"""The runs of an agent, newest first."""

from typing import Any, ClassVar

from django.db.models import Count, Sum
from django.utils.translation import gettext_noop

from ade.address import query
from ade.panels.base import Panel
from agents_core.models import Run

PAGE = 50


def with_sums(runs: Any) -> Any:
    """``runs`` (a queryset) as _runs_table.html draws them: with the sums of their steps."""
    return runs.annotate(
        step_total=Count("steps"),
        prompt_total=Sum("steps__prompt_tokens"),
        completion_total=Sum("steps__completion_tokens"),
        cost=Sum("steps__cost_usd"),
    )


def run_page(runs: Any, before: str | None, chosen: str | None = None) -> dict[str, Any]:
    """A page of ``runs`` (a queryset), those before the run ``before``, or from the run ``chosen`` on, with their steps' sums."""
    found = with_sums(runs).order_by("-created_at", "-id")
    if chosen and (edge := Run.objects.filter(id=chosen).values_list("created_at", flat=True).first()):
        found = found.filter(created_at__lte=edge)
    elif before and (edge := Run.objects.filter(id=before).values_list("created_at", flat=True).first()):
        found = found.filter(created_at__lt=edge)
    listed = list(found[: PAGE + 1])
    return {"runs": listed[:PAGE], "next": listed[PAGE - 1].id if len(listed) > PAGE else None, "chosen_run": chosen}


class RunsPanel(Panel):
    """``params``: ``before`` is the run before which a page begins, ``run`` one with which it begins."""

    slug = "runs"
    title = gettext_noop("Runs")
    follows: ClassVar = frozenset(
        {
            *("run.created", "run.started", "run.paused", "run.resumed", "run.ended"),
            *("run.callback_sent", "step.ended", "agent.changed"),
        }
    )

    def context(self) -> dict[str, Any]:
        page = run_page(Run.objects.filter(agent=self.agent), self.params.get("before"), self.params.get("run"))
        return {**page, "params": query(self.params, ("before", "run"))}
