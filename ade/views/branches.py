"""Time travel in the workspace: each address shows, by GET, the dialog that asks, and does it by POST."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from ade.journeys import Journey, journey, line_of
from agents_core.actions import adopting, agents, forks
from agents_core.actions import rewind as rewinding
from agents_core.errors import AgentsError, NotFound
from agents_core.memory.digest import state_digest
from agents_core.models import Agent, Author, Fork
from agents_core.record.states import AgentState, state_at, state_now

_asks = require_http_methods(["GET", "POST"])


@_asks
def fork(request: HttpRequest, agent_id: str, number: int | None = None) -> HttpResponse:
    """A fork of a step, or of the present."""
    agent = agents.get(agent_id)
    if request.method == "POST":
        given = request.POST
        own = {block.label: block.value for block in _journey(agent, number).blocks}
        typed = {label: given.get(f"block-{label}", own[label]).replace("\r\n", "\n") for label in own}
        made = forks.fork(
            agent_id,
            number,
            name=given.get("name", "").strip() or None,
            model=given.get("model", "").strip() or None,
            blocks={label: value for label, value in typed.items() if value != own[label]},
            author=Author.PERSON,
        )
        return _go_to(made)
    return _dialog(request, "fork", agent, lambda: {"journey": _journey(agent, number), "number": number})


def _journey(agent: Agent, number: int | None) -> Journey:
    return journey(state_at(agent.id, number) if number is not None else state_now(agent.id))


@_asks
def rewind(request: HttpRequest, agent_id: str, number: int) -> HttpResponse:
    """The agent back to just before a step."""
    agent = agents.get(agent_id)
    if request.method == "POST":
        rewinding.rewind(agent_id, number, **_how(request))
        return _go_to(agent)

    def asked() -> dict[str, Any]:
        rewinding.refuse_at_work(agent_id)
        state = state_at(agent_id, number)
        return {"journey": journey(state, line_of(state)), "number": number}

    return _dialog(request, "rewind", agent, asked)


@_asks
def come_back(request: HttpRequest, agent_id: str, branch_id: str) -> HttpResponse:
    """The agent back on a branch that it has left."""
    agent, branch = agents.get(agent_id), rewinding.get_branch(agent_id, branch_id)
    if request.method == "POST":
        rewinding.come_back(agent_id, branch_id, **_how(request))
        return _go_to(agent)

    def asked() -> dict[str, Any]:
        rewinding.refuse_at_work(agent_id)
        line = [(first, last) for first, last in branch.line]
        return {"journey": journey(AgentState.read(branch.state), line), "branch": branch}

    return _dialog(request, "come_back", agent, asked)


@_asks
def adopt(request: HttpRequest, agent_id: str, fork_id: str) -> HttpResponse:
    """The agent as one of its forks."""
    agent = agents.get(agent_id)
    origin = Fork.objects.filter(agent=fork_id, parent=agent).select_related("agent").first()
    if origin is None:
        raise NotFound(_("The agent has no such fork: it may have been deleted."))
    if request.method == "POST":
        adopting.adopt(agent_id, fork_id, **_how(request))
        return _go_to(agent)

    def asked() -> dict[str, Any]:
        for each in (agent_id, fork_id):
            rewinding.refuse_at_work(each)
        own = journey(state_now(agent_id, origin.conversation_id))
        return {"journey": journey(state_now(fork_id)), "own": own, "origin": origin, "left": _left(agent, origin)}

    return _dialog(request, "adopt", agent, asked)


@require_GET
def digest(request: HttpRequest, agent_id: str) -> HttpResponse:
    """The hash of the agent's state."""
    agent = agents.get(agent_id)
    return render(request, "ade/partials/_digest.html", {"of": agent, "digest": state_digest(agent.id)})


def _left(agent: Agent, origin: Fork) -> int:
    """How many steps the agent has taken since the fork."""
    return agent.step_count - (origin.step_number - 1) if origin.step_number is not None else 0


def _how(request: HttpRequest) -> dict[str, Any]:
    name = request.POST.get("name", "").strip()
    return {"name": name or None, "shared": "shared" in request.POST, "author": Author.PERSON}


def _dialog(request: HttpRequest, kind: str, agent: Agent, asked: Callable[[], dict[str, Any]]) -> HttpResponse:
    """What is asked, or why it cannot be done now."""
    try:
        context = asked()
    except AgentsError as error:
        context = {"refusal": error.message}
    return render(request, f"ade/partials/_ask_{kind}.html", {"agent": agent, **context})


def _go_to(agent: Agent) -> HttpResponse:
    return HttpResponse(status=204, headers={"HX-Redirect": f"/agents/{agent.id}?drawer=branches"})
