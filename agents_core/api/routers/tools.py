"""Tools, and the tools of an agent."""

from datetime import UTC, datetime
from typing import Any

from asgiref.sync import sync_to_async
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from agents_core.actions import agents, tools
from agents_core.actions.agent_tool_runs import run_of_agent, told_of_agent
from agents_core.api.agent_states import EVERYTHING, state
from agents_core.api.ids import AgentId, ToolId
from agents_core.api.paging import page
from agents_core.api.reply import reply
from agents_core.api.schemas.agents import AgentState
from agents_core.api.schemas.tools import (
    AgentToolCursor,
    AgentToolRun,
    ApprovalFlag,
    ToolCreate,
    ToolExecutionResult,
    ToolFilter,
    ToolResponse,
    ToolRun,
    ToolSearch,
    ToolUpdate,
)
from agents_core.api.wire import wire_time
from agents_core.errors import InvalidInput
from agents_core.models import Tool
from agents_core.sandbox.base import SandboxOutcome
from agents_core.tools.execute import result_of

router = Router(tags=["tools"])
agent_router = Router(tags=["tools"])


@router.get("/", response=list[ToolResponse])
def list_tools(request: HttpRequest, query: Query[ToolFilter]) -> HttpResponse:
    return reply([ToolResponse.of(tool) for tool in page(_filtered(query), query)])


def _filtered(query: ToolFilter) -> "QuerySet[Tool]":
    rows = Tool.objects.all()
    if query.name is not None:
        rows = rows.filter(name=query.name)
    if query.names:
        rows = rows.filter(name__in=query.names)
    if query.tool_ids:
        rows = rows.filter(pk__in=_split(query.tool_ids))
    if query.search:
        rows = rows.filter(Q(name__icontains=query.search) | Q(description__icontains=query.search))
    if query.tool_types:
        rows = rows.filter(tool_type__in=_split(query.tool_types))
    if query.exclude_tool_types:
        rows = rows.exclude(tool_type__in=_split(query.exclude_tool_types))
    if query.return_only_letta_tools:
        rows = rows.filter(tool_type__startswith="letta_")
    return rows


def _split(values: list[str]) -> list[str]:
    """Some clients join the values of a list with commas."""
    return [part for value in values for part in value.split(",") if part]


@router.post("/", response=ToolResponse)
def create_tool(request: HttpRequest, body: ToolCreate) -> HttpResponse:
    return reply(ToolResponse.of(tools.upsert(body.stored())))


@router.put("/", response=ToolResponse)
def upsert_tool(request: HttpRequest, body: ToolCreate) -> HttpResponse:
    return reply(ToolResponse.of(tools.upsert(body.stored())))


@router.get("/count", response=int)
def count_tools(request: HttpRequest) -> HttpResponse:
    return reply(Tool.objects.count())


@router.post("/search")
def search_tools(request: HttpRequest, body: ToolSearch) -> HttpResponse:
    rows = Tool.objects.all()
    if body.query:
        rows = rows.filter(Q(name__icontains=body.query) | Q(description__icontains=body.query))
    if body.tool_types:
        rows = rows.filter(tool_type__in=body.tool_types)
    if body.tags:
        rows = rows.filter(tags__overlap=body.tags)
    found = rows.order_by("name")[: body.limit]
    return reply([_search_result(tool, rank) for rank, tool in enumerate(found, start=1)])


def _search_result(tool: Tool, rank: int) -> dict[str, Any]:
    text = f"{tool.name} {tool.description or ''}"
    return {
        "tool": ToolResponse.of(tool),
        "embedded_text": text,
        "fts_rank": rank,
        "vector_rank": None,
        "combined_score": 1 / rank,
    }


@router.post("/run")
async def run_tool(request: HttpRequest, body: ToolRun) -> HttpResponse:
    fields = body.model_dump(exclude={"args", "env_vars", "agent_id"})
    given = {name: value for name, value in fields.items() if value is not None}
    agent = await sync_to_async(told_of_agent)(body.agent_id) if body.agent_id else None
    outcome = await tools.run_once(given, body.args, body.env_vars or {}, agent=agent)
    return reply(_tool_return(outcome, body.name or "tool"))


