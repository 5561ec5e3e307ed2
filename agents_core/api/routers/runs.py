"""Runs: what became of each message that was sent."""

from asgiref.sync import sync_to_async
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from ninja import Query, Router

from agents_core.actions import history
from agents_core.actions.deletions import delete_run as delete_with_steps
from agents_core.actions.runs import get
from agents_core.api.listing import in_order, paged
from agents_core.api.paging import Sort, page
from agents_core.api.reply import reply
from agents_core.api.schemas.messages import ResumeRequest
from agents_core.api.schemas.runs import (
    RunFilter,
    RunMessageCursor,
    RunResponse,
    StepResponse,
    StepsOfRunCursor,
    usage,
)
from agents_core.api.sse import Stream, streaming
from agents_core.api.trace import spans
from agents_core.api.wire import view_of, view_of_request
from agents_core.errors import AgentsError, Refused
from agents_core.events.retention import RESUMABLE
from agents_core.models import ACTIVE, Message, Run, Step

router = Router(tags=["runs"])


class StreamGone(AgentsError):
    """A stream that can no longer be resumed where a client lost it."""

    code = "stream_gone"
    http_status = 410


@router.get("/", response=list[RunResponse])
def list_runs(request: HttpRequest, query: Query[RunFilter]) -> HttpResponse:
    if query.ascending is not None:
        query.order = "asc" if query.ascending else "desc"
    return reply([RunResponse.of(run) for run in page(_filtered(query), query)])


def _filtered(query: RunFilter) -> "QuerySet[Run]":
    rows = Run.objects.all()
    agent_ids = [*([query.agent_id] if query.agent_id else []), *(query.agent_ids or [])]
    if agent_ids:
        rows = rows.filter(agent__in=agent_ids)
    if query.statuses:
        # To V1 clients a run that stands goes on.
        rows = rows.filter(status__in=[*query.statuses, *(["paused"] if "running" in query.statuses else [])])
    if query.active:
        rows = rows.filter(status__in=ACTIVE)
    for name in ("background", "stop_reason", "conversation_id"):
        if (value := getattr(query, name)) is not None:
            rows = rows.filter(**{name: value})
    return rows


@router.get("/active", response=list[RunResponse])
def list_active_runs(request: HttpRequest, query: Query[RunFilter]) -> HttpResponse:
    query.active = True
    return list_runs(request, query)


@router.get("/{run_id}", response=RunResponse)
def retrieve_run(request: HttpRequest, run_id: str) -> HttpResponse:
    return reply(RunResponse.of(get(run_id)))


@router.delete("/{run_id}", response=RunResponse)
def delete_run(request: HttpRequest, run_id: str) -> HttpResponse:
    run = get(run_id)
    shown = RunResponse.of(run)
    delete_with_steps(run_id)
    return reply(shown)


@router.get("/{run_id}/messages")
def list_run_messages(request: HttpRequest, run_id: str, query: Query[RunMessageCursor]) -> HttpResponse:
    run = get(run_id)
    rows = paged(Message.objects.filter(run=run_id), query)
    view = view_of(history.agent_kinds([run.agent_id])[run.agent_id])
    return reply(in_order(rows, view, query.order))


@router.get("/{run_id}/steps", response=list[StepResponse])
def list_run_steps(request: HttpRequest, run_id: str, query: Query[StepsOfRunCursor]) -> HttpResponse:
    get(run_id)
    rows = Step.objects.filter(run=run_id)
    return reply([StepResponse.of(step) for step in page(rows, query, Sort("started_at"))])


@router.get("/{run_id}/usage")
def retrieve_run_usage(request: HttpRequest, run_id: str) -> HttpResponse:
    get(run_id)
    return reply(usage(history.run_usage(run_id)))


@router.get("/{run_id}/metrics")
def retrieve_run_metrics(request: HttpRequest, run_id: str) -> HttpResponse:
    run = get(run_id)
    shown = RunResponse.of(run)
    return reply(
        {
            "id": run.id,
            "agent_id": run.agent_id,
            "run_start_ns": round(run.created_at.timestamp() * 1e9),
            "run_ns": shown.total_duration_ns,
            "num_steps": Step.objects.filter(run=run_id).count(),
            "tools_used": history.tools_used(run_id),
            "base_template_id": None,
            "template_id": None,
            "project_id": None,
        }
    )


@router.get("/{run_id}/trace")
def retrieve_run_trace(request: HttpRequest, run_id: str, limit: int = 1000) -> HttpResponse:
    return reply(spans(get(run_id), limit))


@router.post("/{run_id}/stream")
async def stream_run(request: HttpRequest, run_id: str, body: ResumeRequest | None = None) -> HttpResponseBase:
    return await resumed(run_id, body or ResumeRequest())


async def resumed(run_id: str, body: ResumeRequest) -> HttpResponseBase:
    """The frames of a background run after the last that was seen, shown as they were asked for.

    Raises ``NotFound``; ``Refused`` for a run in the foreground; ``StreamGone`` in the middle of one that ended too long ago.
    """
    run = await sync_to_async(get)(run_id)
    if not run.background:
        raise Refused("Only runs in the background can be streamed again.")
    if body.starting_after and run.completed_at and run.completed_at < timezone.now() - RESUMABLE:
        raise StreamGone(
            "The pieces of this stream are no longer kept: stream it from its beginning, or list its messages."
        )
    view = view_of_request(await history.agent_kind(run.agent_id), run.request)
    return streaming(
        Stream(
            run.agent_id,
            run.id,
            run.first_seq,
            view,
            tokens=bool(run.request.get("stream_tokens")),
            pings=body.include_pings,
            numbered=True,
            starting_after=body.starting_after,
        )
    )
