"""Tools in a branch that lives a recorded tail again: what would reach outside is answered from the record, or refused.

What a call does to memory is the branch's own business; a message sent twice, or a ticket booked twice, is everybody's.
"""

from collections.abc import Mapping
from typing import Any

from agents_core.models import ToolType, pipeline
from agents_core.models.pipeline import Statement, json
from agents_core.runtime.state import CLIENT_TOOL, ToolFacts, Turn
from agents_core.tools import rules
from agents_core.tools.base import ToolResult

_OUTSIDE = (ToolType.MCP, ToolType.MULTI_AGENT, CLIENT_TOOL)
_IN_SANDBOX = "run_code"
_REFUSED = (
    "{} reaches outside, and this is a branch that is only compared: it was not called with these arguments when the tail was "
    "recorded, so it is not called now."
)
_RECORDED = """
SELECT tool_call.result, tool_call.status, stdout, stderr,
    (SELECT count(*) FROM tool_call AS earlier JOIN step ON step.id = earlier.step_id WHERE step.agent_id = %s AND step.number >= %s
        AND earlier.name = tool_call.name AND earlier.arguments = tool_call.arguments AND earlier.status IN ('ok', 'error'))
FROM tool_call JOIN step ON step.id = step_id
WHERE step.agent_id = %s AND step.number >= %s AND name = %s AND arguments = %s AND tool_call.status IN ('ok', 'error')
ORDER BY step.number, position
"""
_HOSTS = "SELECT cardinality(hosts) > 0 FROM tool WHERE id = %s"


async def replayed(turn: Turn, tool: ToolFacts, arguments: Mapping[str, Any]) -> ToolResult | None:
    """What a call that may not be made for real gives in a compared branch; None for one that may, and for every call elsewhere.

    Of several equal calls that were recorded, the results are given in their order, the last one again and again.
    """
    if not turn.is_compared or not await _reaches_outside(turn, tool):
        return None
    parent, since = turn.request["compared"]["agent_id"], turn.request["compared"]["from_step"]
    asked = Statement(_RECORDED, (turn.agent.id, since, parent, since, tool.name, json(arguments)))
    rows = (await pipeline.run([asked]))[0]
    if not rows:
        return ToolResult("error", _REFUSED.format(tool.name))
    text, status, stdout, stderr, _ = rows[min(rows[0][-1], len(rows) - 1)]
    return ToolResult("success" if status == "ok" else "error", text or "", stdout, stderr)


async def _reaches_outside(turn: Turn, tool: ToolFacts) -> bool:
    """Whether others see what it does: another agent, a server, the caller, whoever has to approve it, or a host on the network."""
    if tool.tool_type in _OUTSIDE or rules.needs_approval(turn.agent.tool_rules, tool.name):
        return True
    if tool.tool_type == ToolType.BUILTIN:
        return tool.name != _IN_SANDBOX
    rows = (await pipeline.run([Statement(_HOSTS, (tool.id,))]))[0]
    return bool(rows and rows[0][0])
