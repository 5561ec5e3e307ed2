"""Comparing branches: the page, its form, and what can be done with them."""

from itertools import product
from typing import TypeVar

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from ade.comparison_page import context_of, view_of
from ade.experiment_page import form_of
from ade.fields_given import changed_blocks, plain_lines
from ade.panels.context import number_in
from agents_core.actions import agents, comparisons
from agents_core.actions.comparisons import Proposed
from agents_core.actions.tail import tail_of
from agents_core.errors import InvalidInput, NotFound
from agents_core.models import Comparison, Step
from agents_core.runtime.preview import Changes

Kept = TypeVar("Kept")


@require_GET
def comparison_list(request: HttpRequest, agent_id: str) -> HttpResponse:
    agent = agents.get(agent_id)
    found = Comparison.objects.filter(agent=agent).prefetch_related("variants")[:100]
    last = Step.objects.filter(agent=agent, kind="agent", request_digest__isnull=False).order_by("-number").first()
    first_url = f"/agents/{agent_id}/compare/new?step={last.number}" if last else ""
    context = {"agent": agent, "comparisons": found, "last": last, "first_url": first_url}
    return render(request, "ade/pages/comparisons.html", context)


@require_GET
def new(request: HttpRequest, agent_id: str) -> HttpResponse:
    """The tail from ``?step=`` on, and the form of its first branches."""
    agent = agents.get(agent_id)
    params = {name: str(value) for name, value in request.GET.items()}
    number = number_in(params, "step")
    if number is None:
        raise InvalidInput(_("Say from which step on: ?step=12."))
    tail = tail_of(agent_id, number)
    drafted = Comparison(agent=agent, from_step=number, to_step=tail.last_step, inputs=tail.inputs)
    context = {**context_of(agent, view_of(drafted, {})), "form": form_of(tail.steps[0], {}), "step": tail.steps[0]}
    return render(request, "ade/pages/compare.html", context)


@require_POST
def create(request: HttpRequest, agent_id: str) -> HttpResponse:
    number = number_in({name: str(value) for name, value in request.POST.items()}, "step")
    if number is None:
        raise InvalidInput(_("Say from which step on."))
    proposed = _proposed(_step(agent_id, number), request.POST)
    return _go_to(comparisons.create(agent_id, number, proposed), "B")


def _step(agent_id: str, number: int) -> Step:
    step = Step.objects.filter(agent=agent_id, number=number).first()
    if step is None:
        raise NotFound(_("This agent has no step {number}.").format(number=number))
    return step


def _go_to(comparison: Comparison, right: str) -> HttpResponse:
    address = f"/agents/{comparison.agent_id}/compare/{comparison.id}?right={right}"
    return HttpResponse(status=204, headers={"HX-Redirect": address})


def _proposed(step: Step, given: QueryDict) -> list[Proposed]:
    """Each of the models with each of the instructions and each of the memories."""
    seen = form_of(step, {})
    models = list(dict.fromkeys(model.strip() for model in given.getlist("model") if model.strip())) or [step.handle]
    system = plain_lines(given.get("system", ""))
    systems = _with_other(None, system if system != plain_lines(seen["system"]) else None, given.get("both_systems"))
    memories = _with_other({}, dict(changed_blocks(seen["blocks"], given)) or None, given.get("both_memories"))
    return [
        Proposed(Changes(model if model != step.handle else None, text, memory or {}))
        for model, text, memory in product(models, systems, memories)
    ]


def _with_other(recorded: Kept, other: Kept | None, both: str | None) -> list[Kept]:
    """The recorded one unless there is another; with ``both`` each."""
    if other is None:
        return [recorded]
    return [recorded, other] if both else [other]


@require_GET
def comparison(request: HttpRequest, agent_id: str, comparison_id: str) -> HttpResponse:
    agent, found = agents.get(agent_id), comparisons.get(agent_id, comparison_id)
    params = {name: str(value) for name, value in request.GET.items()}
    step = _step(agent_id, found.from_step)
    context = {**context_of(agent, view_of(found, params)), "form": form_of(step, {}), "step": step}
    return render(request, "ade/pages/compare.html", context)


@require_POST
def add(request: HttpRequest, agent_id: str, comparison_id: str) -> HttpResponse:
    found = comparisons.get(agent_id, comparison_id)
    added = comparisons.add(agent_id, comparison_id, _proposed(_step(agent_id, found.from_step), request.POST))
    return _go_to(found, comparisons.letter(added[0].position))


@require_POST
def run(request: HttpRequest, agent_id: str, comparison_id: str) -> HttpResponse:
    """Runs the branches that have not run; the page follows them over its socket once it is loaded anew."""
    comparisons.run(agent_id, comparison_id)
    return HttpResponse(status=204, headers={"HX-Refresh": "true"})


@require_POST
def cancel(request: HttpRequest, agent_id: str, comparison_id: str) -> HttpResponse:
    comparisons.cancel(agent_id, comparison_id)
    return HttpResponse(status=204)


@require_POST
def adopt(request: HttpRequest, agent_id: str, comparison_id: str, variant_id: str) -> HttpResponse:
    comparisons.adopt(agent_id, comparison_id, variant_id)
    return HttpResponse(status=204, headers={"HX-Redirect": f"/agents/{agent_id}?drawer=branches"})


@require_POST
def remove(request: HttpRequest, agent_id: str, comparison_id: str, variant_id: str) -> HttpResponse:
    comparisons.remove(agent_id, comparison_id, variant_id)
    return HttpResponse(status=204, headers={"HX-Redirect": f"/agents/{agent_id}/compare/{comparison_id}"})


@require_POST
def delete(request: HttpRequest, agent_id: str, comparison_id: str) -> HttpResponse:
    comparisons.delete(agent_id, comparison_id)
    return HttpResponse(status=204, headers={"HX-Redirect": f"/agents/{agent_id}/compare"})
