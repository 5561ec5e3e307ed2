"""An agent's tool rules as a graph: the page, a rule that is added there, and the last run played on it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from ade.address import text
from ade.agent_forms import RuleForm
from ade.panels.rules import RulesPanel
from ade.panels.settings import tool_names
from ade.rule_calls import newest_calls, written
from ade.views.blocks import toast
from agents_core.actions import agents, tools


@require_http_methods(["GET", "POST"])
@vary_on_headers("HX-Request")
def rules(request: HttpRequest, agent_id: str) -> HttpResponse:
    """The page, or for htmx its panel. ``?play=last`` simulates the calls of the newest run; a POST adds a rule."""
    agent = agents.get(agent_id)
    params = _params(request)
    if request.GET.get("play") == "last":
        calls = newest_calls(agent)
        if not calls:
            return HttpResponse(status=204, headers=toast(_("No run of this agent has called a tool yet."), "warn"))
        params |= {"calls": written(calls), "view": "simulate"}
    panel = RulesPanel(agent, params)
    if request.method == "POST":
        return _add(request, panel)
    if request.headers.get("HX-Request"):
        # By X-Panel the socket knows whether events went by between the drawing and the showing (ade/consumers.py).
        headers = {"X-Panel": f"{panel.slug} {agent.event_seq}", "HX-Push-Url": panel.address}
        return HttpResponse(panel.render(), headers=headers)
    return render(request, "ade/pages/rules.html", {"agent": agent, "seq": agent.event_seq, "rules": panel})


def _params(request: HttpRequest) -> dict[str, str]:
    return {name: str(value) for name, value in request.GET.items()}


def _add(request: HttpRequest, panel: RulesPanel) -> HttpResponse:
    """The panel as it is now; where something is wrong with the rule, with what is wrong beside it."""
    form = RuleForm(request.POST, names=tool_names(panel.agent))
    if not form.is_valid():
        return render(request, panel.template, {**panel.full_context(), "form": form}, status=422)
    tools.add_rule(panel.agent.id, form.rule())
    fresh = RulesPanel(agents.get(panel.agent.id), panel.params)
    return HttpResponse(fresh.render(), headers=toast(_("The rule holds from the next step on.")))


@require_POST
def let_follow(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Lets the tool ``child`` be called right after ``tool_name``; the graph comes over the websocket."""
    tool_name, child = text(request.POST, "tool_name"), text(request.POST, "child")
    tools.let_follow(agent_id, tool_name, child)
    return HttpResponse(
        status=204, headers=toast(_("{child} may follow {tool_name}.").format(child=child, tool_name=tool_name))
    )
