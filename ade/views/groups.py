"""Groups of agents: the list, making one, and talking to one."""

from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from ade.address import text
from ade.group_page import FORMED, group_views, listed_groups, state, turn_views
from ade.views.blocks import moved, toast
from ade.views.dialogs import form_of
from agents_core.actions import groups
from agents_core.actions.messages import Input
from agents_core.errors import InvalidInput
from agents_core.models import ACTIVE, Agent, Group, GroupTurn

PAGE = 50
_OFFERED = 30
_MOST_MEMBERS = 100


class GroupForm(forms.Form):
    """What a new group is made of, but its agents. ``settings`` is what ``actions.groups.create`` takes."""

    manager_type = forms.ChoiceField(choices=[(kind.value, name) for kind, (name, _) in FORMED.items()])
    description = forms.CharField(required=False, max_length=2000)
    max_turns = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=1000,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"), gettext_lazy("The most turns is a whole number from 1 to 1,000.")
        ),
    )
    termination_token = forms.CharField(required=False, max_length=200)

    def settings(self) -> dict[str, Any]:
        """Raises ``InvalidInput`` with what to do instead."""
        if not self.is_valid():
            raise InvalidInput(" ".join(str(error) for errors in self.errors.values() for error in errors))
        return {**self.cleaned_data, "termination_token": self.cleaned_data["termination_token"] or None}


@require_GET
def group_list(request: HttpRequest) -> HttpResponse:
    page = Paginator(listed_groups(), PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "views": group_views(page.object_list), "kinds": FORMED}
    return render(request, "ade/pages/groups.html", context)


@require_GET
def offered_agents(request: HttpRequest) -> HttpResponse:
    """Agents for a new group: those chosen so far, then those whose name holds ``?q=``."""
    chosen, leads = _ids(request.GET.getlist("members")), text(request.GET, "manager")
    found = Agent.objects.filter(hidden=False, name__icontains=text(request.GET, "q")).order_by("name", "id")
    kept = Agent.objects.in_bulk([*chosen, leads])
    shown = {agent_id: kept[agent_id] for agent_id in [*chosen, leads] if agent_id in kept}
    shown |= {agent.id: agent for agent in found[:_OFFERED]}
    context = {"agents": shown.values(), "chosen": chosen, "leads": leads}
    return render(request, "ade/partials/_group_agents.html", context)


def _ids(given: list[str]) -> list[str]:
    """Ids as they can be looked for, each once."""
    return list(dict.fromkeys(each.replace("\x00", "") for each in given if each))[:_MOST_MEMBERS]


@form_of("/groups#new-group")
def create(request: HttpRequest) -> HttpResponse:
    settings = GroupForm(request.POST).settings()
    manager = text(request.POST, "manager") if settings["manager_type"] != "round_robin" else ""
    members = [each for each in _ids(request.POST.getlist("members")) if each != manager]
    return moved(request, f"/groups/{groups.create(members, manager or None, **settings).id}")


@require_GET
def group_page(request: HttpRequest, group_id: str) -> HttpResponse:
    """A group to talk to; ``?before=`` names the turn before which an older page ends."""
    [view] = group_views(_group(group_id))
    before = text(request.GET, "before")
    turns, earlier = turn_views(view.group, before)
    context = {
        "view": view,
        "group": view.group,
        "turns": turns,
        "earlier": earlier,
        "is_newest": not before,
        "state": state(view.group),
    }
    return render(request, "ade/pages/group.html", context)


def _group(group_id: str) -> "QuerySet[Group]":
    groups.get(group_id)
    return Group.objects.filter(pk=group_id).select_related("manager")


@require_POST
def send(request: HttpRequest, group_id: str) -> HttpResponse:
    """Says something to the group; the answers come over the websocket."""
    words = text(request.POST, "text").replace("\r\n", "\n")
    if not words:
        raise InvalidInput(_("Write a message first."))
    groups.send(group_id, [Input("user", [{"type": "text", "text": words}])])
    return moved(request, f"/groups/{group_id}") if not request.headers.get("HX-Request") else HttpResponse(status=204)


@require_POST
def cancel(request: HttpRequest, group_id: str) -> HttpResponse:
    """Stops the turn that goes on and those that wait."""
    group = groups.get(group_id)
    for turn in GroupTurn.objects.filter(group=group, status__in=ACTIVE).order_by("-created_at"):
        try:
            groups.cancel(turn.id)
        except groups.TurnNotActive:
            continue
    return HttpResponse(status=204, headers=toast(_("Asked to stop.")))


@require_POST
def delete(request: HttpRequest, group_id: str) -> HttpResponse:
    """Deletes the group; its agents stay."""
    groups.delete(group_id)
    return moved(request, "/groups")
