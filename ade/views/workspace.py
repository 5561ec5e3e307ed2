"""An agent's workspace: its page, its panels, and what a person does there."""

import re
from json import loads
from typing import Any
from urllib.parse import parse_qs, urlsplit

from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import reswap, retarget, trigger_client_event

from ade.address import thread
from ade.panels.base import Panel, bind
from ade.panels.context import ContextPanel
from ade.panels.trace import TracePanel
from agents_core.actions import agents, runs
from agents_core.actions.approvals import abandon
from agents_core.actions.messages import CallAnswer, Input, RunOptions, pending, send
from agents_core.errors import Conflict, InvalidInput, NotFound
from agents_core.models import Agent, Conversation, Step, ToolCallStatus
from agents_core.record.steps import request_bytes, response_bytes
from agents_core.runtime.approvals import PendingApproval

ASIDE = ("context", "next", "core", "archival", "recall", "files", "raw")
MAIN = ("trace", "runs", "settings", "sleeptime")
DRAWER = ("timeline", "breakpoints", "watches", "events", "history", "blame", "branches", "compactions", "output")

_STEP_PAGE = re.compile(r"/agents/[^/?#]+/steps/(\d+)(?:[?#]|$)")


@require_GET
def workspace(request: HttpRequest, agent_id: str, number: int | None = None) -> HttpResponse:
    """The page. The address says what it shows: ``?main=``, ``?aside=``, ``?drawer=`` name panels, the step is in the path."""
    agent = agents.get(agent_id)
    params = {**_params(request), **({"step": str(number)} if number else {})}
    _conversation(agent_id, thread(params))
    chosen = {
        place: _chosen(request, place, slugs) for place, slugs in (("main", MAIN), ("aside", ASIDE), ("drawer", DRAWER))
    }
    panels = {place: bind(slug, agent, params) for place, slug in chosen.items()}
    context = {
        "agent": agent,
        "seq": agent.event_seq,
        "head": bind("head", agent, params),
        "outline": bind("outline", agent, params),
        **panels,
        **{
            f"{place}_tabs": _tabs(agent, params, slugs)
            for place, slugs in (("main", MAIN), ("aside", ASIDE), ("drawer", DRAWER))
        },
    }
    return render(request, "ade/pages/workspace.html", context)


def _conversation(agent_id: str, conversation_id: str) -> Conversation | None:
    """None for the agent's own thread. Raises ``NotFound``."""
    if not conversation_id:
        return None
    found = Conversation.objects.filter(agent=agent_id, id=conversation_id).first()
    if found is None:
        raise NotFound(_("The agent has no such conversation: it may have been deleted."))
    return found


def _chosen(request: HttpRequest, place: str, slugs: tuple[str, ...]) -> str:
    slug = request.GET.get(place, slugs[0])
    return slug if slug in slugs else slugs[0]


def _tabs(agent: Agent, params: dict[str, str], slugs: tuple[str, ...]) -> list[Panel]:
    return [bind(slug, agent, params) for slug in slugs]


def _params(request: HttpRequest) -> dict[str, str]:
    return {name: str(value) for name, value in request.GET.items()}


@require_GET
def panel(request: HttpRequest, agent_id: str, slug: str) -> HttpResponse:
    """One panel, for htmx: of the step that the page shows, unless the request says which."""
    agent = agents.get(agent_id)
    bound = bind(slug, agent, {**_shown(request), **_params(request)})
    # By this the socket knows whether events went by between the drawing and the showing (ade/consumers.py).
    headers = {"X-Panel": f"{slug} {agent.event_seq}"}
    if bound.address:
        headers["HX-Replace-Url"] = bound.address
    return HttpResponse(bound.render(), headers=headers)


def _shown(request: HttpRequest) -> dict[str, str]:
    """The step and the conversation that the page shows."""
    page = request.headers.get("HX-Current-URL", "")
    found = _STEP_PAGE.search(page)
    conversation = parse_qs(urlsplit(page).query).get("conversation", [""])[0]
    return {**({"step": found[1]} if found else {}), **({"conversation": conversation} if conversation else {})}


@require_GET
def step_segments(request: HttpRequest, agent_id: str, number: int) -> HttpResponse:
    """What the context panel of a step leaves out until it is looked at: ``?text=`` a segment, or ``?lines=`` some of a list."""
    context = ContextPanel(agents.get(agent_id), {**_params(request), "step": str(number)})
    return render(request, "ade/partials/_late.html", context.late())


@require_GET
def turns(request: HttpRequest, agent_id: str) -> HttpResponse:
    """The page of turns before ``?before=``, the turns ``?runs=`` again, or the steps of the turn ``?run=`` before its ``?step=``."""
    trace = TracePanel(agents.get(agent_id), _params(request))
    if "runs" in trace.params:
        return render(request, "ade/partials/_turns.html", {**trace.place, **trace.named()})
    if "run" in trace.params:
        return render(
            request, "ade/partials/_steps.html", {**trace.place, **trace.earlier_steps(), "agent": trace.agent}
        )
    return render(request, "ade/partials/_turns.html", trace.full_context())


