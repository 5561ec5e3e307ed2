"""Steps: each call of a model, and what followed from it."""

import json
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from agents_core.actions import history
from agents_core.api.ids import StepId
from agents_core.api.listing import in_order, paged
from agents_core.api.paging import Sort, page
from agents_core.api.reply import reply
from agents_core.api.schemas.archives import aware
from agents_core.api.schemas.configs import llm_config
from agents_core.api.schemas.differences import ComparedTo, StepDifference
from agents_core.api.schemas.runs import Feedback, RunMessageCursor, StepFilter, StepMetrics, StepResponse
from agents_core.api.wire import view_of
from agents_core.errors import NotFound
from agents_core.models import Message, Step
from agents_core.record.differences import difference
from agents_core.record.steps import request_bytes, response_bytes

router = Router(tags=["steps"])


def get(step_id: str) -> Step:
    step = Step.objects.filter(pk=step_id).first()
    if step is None:
        raise NotFound(f"There is no step {step_id}.")
    return step


@router.get("/", response=list[StepResponse])
def list_steps(request: HttpRequest, query: Query[StepFilter]) -> HttpResponse:
    return reply([StepResponse.of(step) for step in page(_filtered(query), query, Sort("started_at", strict=True))])


def _filtered(query: StepFilter) -> "QuerySet[Step]":
    rows = Step.objects.all()
    for name in ("agent_id", "model", "feedback"):
        if (value := getattr(query, name)) is not None:
            rows = rows.filter(**{name: value})
    if query.has_feedback is not None:
        rows = rows.filter(feedback__isnull=not query.has_feedback)
    if query.tags:
        rows = rows.filter(tags__overlap=query.tags)
    if start := aware(query.start_date):
        rows = rows.filter(started_at__gte=start)
    if end := aware(query.end_date):
        rows = rows.filter(started_at__lte=end)
    return rows


@router.get("/{step_id}", response=StepResponse)
def retrieve_step(request: HttpRequest, step_id: StepId) -> HttpResponse:
    return reply(StepResponse.of(get(step_id)))


@router.get("/{step_id}/metrics", response=StepMetrics)
def retrieve_step_metrics(request: HttpRequest, step_id: StepId) -> HttpResponse:
    return reply(StepMetrics.of(get(step_id)))


@router.get("/{step_id}/diff", response=StepDifference)
def compare_steps(request: HttpRequest, step_id: StepId, query: Query[ComparedTo]) -> HttpResponse:
    """What changed from this step's request to that of ``to``, a step of the same agent, by its id or number; the other way round if
    that is the older one: always in the order of time."""
    step = get(step_id)
    steps = Step.objects.filter(agent=step.agent_id)
    other = steps.filter(number=query.to) if isinstance(query.to, int) else steps.filter(pk=query.to)
    if (to := other.first()) is None:
        raise NotFound(f"The agent of this step has no step {query.to}.")
    older, newer = sorted((step, to), key=lambda each: each.number)
    if (silent := next((each for each in (older, newer) if each.request_digest is None), None)) is not None:
        raise NotFound(f"Step {silent.number} sent no request to compare with.")
    return reply(StepDifference.of(older, newer, difference(older, newer)))


@router.get("/{step_id}/messages")
def list_step_messages(request: HttpRequest, step_id: StepId, query: Query[RunMessageCursor]) -> HttpResponse:
    step = get(step_id)
    rows = paged(Message.objects.filter(step=step_id), query)
    view = view_of(history.agent_kinds([step.agent_id])[step.agent_id])
    return reply(in_order(rows, view, query.order))


@router.get("/{step_id}/trace")
def retrieve_step_trace(request: HttpRequest, step_id: StepId) -> HttpResponse:
    step = Step.objects.select_related("response").filter(pk=step_id).first()
    if step is None:
        raise NotFound(f"There is no step {step_id}.")
    if step.request_digest is None:
        return reply(None)
    return reply(
        {
            "id": f"provider_trace-{step_id.removeprefix('step-')}",
            "request_json": _json(request_bytes(step)),
            "response_json": _json(response_bytes(step)),
            "step_id": step_id,
            "run_id": step.run_id,
            "agent_id": step.agent_id,
            "agent_tags": step.tags,
            "call_type": "agent_step" if step.kind == "agent" else "summarization",
            "llm_config": llm_config(step.handle, step.context_window),
            "latency_ms": None if step.model_ms is None else round(step.model_ms),
            "created_at": step.started_at,
        }
    )


def _json(body: bytes) -> Any:
    """The body as JSON; what is none, such as a streamed answer, as its text."""
    try:
        return json.loads(body)
    except ValueError:
        return {"text": body.decode(errors="replace")}


@router.patch("/{step_id}/feedback", response=StepResponse)
def modify_feedback(request: HttpRequest, step_id: StepId, body: Feedback) -> HttpResponse:
    step = get(step_id)
    step.feedback = body.feedback
    if body.tags is not None:
        step.tags = body.tags
    step.save(update_fields=["feedback", "tags"])
    return reply(StepResponse.of(step))
