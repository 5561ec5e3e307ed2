"""Calling a tool of an MCP server for an agent: whatever goes wrong with the server is a result too, in bounded time."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from agents_core.errors import AgentsError, NotFound
from agents_core.models import McpServer, Tool, pipeline
from agents_core.models.pipeline import Statement, storable
from agents_core.tools.base import ToolResult
from agents_core.tools.execute import cut_text, error_text
from agents_core.tools.mcp.connection import connected, connections
from agents_core.tools.mcp.content import text_of
from agents_core.tools.mcp.target import target_of

if TYPE_CHECKING:
    from mcp.types import CallToolResult

logger = logging.getLogger(__name__)

_COLUMNS = ("id", "name", "kind", "command", "args", "url", "sealed_secrets", "sealed_sign_in", "call_timeout_s")
_FIND = f"""
SELECT remote_name, {", ".join(f"mcp_server.{column}" for column in _COLUMNS)}
FROM mcp_tool JOIN mcp_server ON mcp_server.id = server_id WHERE tool_id = %s
"""


async def run_remote(
    tool_id: str, name: str, arguments: Mapping[str, Any], variables: Mapping[str, str], return_char_limit: int
) -> ToolResult:
    """Calls the tool on its server, over a connection that this event loop keeps."""

    async def call() -> "CallToolResult":
        remote_name, server = await _server_of(tool_id)
        return await connections().call(target_of(server, variables), remote_name, arguments)

    return await _result_of(name, call, return_char_limit)


async def run_once(
    server: McpServer,
    tool: Tool,
    remote_name: str,
    arguments: Mapping[str, Any],
    variables: Mapping[str, str],
) -> ToolResult:
    """As ``run_remote``, over a connection that is closed after it."""

    async def call() -> "CallToolResult":
        target = target_of(server, variables)
        async with connected(target) as connection:
            return await connection.asked(
                lambda client: client.call_tool(remote_name, dict(arguments)), float(target.call_timeout_s)
            )

    return await _result_of(tool.name, call, tool.return_char_limit)


async def _result_of(name: str, call: "Callable[[], Awaitable[CallToolResult]]", return_char_limit: int) -> ToolResult:
    started = time.perf_counter()
    try:
        result = await call()
        text = cut_text(text_of(result), return_char_limit)
        status = "error" if result.is_error else "success"
    except AgentsError as error:
        status, text = "error", error_text(name, type(error).__name__, error.message)
    except Exception as error:  # the border of a tool call: what a foreign server makes of an SDK ends here
        logger.exception("The MCP tool %s failed", name)
        status, text = "error", error_text(name, type(error).__name__, str(error))
    return ToolResult(status, storable(text), duration_ms=(time.perf_counter() - started) * 1000)


async def _server_of(tool_id: str) -> tuple[str, McpServer]:
    [rows] = await pipeline.run([Statement(_FIND, (tool_id,))])
    if not rows:
        raise NotFound("The MCP server of this tool was removed.")
    remote_name, *values = rows[0]
    return remote_name, McpServer(**dict(zip(_COLUMNS, values, strict=True)))
