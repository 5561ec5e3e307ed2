"""What an agent says to others in its messages, as its kind says it."""

from collections.abc import Sequence
from typing import Any

from agents_core.memory.recall.turns import sent_text
from agents_core.runtime.policy import policy_of


def plain_text(content: Sequence[dict[str, Any]]) -> str:
    """The text parts of a message."""
    return "".join(part["text"] for part in content if part["type"] == "text")


def said_text(agent_type: str, content: Sequence[dict[str, Any]], tool_calls: Sequence[dict[str, Any]]) -> str:
    """What an assistant's message says: by ``send_message``, and in plain text for the kinds whose text is no private thought."""
    sent = [sent_text(call) for call in tool_calls if call["name"] == "send_message"]
    text = "" if policy_of(agent_type).heartbeats else plain_text(content)
    return "\n".join(part for part in (text, *sent) if part.strip())
