"""Breakpoints of an agent and of all agents, and the runs that stand at them."""

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from agents_core.actions import agents, breakpoints, pauses
from agents_core.api.ids import AgentId
from agents_core.api.paging import page
from agents_core.api.reply import reply
from agents_core.api.schemas.debugger import (
    BreakpointBody,
    BreakpointChange,
    BreakpointResponse,
    EditBody,
    InterventionResponse,
    PauseFilter,
    PauseResponse,
    ResumeBody,
)
from agents_core.errors import NotFound
from agents_core.models import Breakpoint, Pause

agent_router = Router(tags=["debugger"])
router = Router(tags=["debugger"])


@agent_router.get("/{agent_id}/breakpoints", response=list[BreakpointResponse])
def list_agent_breakpoints(request: HttpRequest, agent_id: AgentId) -> HttpResponse:
    """Those that may stop its runs: its own, and those of all agents."""
    agents.get(agent_id)
    return reply([BreakpointResponse.of(row) for row in breakpoints.of_agent(agent_id)])


@agent_router.post("/{agent_id}/breakpoints", response=BreakpointResponse)
def create_agent_breakpoint(request: HttpRequest, agent_id: AgentId, body: BreakpointBody) -> HttpResponse:
    return reply(BreakpointResponse.of(breakpoints.create(agent_id, **body.model_dump())))


@router.get("/", response=list[BreakpointResponse])
def list_breakpoints(request: HttpRequest) -> HttpResponse:
    """Those of all agents."""
    return reply([BreakpointResponse.of(row) for row in Breakpoint.objects.filter(agent=None)])


@router.post("/", response=BreakpointResponse)
def create_breakpoint(request: HttpRequest, body: BreakpointBody) -> HttpResponse:
    return reply(BreakpointResponse.of(breakpoints.create(None, **body.model_dump())))


@router.patch("/{breakpoint_id}", response=BreakpointResponse)
def modify_breakpoint(request: HttpRequest, breakpoint_id: str, body: BreakpointChange) -> HttpResponse:
    changes = body.model_dump(exclude_unset=True)
    return reply(BreakpointResponse.of(breakpoints.modify(breakpoint_id, changes)))


@router.delete("/{breakpoint_id}")
def delete_breakpoint(request: HttpRequest, breakpoint_id: str) -> HttpResponse:
    breakpoints.delete(breakpoint_id)
    return reply(None)


@agent_router.get("/{agent_id}/pauses", response=list[PauseResponse])
def list_pauses(request: HttpRequest, agent_id: AgentId, query: Query[PauseFilter]) -> HttpResponse:
    """Where its runs stood; the newest first."""
    agents.get(agent_id)
    rows = Pause.objects.filter(agent=agent_id).prefetch_related("interventions")
    if query.standing:
        rows = rows.filter(resolved_at=None)
    return reply([PauseResponse.of(row) for row in page(rows, query)])


@agent_router.post("/{agent_id}/pause")
def pause_agent(request: HttpRequest, agent_id: AgentId) -> HttpResponse:
    """Lets its active runs stop where they next can."""
    return reply({"run_ids": pauses.pause_soon(agent_id)})


@agent_router.post("/{agent_id}/pauses/{pause_id}/resume", response=PauseResponse)
def resume_run(request: HttpRequest, agent_id: AgentId, pause_id: str, body: ResumeBody | None = None) -> HttpResponse:
    body = body or ResumeBody()
    pauses.resume(_of_agent(agent_id, pause_id), body.how, body.until)
    return reply(PauseResponse.of(pauses.get(pause_id)))


@agent_router.post("/{agent_id}/pauses/{pause_id}/edits", response=InterventionResponse)
def edit_paused_run(request: HttpRequest, agent_id: AgentId, pause_id: str, body: EditBody) -> HttpResponse:
    made = pauses.edit(_of_agent(agent_id, pause_id), body.kind, body.target, body.value, body.status)
    return reply(InterventionResponse.of(made))


def _of_agent(agent_id: str, pause_id: str) -> str:
    if pauses.get(pause_id).agent_id != agent_id:
        raise NotFound("Pause not found")
    return pause_id
