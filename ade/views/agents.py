"""The list of agents: finding them, making them, deleting them."""

from collections import Counter
from dataclasses import replace

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_POST

from ade.agent_rows import PAGE, agent_rows, counts, listed_agents
from ade.views.dialogs import form_of
from ade.views.handles import model_handles
from agents_core.actions import agents, deletions
from agents_core.actions.agent_templates import TEMPLATES, template
from agents_core.actions.model_choice import default_model
from agents_core.memory.recall.turns import spoken_text
from agents_core.models import Agent, Author, Message, ToolCall, ToolCallStatus

_FILTERS = ("q", "tag", "state")


@require_GET
def agent_list(request: HttpRequest) -> HttpResponse:
    """The page of agents; ``?q=``, ``?tag=``, ``?state=`` narrow it, ``?page=`` counts from 1."""
    filters: dict[str, str] = {name: request.GET[name] for name in _FILTERS if request.GET.get(name)}
    page = max(1, int(request.GET.get("page", "1"))) if request.GET.get("page", "1").isdigit() else 1
    listed = list(listed_agents(filters)[(page - 1) * PAGE : page * PAGE + 1])
    rows = agent_rows(listed[:PAGE])
    context = {
        "rows": rows,
        "filters": filters,
        "query": urlencode(filters),
        "counts": counts(),
        "tags": _tags(),
        "next_page": urlencode({**filters, "page": str(page + 1)}) if len(listed) > PAGE else None,
        "templates": TEMPLATES.values(),
        "handles": model_handles(),
        "default_model": default_model(),
        **(_preview(rows[0].agent) if rows else {}),
    }
    return render(request, "ade/pages/agents.html", context)


def _tags() -> list[dict[str, object]]:
    found: Counter[str] = Counter(
        tag for tags in Agent.objects.filter(hidden=False).values_list("tags", flat=True) for tag in tags
    )
    return [{"name": name, "count": count} for name, count in found.most_common(20)]


def _preview(agent: Agent) -> dict[str, object]:
    newest = Message.objects.filter(agent=agent, role__in=["user", "assistant"]).order_by("-seq")[:12]
    said = [
        {"role": message.role, "text": text}
        for message in newest
        if (text := spoken_text(message.role, message.content, message.tool_calls))
    ]
    return {
        "preview": agent_rows([agent])[0],
        "blocks": agent.blocks.order_by("agent_links__id"),
        "messages": said[:4][::-1],
        "waiting": ToolCall.objects.filter(agent=agent, status=ToolCallStatus.AWAITING).select_related("step"),
    }


@require_GET
def agent_preview(request: HttpRequest, agent_id: str) -> HttpResponse:
    context = _preview(agents.get(agent_id))
    return render(request, "ade/partials/_agent_preview.html", {"row": context["preview"], **context})


@form_of("/agents#new-agent")
def new_agent(request: HttpRequest) -> HttpResponse:
    """Makes an agent of a template and goes to it."""
    given = request.POST
    chosen = template(given.get("template", "companion"))
    made = chosen.new_agent(
        name=given.get("name", "").strip(), model=given.get("model", "").strip(), human=given.get("human", "")
    )
    made = replace(made, enable_sleeptime=given.get("sleeptime") == "1")
    return _go(request, f"/agents/{agents.create(made, Author.PERSON).id}")


@require_POST
def delete_agent(request: HttpRequest, agent_id: str) -> HttpResponse:
    deletions.delete_agent(agent_id)
    return _go(request, "/agents")


def _go(request: HttpRequest, address: str) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)