@require_POST
def send_message(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Sends what was written in the composer; the answer comes over the websocket. Where a call waits, the person is asked what becomes of
    it, and ``instead`` says it: "deny" or "give_up"."""
    text, role = request.POST.get("text", "").strip(), request.POST.get("role", "user")
    if not text or role not in ("user", "system"):
        raise InvalidInput(_("Write a message first."))
    conversation = _conversation(agent_id, thread(request.POST))
    conversation_id = conversation.id if conversation else None
    answers = _let_go(agent_id, conversation_id, request.POST.get("instead", ""))
    options = RunOptions(override_model=conversation.model if conversation else None, answers=answers)
    inputs = [Input(role, [{"type": "text", "text": text}])]
    try:
        async_to_sync(send)(agent_id, inputs, conversation_id=conversation_id, options=options)
    except PendingApproval:
        if not request.headers.get("HX-Request"):
            raise
        return _ask_waiting(request, agent_id, conversation_id)
    return HttpResponse(status=204)


def _let_go(agent_id: str, conversation_id: str | None, instead: str) -> list[CallAnswer]:
    """The answers to the thread's calls that wait, when they are to be denied; gives the agent's up when that was chosen."""
    if instead == "give_up":
        abandon(agent_id)
    waiting = async_to_sync(pending)(agent_id, conversation_id) if instead == "deny" else None
    return [CallAnswer(call_id) for call_id in waiting.call_ids] if waiting else []


def _ask_waiting(request: HttpRequest, agent_id: str, conversation_id: str | None) -> HttpResponse:
    """What a person may do with the calls that wait, in the dialog of the page: the message stays in the composer."""
    waiting = async_to_sync(pending)(agent_id, conversation_id)
    if waiting is None:
        raise Conflict(_("Nothing waits any more: send it again."))
    step = Step.objects.get(id=waiting.step_id)
    names = step.calls.filter(call_id__in=waiting.call_ids).order_by("position").values_list("name", flat=True)
    context = {"agent": agents.get(agent_id), "step": step, "names": ", ".join(names), "count": len(names)}
    answer = render(request, "ade/partials/_ask_waiting.html", context, status=422)
    retarget(reswap(answer, "innerHTML"), "#travel-inside")
    return trigger_client_event(answer, "ask", {"dialog": "travel"}, after="swap")


@require_POST
def answer_calls(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Answers the calls of ``step`` that wait, each as its form says."""
    step = Step.objects.filter(agent=agent_id, id=request.POST.get("step", "")).first()
    waiting = step.calls.filter(status=ToolCallStatus.AWAITING).order_by("position") if step else ()
    if step is None or not waiting:
        raise Conflict(_("Nothing waits here any more: somebody else was first."))
    answers = [_answer(request.POST, call.call_id) for call in waiting]
    async_to_sync(send)(agent_id, [], conversation_id=step.conversation_id, options=RunOptions(answers=answers))
    return HttpResponse(status=204)


def _answer(given: QueryDict, call_id: str) -> CallAnswer:
    match given.get(f"decision-{call_id}"):
        case "approve":
            return CallAnswer(call_id, approve=True, arguments=arguments_in(given.get(f"arguments-{call_id}", "")))
        case "deny":
            return CallAnswer(call_id, reason=given.get(f"reason-{call_id}") or None)
        case "answer":
            return CallAnswer(call_id, "tool", tool_return=given.get(f"result-{call_id}", "").replace("\r\n", "\n"))
    raise InvalidInput(_("Say of each call whether it runs, is denied, or is answered in its place."))


def arguments_in(text: str) -> dict[str, Any]:
    """The arguments of a call as a person wrote them. Raises ``InvalidInput`` for what is no JSON object."""
    try:
        value = loads(text)
    except ValueError as error:
        raise InvalidInput(_("The arguments are no JSON: {error}.").format(error=error)) from None
    if not isinstance(value, dict):
        raise InvalidInput(_("The arguments are an object: {…}."))
    return value


@require_GET
def step_request(request: HttpRequest, agent_id: str, number: int) -> HttpResponse:
    """The request of a step, byte for byte."""
    return HttpResponse(request_bytes(_step(agent_id, number)), content_type="application/json")


@require_GET
def step_response(request: HttpRequest, agent_id: str, number: int) -> HttpResponse:
    """The response of a step, byte for byte."""
    return HttpResponse(response_bytes(_step(agent_id, number)), content_type="text/plain; charset=utf-8")


def _step(agent_id: str, number: int) -> Step:
    step = Step.objects.filter(agent_id=agent_id, number=number).select_related("response").first()
    if step is None:
        raise NotFound(_("This agent has no step {number}.").format(number=number))
    return step


@require_POST
def cancel(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Asks the agent's runs to stop."""
    runs.cancel(agent_id)
    return HttpResponse(status=204)