def _tool_return(outcome: SandboxOutcome, name: str) -> dict[str, Any]:
    """A ToolReturnMessage that belongs to no message."""
    result = result_of(name, outcome, 1_000_000)
    shown = {
        "tool_return": result.text,
        "status": result.status,
        "tool_call_id": "null",
        "stdout": result.stdout.splitlines(),
        "stderr": result.stderr.splitlines(),
    }
    return {
        "id": "null",
        "date": wire_time(datetime.now(UTC)),
        "name": name,
        "message_type": "tool_return_message",
        "otid": None,
        "sender_id": None,
        "step_id": None,
        "is_err": result.status == "error" or None,
        "seq_id": None,
        "run_id": None,
        **shown,
        "tool_returns": [{"type": "tool", **shown}],
    }


@router.get("/{tool_id}", response=ToolResponse)
def retrieve_tool(request: HttpRequest, tool_id: ToolId) -> HttpResponse:
    return reply(ToolResponse.of(tools.get(tool_id)))


@router.patch("/{tool_id}", response=ToolResponse)
def modify_tool(request: HttpRequest, tool_id: ToolId, body: ToolUpdate) -> HttpResponse:
    return reply(ToolResponse.of(tools.modify(tool_id, body.stored())))


@router.delete("/{tool_id}")
def delete_tool(request: HttpRequest, tool_id: ToolId) -> HttpResponse:
    tools.delete(tool_id)
    return reply(None)


# --- tools of an agent --------------------------------------------------------------------------------------------


@agent_router.get("/{agent_id}/tools", response=list[ToolResponse])
def list_agent_tools(request: HttpRequest, agent_id: AgentId, query: Query[AgentToolCursor]) -> HttpResponse:
    agents.get(agent_id)
    held = Tool.objects.filter(agent_links__agent=agent_id)
    return reply([ToolResponse.of(tool) for tool in page(held, query)])


@agent_router.patch("/{agent_id}/tools/attach/{tool_id}", response=AgentState)
def attach_tool(request: HttpRequest, agent_id: AgentId, tool_id: ToolId) -> HttpResponse:
    tools.attach(agent_id, tool_id)
    return reply(state(agents.get(agent_id), EVERYTHING))


@agent_router.patch("/{agent_id}/tools/detach/{tool_id}", response=AgentState)
def detach_tool(request: HttpRequest, agent_id: AgentId, tool_id: ToolId) -> HttpResponse:
    tools.detach(agent_id, tool_id)
    return reply(state(agents.get(agent_id), EVERYTHING))


@agent_router.patch("/{agent_id}/tools/approval/{tool_name}", response=AgentState)
def modify_approval(
    request: HttpRequest,
    agent_id: AgentId,
    tool_name: str,
    requires_approval: bool | None = None,
    body: ApprovalFlag | None = None,
) -> HttpResponse:
    required = body.requires_approval if body else requires_approval
    if required is None:
        raise InvalidInput("Say whether approval is required: requires_approval is missing.")
    tools.set_approval(agent_id, tool_name, required)
    return reply(state(agents.get(agent_id), EVERYTHING))


@agent_router.post("/{agent_id}/tools/{tool_name}/run", response=ToolExecutionResult)
async def run_agent_tool(
    request: HttpRequest, agent_id: AgentId, tool_name: str, body: AgentToolRun | None = None
) -> HttpResponse:
    outcome = await run_of_agent(agent_id, tool_name, body.args if body else {})
    failed = outcome.status != "ok"
    errors = (
        [line for line in (outcome.stderr, outcome.traceback or outcome.error) if line] if failed else [outcome.stderr]
    )
    return reply(
        ToolExecutionResult(
            status="error" if failed else "success",
            func_return=outcome.value,
            stdout=outcome.stdout.splitlines(),
            stderr=[line for text in errors for line in text.splitlines()],
        )
    )
