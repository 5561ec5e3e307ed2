"""What the page of a tool shows besides its source: the other tools, the agents that hold it, their calls."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ade.fragments import Fragment
from agents_core.actions.tool_cases import same_json
from agents_core.errors import NotFound
from agents_core.models import Agent, AgentTool, Tool, ToolCall, ToolCase, ToolType
from agents_core.tools.execute import own_arguments

PAGE = 100
_SHOWN_CALLS = 50
_SHOWN_AGENTS = 30
_NAMED_AGENTS = 5
_COUNTED = 1000
_LIVE = "ade/partials/_tool_"

LIVE_PANEL = "tool-calls"
ARRIVES = f"{LIVE_PANEL} 0"
"""The ``X-Panel`` of an answer that brings the calls: what the socket drew before may come after, so it draws them anew."""


def find_tool(ref: str) -> Tool:
    """By id or by name. Raises ``NotFound``."""
    tool = Tool.objects.filter(Q(id=ref) | Q(name=ref)).first()
    if tool is None:
        raise NotFound(_("There is no tool {ref!r}. All tools are listed at /tools.").format(ref=ref))
    return tool


def listed_tools(words: str = "") -> QuerySet[Tool]:
    """Tools whose name or description holds ``words``: people's own first, each with ``holders``, how many agents hold it."""
    found = Tool.objects.filter(Q(name__icontains=words) | Q(description__icontains=words)) if words else Tool.objects
    own = Count("id", filter=Q(tool_type=ToolType.CUSTOM))
    return found.annotate(own=own, holders=Count("agent_links")).order_by("-own", "name")


def tool_groups() -> list[tuple[str, list[Tool]]]:
    """The first hundred tools of each kind, by heading."""
    custom, mcp = Q(tool_type=ToolType.CUSTOM), Q(tool_type=ToolType.MCP)
    groups = ((_("My tools"), custom), ("MCP", mcp), (_("Built in"), ~custom & ~mcp))
    return [
        (heading, list(Tool.objects.filter(kind).only("id", "name", "tool_type").order_by("name")[:PAGE]))
        for heading, kind in groups
    ]


def offered_agents(tool_id: str, words: str = "") -> list[Agent]:
    """Agents that hold the tool, then those that could, each with ``held``; the first thirty."""
    held = Exists(AgentTool.objects.filter(agent=OuterRef("id"), tool=tool_id))
    return list(
        Agent.objects.filter(hidden=False, name__icontains=words)
        .annotate(held=held)
        .order_by("-held", "name", "id")[:_SHOWN_AGENTS]
    )


def holders(tool_id: str) -> QuerySet[Agent]:
    return Agent.objects.filter(tool_links__tool=tool_id).order_by("name", "id")


def holders_told(tool_id: str) -> str:
    """Who loses the tool when it is deleted, as a sentence."""
    names = list(holders(tool_id).values_list("name", flat=True)[:_COUNTED])
    if not names:
        return _("No agent holds it.")
    more = len(names) - _NAMED_AGENTS
    told = ", ".join(names[:_NAMED_AGENTS])
    if more > 0:
        return _("{names} and {more} more lose it.").format(names=told, more=more)
    return ngettext("{names} loses it.", "{names} lose it.", len(names)).format(names=told)


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call of the tool by an agent. ``case``: the tool's case with the same arguments."""

    call: ToolCall
    status: str
    state: str
    case: ToolCase | None

    @property
    def arguments(self) -> str:
        return json.dumps(own_arguments(self.call.arguments), ensure_ascii=False)


_STATES = {
    "awaiting": ("waiting", "waiting"),
    "held": ("waiting", "waiting"),
    "paused": ("paused", "paused"),
    "intended": ("running", "running"),
    "ok": ("ok", "completed"),
    "error": ("failed", "failed"),
    "interrupted": ("interrupted", "waiting"),
}


def call_rows(tool: Tool) -> list[CallRow]:
    """The newest fifty calls of the tool, by its name."""
    calls = (
        _calls(tool.name)
        .select_related("agent", "step")
        .only("id", "name", "arguments", "status", "duration_ms", "created_at", "agent__name", "step__number")
    )
    defaults = _defaults(tool)
    cases = list(tool.cases.only("id", "name", "arguments"))
    return [
        CallRow(call, _(_STATES[call.status][0]), _STATES[call.status][1], _case_of(call, cases, defaults))
        for call in calls[:_SHOWN_CALLS]
    ]


def _defaults(tool: Tool) -> dict[str, Any]:
    """What the tool takes for an argument that is left out, as far as its schema tells."""
    properties = tool.json_schema.get("parameters", {}).get("properties", {})
    return {name: one["default"] for name, one in properties.items() if isinstance(one, dict) and "default" in one}


def _case_of(call: ToolCall, cases: Iterable[ToolCase], defaults: dict[str, Any]) -> ToolCase | None:
    meant = {**defaults, **own_arguments(call.arguments)}
    return next((case for case in cases if same_json({**defaults, **case.arguments}, meant)), None)


def _calls(name: str) -> QuerySet[ToolCall]:
    return ToolCall.objects.filter(name=name).order_by("-created_at", "-id")


def find_call(name: str, call_id: str) -> ToolCall:
    """A call of the tool, or its newest. Raises ``NotFound``."""
    calls = _calls(name).filter(id=call_id) if call_id.isdigit() else _calls(name)
    call = calls.first()
    if call is None:
        raise NotFound(_("No agent has called {name} yet.").format(name=name))
    return call


def live_context(tool: Tool | None) -> dict[str, Any]:
    """What agents change while the page is open: their calls, and how many hold the tool."""
    if tool is None:
        return {"tool": None, "calls": [], "call_count": 0, "holder_count": 0}
    counted = len(_calls(tool.name).order_by().values_list("id", flat=True)[: _COUNTED + 1])
    return {
        "tool": tool,
        "calls": call_rows(tool),
        "call_count": f"{_COUNTED:,}+" if counted > _COUNTED else counted,
        "holder_count": AgentTool.objects.filter(tool=tool).count(),
    }


def live_mark(tool_id: str) -> tuple[Any, ...]:
    """Changes when the fragments of ``live_fragments`` do."""
    tool = Tool.objects.filter(id=tool_id).only("name").first()
    if tool is None:
        return ()
    newest = _calls(tool.name).values_list("id", "status")[:_SHOWN_CALLS]
    return (*newest, AgentTool.objects.filter(tool=tool).count())


def live_fragments(tool_id: str) -> Iterable[Fragment]:
    """The nodes of the tool's page that agents change, as they are now."""
    tool = Tool.objects.filter(id=tool_id).first()
    if tool is None:
        return []
    context = live_context(tool)
    nodes = {
        "panel-tool-calls": "calls",
        "tool-calls-count": "calls_count",
        "tool-fill": "fill",
        "tool-holders": "holders",
    }
    return [Fragment(dom_id, f"{_LIVE}{name}.html", context) for dom_id, name in nodes.items()]
