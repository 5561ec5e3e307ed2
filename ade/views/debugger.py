"""What a person does with breakpoints, and with a run that stands at one."""

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ade.breakpoint_forms import BreakpointForm
from ade.panels.breakpoints import BreakpointsPanel
from ade.standing import StandingCall, plain, standing
from ade.views.workspace import arguments_in
from agents_core.actions import agents, breakpoints, pauses
from agents_core.errors import InvalidInput, NotFound
from agents_core.models import Breakpoint, Pause


@require_POST
def toggle(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Sets the plain breakpoint of a kind and target, or takes it away."""
    kind, target = request.POST.get("kind", ""), request.POST.get("target", "")
    there = plain(Breakpoint.objects.filter(agent=agent_id)).get((kind, target))
    if there:
        breakpoints.delete(there.id)
    else:
        breakpoints.create(agent_id, kind, target=target)
    return HttpResponse(status=204)


@require_POST
def add(request: HttpRequest, agent_id: str) -> HttpResponse:
    panel, form = BreakpointsPanel(agents.get(agent_id)), BreakpointForm(request.POST)
    if form.is_valid():
        facts = form.facts()
        try:
            breakpoints.create(None if facts.pop("everywhere") else agent_id, **facts)
        except InvalidInput as error:
            form.add_error(error.data.get("field", "condition"), error.message)
    panel.form = None if form.is_valid() else form
    return HttpResponse(panel.render(), status=422 if panel.form else 200)


@require_POST
def switch(request: HttpRequest, agent_id: str, breakpoint_id: str) -> HttpResponse:
    """On or off."""
    found = _of_agent(agent_id, breakpoint_id)
    breakpoints.modify(found.id, {"enabled": not found.enabled})
    return HttpResponse(BreakpointsPanel(agents.get(agent_id)).render())


@require_POST
def remove(request: HttpRequest, agent_id: str, breakpoint_id: str) -> HttpResponse:
    breakpoints.delete(_of_agent(agent_id, breakpoint_id).id)
    return HttpResponse(BreakpointsPanel(agents.get(agent_id)).render())


def _of_agent(agent_id: str, breakpoint_id: str) -> Breakpoint:
    found = breakpoints.get(breakpoint_id)
    if found.agent_id not in (agent_id, None):
        raise NotFound(_("The agent has no such breakpoint."))
    return found


@require_POST
def pause(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Lets the agent's runs stop where they next can."""
    pauses.pause_soon(agent_id)
    return HttpResponse(status=204)


@require_POST
def resume(request: HttpRequest, agent_id: str, pause_id: str) -> HttpResponse:
    """Makes the changes that stand in the form, and lets the run go on."""
    found = pauses.get(pause_id)
    if found.agent_id != agent_id:
        raise NotFound(_("The agent has no such pause."))
    how = request.POST.get("how", "continue")
    if how != "cancel":
        _change(found, request.POST)
    pauses.resume(pause_id, how)
    return HttpResponse(status=204)


def _change(pause: Pause, given: QueryDict) -> None:
    stands = standing(pause)
    answer = _text(given, "answer", stands.said)
    if stands.answer and answer != stands.said:
        pauses.edit(pause.id, "message", stands.answer.id, answer)
    for each in stands.calls:
        _change_call(pause.id, each, given)


def _change_call(pause_id: str, each: StandingCall, given: QueryDict) -> None:
    call_id = each.call.call_id
    match given.get(f"decision-{call_id}"):
        case "deny":
            pauses.edit(pause_id, "refused", call_id, _text(given, f"reason-{call_id}", ""))
        case "answer":
            pauses.edit(pause_id, "result", call_id, _text(given, f"result-{call_id}", ""))
        case "approve":
            arguments = _text(given, f"arguments-{call_id}", each.arguments)
            if arguments != each.arguments:
                pauses.edit(pause_id, "arguments", call_id, arguments_in(arguments))
            for write in each.writes:
                text = _text(given, f"write-{call_id}-{write.label}", write.after)
                if text != write.after:
                    pauses.edit(pause_id, "write", f"{call_id} {write.label}", text)


def _text(given: QueryDict, name: str, otherwise: str) -> str:
    """What the field holds, with the line ends that everything else has; a textarea sends others."""
    return str(given.get(name, otherwise)).replace("\r\n", "\n")
