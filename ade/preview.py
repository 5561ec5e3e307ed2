"""What an agent that has not taken a step yet will send first."""

import json
import re
from collections.abc import Iterator

from agents_core.actions.prompt import current_parts, stored_prompt
from agents_core.llm import tokens
from agents_core.llm.types import ToolSpec
from agents_core.memory.render import parts_of, text_of
from agents_core.models import WAITING, Agent, Message, Role, SegmentKind, Tool
from agents_core.record.steps import SegmentView
from agents_core.runtime.state import StoredMessage
from agents_core.runtime.transcript import chat_messages

_METADATA = re.compile(r"<memory_metadata>.*</memory_metadata>", re.DOTALL)


def preview_segments(agent: Agent, conversation_id: str | None = None) -> list[SegmentView]:
    """The parts of the first request: tools, system prompt, opening messages. Tokens are our estimates.

    The provider decides about the JSON around them and about their order; counts and time are those of the stored prompt.
    """
    return [*_tools(agent), *_system(agent, conversation_id), *_messages(agent, conversation_id)]


def _tools(agent: Agent) -> Iterator[SegmentView]:
    for tool in Tool.objects.filter(agent_links__agent=agent).order_by("agent_links__id"):
        spec = ToolSpec(tool.name, tool.description or "", tool.json_schema.get("parameters", {}))
        shown = {"name": spec.name, "description": spec.description, "parameters": spec.parameters}
        yield SegmentView("", SegmentKind.TOOL, tool.id, tool.name, tokens.count_tools([spec]), _json(shown))


def _system(agent: Agent, conversation_id: str | None) -> Iterator[SegmentView]:
    stored = stored_prompt(agent.id, conversation_id)
    kept = _METADATA.search(text_of(parts_of(stored.content)) if stored else "")
    for part in current_parts(agent, conversation_id):
        text = kept[0] if kept and part.kind == SegmentKind.METADATA else part.text
        yield SegmentView("", part.kind, part.source_id, part.label, tokens.count(text), _json(text)[1:-1])


def _messages(agent: Agent, conversation_id: str | None) -> Iterator[SegmentView]:
    rows = (
        Message.objects.filter(agent=agent, conversation=conversation_id, context_position__gt=WAITING)
        .exclude(role=Role.SYSTEM)
        .order_by("context_position", "seq")
        .values("id", "role", "content", "tool_calls", "tool_returns")
    )
    for stored, chat in chat_messages([StoredMessage(**row) for row in rows]):
        kind = SegmentKind.TOOL_RETURN if chat.role == "tool" else SegmentKind.MESSAGE
        calls = [{"name": call.name, "arguments": call.arguments} for call in chat.tool_calls]
        shown = {"role": chat.role, "content": chat.text, **({"tool_calls": calls} if calls else {})}
        yield SegmentView("", kind, stored.id, chat.role, tokens.count_message(chat), _json(shown))


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
