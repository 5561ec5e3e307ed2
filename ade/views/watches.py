"""What a person does with the watches of an agent; each answer is the panel as it is then."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ade.panels.watches import WatchesPanel, around
from ade.views.blocks import toast
from agents_core.actions import agents, breakpoints, watches
from agents_core.errors import InvalidInput
from agents_core.models import BreakpointKind
from agents_core.record.expressions import ExpressionRefused


@require_POST
def add(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Watches the expression, in this agent or in all; refused with the panel, the text and what is wrong with it."""
    agents.get(agent_id)
    given = request.POST
    try:
        watch = watches.create(
            agent_id, given.get("expression", ""), given.get("name", ""), everywhere=bool(given.get("everywhere"))
        )
    except InvalidInput as refused:
        return _refused(request, agent_id, refused)
    return _panel(
        request, agent_id, _("{watch} is watched at every step.").format(watch=watch), watch=watch.id, expression=""
    )


@require_POST
def save(request: HttpRequest, agent_id: str, watch_id: str) -> HttpResponse:
    """Gives the watch another expression or name."""
    try:
        watches.modify(
            agent_id, watch_id, expression=request.POST.get("expression", ""), name=request.POST.get("name", "")
        )
    except InvalidInput as refused:
        return _refused(request, agent_id, refused, edit=watch_id)
    return _panel(request, agent_id, _("Saved"), edit="", expression="")


@require_POST
def delete(request: HttpRequest, agent_id: str, watch_id: str) -> HttpResponse:
    watches.delete(agent_id, watch_id)
    return _panel(request, agent_id, _("It is watched no more."), edit="")


@require_POST
def toggle_break(request: HttpRequest, agent_id: str, watch_id: str) -> HttpResponse:
    """Stops runs where the watch becomes true; called again, no longer."""
    watch = watches.get(agent_id, watch_id)
    made = breakpoints.of_agent(agent_id).filter(kind=BreakpointKind.EXPRESSION, condition=watch.expression)
    there = list(made.values_list("id", flat=True))
    for breakpoint_id in there:
        breakpoints.delete(breakpoint_id)
    if there:
        return _panel(request, agent_id, _("Runs do not stop there any more."))
    breakpoints.create(watch.agent_id, BreakpointKind.EXPRESSION, condition=watch.expression)
    return _panel(
        request, agent_id, _("Runs stop where {expression} becomes true.").format(expression=watch.expression)
    )


def _bound(request: HttpRequest, agent_id: str, **changes: str) -> WatchesPanel:
    params = {**{name: str(value) for name, value in request.GET.items()}, **changes}
    return WatchesPanel(agents.get(agent_id), params)


def _panel(request: HttpRequest, agent_id: str, said: str, **changes: str) -> HttpResponse:
    return HttpResponse(_bound(request, agent_id, **changes).render(), headers=toast(said))


def _refused(request: HttpRequest, agent_id: str, refused: InvalidInput, **changes: str) -> HttpResponse:
    panel = _bound(request, agent_id, **{"expression": "", **changes})
    typed = request.POST.get("expression", "")
    told = {"typed": typed, "named": request.POST.get("name", ""), "refused": refused}
    marked = around(typed, refused.column) if isinstance(refused, ExpressionRefused) else None
    return render(request, panel.template, {**panel.full_context(), **told, "marked": marked}, status=422)
