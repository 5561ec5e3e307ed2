"""What the next request of an agent would hold, counted by part (contract: wire, section 12)."""

from collections.abc import Iterable, Sequence
from typing import Any

from agents_core.actions.agents import get
from agents_core.actions.prompt import current_parts, stale_parts
from agents_core.llm import tokens
from agents_core.llm.types import ToolSpec
from agents_core.memory.render import PromptPart, text_of
from agents_core.models import WAITING, Agent, Message, Passage, Role, SegmentKind, Tool
from agents_core.runtime.state import StoredMessage
from agents_core.runtime.transcript import chat_messages

_STORED = ("id", "role", "content", "tool_calls", "tool_returns")


def overview(agent_id: str, conversation_id: str | None = None) -> dict[str, Any]:
    """The context window compiled from the memory of this moment, nothing stored. Tokens are our estimates. Raises ``NotFound``.

    ``stale_parts``, which is not in the contract, names the parts in which the stored prompt differs.
    """
    agent = get(agent_id)
    compiled = current_parts(agent, conversation_id)
    parts = _Parts(compiled)
    system, core = parts.text(SegmentKind.SYSTEM, "instructions"), parts.text(SegmentKind.CORE)
    rules, metadata = parts.text(SegmentKind.RULES), parts.text(SegmentKind.METADATA)
    directories = parts.directories
    rows = _messages(agent, conversation_id)
    messages = [StoredMessage(**{name: row[name] for name in _STORED}) for row in rows]
    summary = next((message.text for message in messages if message.role == Role.SUMMARY), None)
    counts = {
        "num_tokens_external_memory_summary": tokens.count(metadata),
        "num_tokens_system": tokens.count(system),
        "num_tokens_core_memory": tokens.count(core),
        "num_tokens_memory_filesystem": 0,
        "num_tokens_tool_usage_rules": tokens.count(rules),
        "num_tokens_directories": tokens.count(directories),
        "num_tokens_summary_memory": tokens.count(summary or ""),
        "num_tokens_functions_definitions": tokens.count_tools(specs := _specs(agent)),
        "num_tokens_messages": _message_tokens(message for message in messages if message.role != Role.SUMMARY),
    }
    archival = Passage.objects.filter(archive__agent_links__agent=agent, is_deleted=False).count()
    return {
        "context_window_size_max": agent.context_window,
        "context_window_size_current": sum(counts.values()),
        "num_messages": len(messages) + 1,
        "num_archival_memory": archival,
        "num_recall_memory": Message.objects.filter(agent=agent, abandoned=False).count(),
        **counts,
        "external_memory_summary": metadata,
        "system_prompt": system,
        "core_memory": core,
        "memory_filesystem": None,
        "tool_usage_rules": rules or None,
        "directories": directories or None,
        "summary_memory": summary,
        "functions_definitions": [_definition(spec) for spec in specs],
        "messages": [_system_message(parts), *map(_raw, rows)],
        "stale_parts": stale_parts(agent, conversation_id, compiled),
    }


class _Parts:
    """The prompt's parts by kind; ``core`` with the element around the blocks."""

    def __init__(self, parts: Sequence[PromptPart]) -> None:
        self.whole = text_of(parts)
        self._parts = parts

    def text(self, kind: SegmentKind, label: str | None = None) -> str:
        return "".join(part.text for part in self._parts if part.kind == kind and label in (None, part.label))

    @property
    def directories(self) -> str:
        """The folders and their files, with the element around them; "" without any."""
        return "".join(
            part.text for part in self._parts if part.kind == SegmentKind.FILE or part.label == "directories"
        )


def _messages(agent: Agent, conversation_id: str | None) -> list[dict[str, Any]]:
    """The messages in the context after the system message, in order."""
    rows = list(
        Message.objects.filter(agent=agent, conversation=conversation_id, context_position__gt=WAITING)
        .order_by("context_position", "seq")
        .values(*_STORED, "created_at")
    )
    return rows[1:] if rows and rows[0]["role"] == Role.SYSTEM else rows


def _message_tokens(messages: Iterable[StoredMessage]) -> int:
    return sum(tokens.count_message(chat) for _, chat in chat_messages(list(messages)))


def _specs(agent: Agent) -> list[ToolSpec]:
    tools = Tool.objects.filter(agent_links__agent=agent).order_by("agent_links__id")
    return [ToolSpec(tool.name, tool.description or "", tool.json_schema.get("parameters", {})) for tool in tools]


def _definition(spec: ToolSpec) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {"name": spec.name, "description": spec.description, "parameters": spec.parameters},
    }


def _system_message(parts: _Parts) -> dict[str, Any]:
    return {"role": "system", "content": [{"type": "text", "text": parts.whole}]}


def _raw(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "tool_calls": row["tool_calls"] or None}
