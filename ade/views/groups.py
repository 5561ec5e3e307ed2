"""Groups of agents: the list, making and changing one, and talking to one."""

from collections.abc import Callable

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from ade.address import text
from ade.group_forms import GroupForm, changes_of, offer, offered, settings_of
from ade.group_page import FORMED, list_context, state, turn_views, view_of
from ade.views.blocks import moved, toast
from ade.views.dialogs import form_of
from agents_core.actions import groups
from agents_core.actions.messages import Input
from agents_core.errors import AgentsError, InvalidInput
from agents_core.models import ACTIVE, SLEEPTIME_GROUPS, Group, GroupTurn


@require_GET
def group_list(request: HttpRequest) -> HttpResponse:
    form = {"form": GroupForm.of(None), "kinds": FORMED}
    return render(request, "ade/pages/groups.html", {**list_context(request.GET.get("page")), **form})


@require_GET
def offered_agents(request: HttpRequest) -> HttpResponse:
    """Agents for a group, around those chosen so far."""
    return render(request, "ade/partials/_group_agents.html", offer(request.GET))


@form_of("/groups#new-group")
def create(request: HttpRequest) -> HttpResponse:
    def made() -> HttpResponse:
        return moved(request, f"/groups/{groups.create(**settings_of(request.POST)).id}")

    return _or_problem(request, made)


def _or_problem(request: HttpRequest, change: Callable[[], HttpResponse]) -> HttpResponse:
    """What ``change`` answers, or what is wrong, for the form to say; without htmx a page says it."""
    try:
        return change()
    except AgentsError as error:
        if not request.headers.get("HX-Request"):
            raise
        return render(request, "ade/partials/_block_problem.html", {"problem": error.message}, status=422)


@require_GET
def edit(request: HttpRequest, group_id: str) -> HttpResponse:
    """The form of a group, with what it is now."""
    group = _group(group_id).get()
    context = {
        "group": group,
        "form": GroupForm.of(group),
        "kinds": {} if group.manager_type in SLEEPTIME_GROUPS else FORMED,
        "manager": group.manager,
        "seen": groups.stamp(group),
        "is_speaking": state(group)["active"] is not None,
        **offered(groups.member_ids(group_id), group.manager_id or "", kind=group.manager_type),
    }
    return render(request, "ade/partials/_group_edit.html", context)


@require_POST
def save(request: HttpRequest, group_id: str) -> HttpResponse:
    """Changes the group, unless somebody else did since the form was filled."""

    def saved() -> HttpResponse:
        changes = changes_of(groups.get(group_id), request.POST)
        try:
            groups.modify(group_id, changes, seen=text(request.POST, "seen"))
        except groups.ChangedSince as error:
            words = _("This group was changed since you opened the form. Close it and open it again to see how.")
            raise groups.ChangedSince(words) from error
        if not request.headers.get("HX-Request"):
            return moved(request, f"/groups/{group_id}")
        return HttpResponse(status=204, headers=toast(_("Saved")))

    return _or_problem(request, saved)


@require_GET
def group_page(request: HttpRequest, group_id: str) -> HttpResponse:
    """A group to talk to; ``?before=`` names the turn before which an older page ends."""
    view = view_of(_group(group_id).get())
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
