"""MCP servers and their tools: by id, and under the older addresses by name."""

from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse
from ninja import Router

from agents_core.actions import mcp, mcp_tools
from agents_core.actions.mcp import Look
from agents_core.actions.mcp_tools import Changes
from agents_core.api.ids import AgentId
from agents_core.api.reply import reply
from agents_core.api.schemas.mcp_servers import (
    McpServerCreate,
    McpServerUpdate,
    McpToolRun,
    OldServer,
    settings_from,
    shown,
    shown_old,
)
from agents_core.api.schemas.tools import ToolExecutionResult, ToolResponse
from agents_core.errors import NotFound
from agents_core.models import McpServer, McpTool, Tool

router = Router(tags=["mcp servers"])
by_name = Router(tags=["mcp servers"])


@router.get("/")
def list_servers(request: HttpRequest) -> HttpResponse:
    return reply([shown(server) for server in McpServer.objects.order_by("created_at", "id")])


@router.post("/")
async def create_server(request: HttpRequest, body: McpServerCreate) -> HttpResponse:
    """Its tools are listed at once; a server that does not answer yet is kept all the same."""
    server = await sync_to_async(mcp.create)(body.server_name, settings_from(body.config))
    await mcp_tools.refresh(server.id)
    return reply(shown(server))


@router.get("/{server_id}")
def retrieve_server(request: HttpRequest, server_id: str) -> HttpResponse:
    return reply(shown(mcp.get(server_id)))


@router.patch("/{server_id}")
def modify_server(request: HttpRequest, server_id: str, body: McpServerUpdate) -> HttpResponse:
    settings = settings_from(body.config, mcp.get(server_id))
    return reply(shown(mcp.modify(server_id, name=body.server_name, settings=settings)))


@router.delete("/{server_id}")
def delete_server(request: HttpRequest, server_id: str) -> HttpResponse:
    mcp.delete(server_id)
    return HttpResponse(status=204)


@router.patch("/{server_id}/refresh")
async def refresh_server(request: HttpRequest, server_id: str, agent_id: AgentId | None = None) -> HttpResponse:
    return _refreshed(*await mcp_tools.refresh(server_id, agent_id))


def _refreshed(seen: Look, changes: Changes) -> HttpResponse:
    """What changed, as names. A server that cannot be asked answers 404 (contract: wire, section 18)."""
    if seen.problem is not None:
        detail = {"code": seen.problem.code, "message": seen.problem.message}
        return reply({"detail": detail}, 404, **{"x-should-retry": "false"})
    return reply({"deleted": changes.deleted, "updated": changes.updated, "added": changes.added})


@router.get("/{server_id}/tools", response=list[ToolResponse])
def list_server_tools(request: HttpRequest, server_id: str) -> HttpResponse:
    mcp.get(server_id)
    return reply([ToolResponse.of(tool) for tool in Tool.objects.filter(mcp__server=server_id).order_by("name")])


@router.get("/{server_id}/tools/{tool_id}", response=ToolResponse)
def retrieve_server_tool(request: HttpRequest, server_id: str, tool_id: str) -> HttpResponse:
    return reply(ToolResponse.of(mcp_tools.of_server(server_id, tool_id).tool))


@router.post("/{server_id}/tools/{tool_id}/run", response=ToolExecutionResult)
async def run_server_tool(
    request: HttpRequest, server_id: str, tool_id: str, body: McpToolRun | None = None
) -> HttpResponse:
    row = await sync_to_async(mcp_tools.of_server)(server_id, tool_id)
    return await _ran(row, body)


async def _ran(row: McpTool, body: McpToolRun | None) -> HttpResponse:
    result = await mcp_tools.run(row, body.args if body else {})
    failed = result.status == "error"
    return reply(
        ToolExecutionResult(
            status="error" if failed else "success",
            func_return=result.text,
            stderr=[result.text] if failed else [],
            stdout=[],
        )
    )


# --- by name ------------------------------------------------------------------------------------------------------


def _all_old() -> list[dict[str, Any]]:
    return [shown_old(server) for server in McpServer.objects.order_by("created_at", "id")]


@by_name.get("/")
def list_named(request: HttpRequest) -> HttpResponse:
    return reply({server["server_name"]: server for server in _all_old()})


@by_name.put("/")
async def add_named(request: HttpRequest, body: OldServer) -> HttpResponse:
    server = await sync_to_async(mcp.create)(body.server_name or "", body.settings())
    await mcp_tools.refresh(server.id)
    return reply(await sync_to_async(_all_old)())


@by_name.post("/test")
async def test_server(request: HttpRequest, body: OldServer) -> HttpResponse:
    """Connects once and stores nothing. Raises what went wrong."""
    draft = await sync_to_async(mcp.drafted)(body.server_name or "test", body.settings())
    seen = await mcp.look(draft)
    if seen.found is None:
        raise seen.problem or NotFound("The server was not found.")
    return reply({"status": "success", "tools": [_listed(each) for each in seen.found.tools]})


def _listed(tool: Any) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "inputSchema": tool.input_schema}


@by_name.patch("/{name}")
def modify_named(request: HttpRequest, name: str, body: OldServer) -> HttpResponse:
    server = mcp.named(name)
    return reply(shown_old(mcp.modify(server.id, name=body.server_name, settings=body.settings(server))))


@by_name.delete("/{name}")
def delete_named(request: HttpRequest, name: str) -> HttpResponse:
    mcp.delete(mcp.named(name).id)
    return reply(_all_old())


@by_name.get("/{name}/tools")
async def list_named_tools(request: HttpRequest, name: str) -> HttpResponse:
    """What the server lists now, under the names it gives."""
    seen = await mcp.look(await sync_to_async(mcp.named)(name))
    if seen.found is None:
        raise seen.problem or NotFound(f"There is no MCP server named {name!r}.")
    return reply([_listed(each) for each in seen.found.tools])


@by_name.post("/{name}/resync")
async def resync_named(request: HttpRequest, name: str, agent_id: AgentId | None = None) -> HttpResponse:
    server = await sync_to_async(mcp.named)(name)
    return _refreshed(*await mcp_tools.refresh(server.id, agent_id))


@by_name.post("/{name}/tools/{tool_name}/execute", response=ToolExecutionResult)
async def run_named(request: HttpRequest, name: str, tool_name: str, body: McpToolRun | None = None) -> HttpResponse:
    return await _ran(await sync_to_async(_named_tool)(name, tool_name), body)


@by_name.post("/{name}/{tool_name}", response=ToolResponse)
async def add_named_tool(request: HttpRequest, name: str, tool_name: str) -> HttpResponse:
    """The stored tool. Those of a server are all kept; one that is not known yet is asked for."""
    server = await sync_to_async(mcp.named)(name)
    if not await McpTool.objects.filter(server=server, remote_name=tool_name).aexists():
        await mcp_tools.refresh(server.id)
    return reply(ToolResponse.of((await sync_to_async(_named_tool)(name, tool_name)).tool))


def _named_tool(name: str, tool_name: str) -> McpTool:
    row = McpTool.objects.filter(server=mcp.named(name), remote_name=tool_name).select_related("tool", "server").first()
    if row is None:
        raise NotFound(f"The MCP server {name!r} has no tool {tool_name!r}.")
    return row
