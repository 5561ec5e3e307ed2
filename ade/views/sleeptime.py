"""What a person does about an agent's sleep-time agents."""

from django.db import transaction
from django.db.models import Count, Min, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from ade.panels.sleeptime import SleeptimeForm, SleeptimePanel
from ade.tending import tending
from ade.views.blocks import toast
from agents_core.actions import agents, groups
from agents_core.models import Agent, Author, Run

SHOWN = 30


@require_POST
def save(request: HttpRequest, agent_id: str) -> HttpResponse:
    """When the sleep-time agents are called; gives the panel, with what is wrong where something is."""
    agent = agents.get(agent_id)
    group = tending(agent).group
    form = SleeptimeForm(request.POST)
    if group is None or not form.is_valid():
        panel = SleeptimePanel(agent)
        return render(request, panel.template, {**panel.full_context(), "form": form}, status=422)
    with transaction.atomic():
        groups.modify(group.id, form.changes())
        agents.modify(agent_id, {"enable_sleeptime": form.cleaned_data["enabled"]}, Author.PERSON)
    return _panel(agent_id, _("Saved"))


@require_POST
def enable(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Makes the agent's first sleep-time agent."""
    agents.modify(agent_id, {"enable_sleeptime": True}, Author.PERSON)
    return _panel(agent_id, _("A sleep-time agent tends its memory from now on."))


def _panel(agent_id: str, said: str) -> HttpResponse:
    return HttpResponse(SleeptimePanel(agents.get(agent_id)).render(), headers=toast(said))


@require_GET
def runs(request: HttpRequest, agent_id: str) -> HttpResponse:
    """The newest runs of the agent's companions, or its own as one, with where each leads."""
    agent = agents.get(agent_id)
    found = _runs(agent).select_related("agent").order_by("-created_at", "-id")
    shown = found.annotate(
        first_step=Min("steps__number"),
        written=Count("steps__block_versions", distinct=True),
    )[:SHOWN]
    return render(request, "ade/partials/_sleeptime_runs.html", {"agent": agent, "runs": shown})


def _runs(agent: Agent) -> "QuerySet[Run]":
    theirs = Q(metadata__of_agent_id=agent.id)
    own = Q(agent=agent, metadata__has_key="of_agent_id")
    beside = [companion.id for companion in tending(agent).companions]
    return Run.objects.filter((Q(agent__in=beside) & theirs) | own)
