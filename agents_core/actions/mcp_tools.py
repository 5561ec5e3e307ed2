"""The tools of MCP servers: kept as the servers list them, and tried."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from asgiref.sync import sync_to_async
from django.db import IntegrityError, transaction

from agents_core.actions.mcp import Look, get, locked, look, marks_of, variables_of
from agents_core.actions.tools import attach, detach, tell_holders
from agents_core.errors import NotFound
from agents_core.models import AgentTool, McpServer, McpTool, Tool, ToolType
from agents_core.models.pipeline import storable
from agents_core.tools.base import BUILTIN_TOOLS, ToolResult
from agents_core.tools.mcp.listing import Listing, RemoteTool
from agents_core.tools.mcp.run import run_once
from agents_core.tools.mcp.schema import SchemaUnusable, described, free_name, usable

_NAMING_TRIES = 5


@dataclass(slots=True)
class Changes:
    """What a refresh changed: names of tools, as agents call them. ``skipped``: name on the server to why agents cannot have it."""

    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)


async def refresh(server_id: str, agent_id: str | None = None) -> tuple[Look, Changes]:
    """Asks the server what it has and makes the stored tools the same; a server that cannot be asked keeps those it had.

    Raises ``NotFound``. What went wrong with the server is in the look.
    """
    seen = await look(await get_async(server_id), agent_id)
    return seen, await sync_to_async(store)(server_id, seen)


async def get_async(server_id: str) -> McpServer:
    """Raises ``NotFound``."""
    server = await McpServer.objects.filter(pk=server_id).afirst()
    if server is None:
        raise NotFound(f"There is no MCP server {server_id}.")
    return server


async def follow(server_id: str, found: Listing, took_ms: float) -> None:
    """Keeps what a server lists that has said that its tools are others now. Nothing happens when it was removed meanwhile."""
    with suppress(NotFound):
        await sync_to_async(store)(server_id, Look(found, None, took_ms), unasked=True)


def store(server_id: str, seen: Look, *, unasked: bool = False) -> Changes:
    """Keeps what was seen of the server, and its tools; ``unasked``: because the server said so. Raises ``NotFound``."""
    with transaction.atomic():
        server = locked(server_id)
        changes = _reconciled(server, seen.found.tools) if seen.found else Changes()
        told = {"changes": asdict(changes), "unasked": unasked} if seen.found else {}
        before = server.last_check or {}
        # What was there before stays in sight while the server is away.
        kept = {} if seen.found else {n: before[n] for n in ("tools", "resources", "prompts") if n in before}
        server.last_check = storable({**kept, **seen.stored(), **told})
        server.save(update_fields=["last_check"])
    return changes


def _reconciled(server: McpServer, remote: list[RemoteTool]) -> Changes:
    changes = Changes()
    known = {row.remote_name: row.tool for row in McpTool.objects.filter(server=server).select_related("tool")}
    listed: set[str] = set()
    touched: list[str] = []
    # In one order: two servers that take the same names at once wait for each other, and not both ways.
    for each in sorted(remote, key=lambda tool: tool.name):
        if each.name in listed:
            changes.skipped.setdefault(each.name, "the server lists it twice; the first one counts.")
            continue
        listed.add(each.name)
        try:
            touched += _kept(server, each, known.get(each.name), changes)
        except SchemaUnusable as error:
            changes.skipped[each.name] = error.message
            listed.discard(each.name)
    gone = [tool for name, tool in known.items() if name not in listed]
    changes.deleted = sorted(tool.name for tool in gone)
    tell_holders([*touched, *(tool.id for tool in gone)])
    Tool.objects.filter(pk__in=[tool.id for tool in gone]).delete()
    return changes


def _kept(server: McpServer, remote: RemoteTool, tool: Tool | None, changes: Changes) -> list[str]:
    """Writes one tool; gives its id if agents may hold it and it has changed. Raises ``SchemaUnusable``."""
    parameters = storable(usable(remote.input_schema))
    description = storable(described(remote.description))
    if tool is None:
        changes.added.append(_added(server, remote.name, description, parameters).name)
        return []
    schema = {"name": tool.name, "description": description, "parameters": parameters}
    if tool.json_schema == schema:
        return []
    tool.description, tool.json_schema = description, schema
    tool.save(update_fields=["description", "json_schema"])
    changes.updated.append(tool.name)
    return [tool.id]


def _added(server: McpServer, remote_name: str, description: str, parameters: dict[str, Any]) -> Tool:
    for attempt in range(_NAMING_TRIES):
        taken = {*Tool.objects.values_list("name", flat=True), *BUILTIN_TOOLS}
        name = free_name(remote_name, server.name, taken)
        try:
            with transaction.atomic():
                tool = Tool.objects.create(
                    name=name,
                    tool_type=ToolType.MCP,
                    source_type="json",
                    description=description,
                    json_schema={"name": name, "description": description, "parameters": parameters},
                    **marks_of(server),
                )
                McpTool.objects.create(tool=tool, server=server, remote_name=remote_name)
                return tool
        except IntegrityError:  # somebody else has just taken the name
            if attempt == _NAMING_TRIES - 1:
                raise
    raise AssertionError("unreachable")


def of_server(server_id: str, tool_id: str) -> McpTool:
    """A tool of the server. Raises ``NotFound``, also for another server's."""
    found = McpTool.objects.filter(server=server_id, tool=tool_id).select_related("tool", "server").first()
    if found is None:
        raise NotFound(f"The MCP server {server_id} has no tool {tool_id}.")
    return found


async def run(row: McpTool, arguments: Mapping[str, Any], agent_id: str | None = None) -> ToolResult:
    """What the tool gives, with the agent's secrets if one is named; whatever goes wrong is a result too."""
    return await run_once(row.server, row.tool, row.remote_name, arguments, await variables_of(agent_id))


def attach_all(agent_id: str, server_id: str) -> None:
    """Gives the agent every tool of the server. Raises ``NotFound``."""
    with transaction.atomic():
        for tool_id in _ids(server_id):
            attach(agent_id, tool_id)


def detach_all(agent_id: str, server_id: str) -> None:
    """Takes every tool of the server from the agent. Raises ``NotFound``."""
    with transaction.atomic():
        held = AgentTool.objects.filter(agent=agent_id, tool__in=_ids(server_id))
        for tool_id in list(held.values_list("tool_id", flat=True)):
            detach(agent_id, tool_id)


def _ids(server_id: str) -> list[str]:
    get(server_id)
    return list(McpTool.objects.filter(server=server_id).order_by("remote_name").values_list("tool_id", flat=True))
