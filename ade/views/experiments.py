"""Making a recorded model call again: the form, the two answers, and stopping it."""

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from ade.experiment_page import form_of, page_context, state_context
from ade.fields_given import changed_blocks, plain_lines
from agents_core.actions import agents, experiments
from agents_core.errors import NotFound
from agents_core.models import Step
from agents_core.runtime.preview import Changes


@require_GET
def again(request: HttpRequest, agent_id: str, number: int) -> HttpResponse:
    """The recorded call, and the form to make it again."""
    agent = agents.get(agent_id)
    return render(request, "ade/pages/experiment.html", page_context(agent, _step(agent_id, number), None))


def _step(agent_id: str, number: int) -> Step:
    step = Step.objects.filter(agent=agent_id, number=number, request_digest__isnull=False).first()
    if step is None:
        raise NotFound(_("This agent has no step {number} whose request is recorded.").format(number=number))
    return step


@require_POST
def make(request: HttpRequest, agent_id: str, number: int) -> HttpResponse:
    """Queues the call with what the form changed, and goes to its page."""
    step = _step(agent_id, number)
    made = experiments.create(agent_id, number, _changes(step, request.POST))
    address = f"/agents/{agent_id}/experiments/{made.id}"
    return (
        HttpResponse(status=204, headers={"HX-Redirect": address})
        if request.headers.get("HX-Request")
        else redirect(address)
    )


def _changes(step: Step, given: QueryDict) -> Changes:
    """What differs from what the step saw."""
    seen = form_of(step, {})
    model, system = given.get("model", "").strip(), plain_lines(given.get("system", ""))
    return Changes(
        model=model if model not in ("", step.handle) else None,
        system=system if "system" in given and system != plain_lines(seen["system"]) else None,
        blocks=dict(changed_blocks(seen["blocks"], given)),
    )


@require_GET
def experiment(request: HttpRequest, agent_id: str, experiment_id: str) -> HttpResponse:
    agent, found = agents.get(agent_id), experiments.get(agent_id, experiment_id)
    return render(request, "ade/pages/experiment.html", page_context(agent, found.step, found))


@require_GET
def state(request: HttpRequest, agent_id: str, experiment_id: str) -> HttpResponse:
    """How far the call is, for the page that waits for it."""
    found = experiments.get(agent_id, experiment_id)
    if found.is_open:
        return HttpResponse(status=204)
    context = {
        "agent": agents.get(agent_id),
        "experiment": found,
        "step": found.step,
        **state_context(found.step, found),
    }
    return render(request, "ade/partials/_experiment_state.html", context)


@require_POST
def cancel(request: HttpRequest, agent_id: str, experiment_id: str) -> HttpResponse:
    experiments.cancel(agent_id, experiment_id)
    return HttpResponse(status=204)


@require_POST
def delete(request: HttpRequest, agent_id: str, experiment_id: str) -> HttpResponse:
    number = experiments.get(agent_id, experiment_id).step.number
    experiments.delete(agent_id, experiment_id)
    return HttpResponse(status=204, headers={"HX-Redirect": f"/agents/{agent_id}/steps/{number}/again"})
