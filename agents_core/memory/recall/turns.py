"""What was said in a message: the part of it that recall memory knows."""

import json
from collections.abc import Sequence
from typing import Any

from agents_core.models import Role

SPOKEN_ROLES = (Role.USER, Role.ASSISTANT)
"""Tool messages and summaries repeat what stands elsewhere; system messages are nobody's words."""

_SEARCHES = frozenset({"conversation_search", "conversation_search_date"})
_AUTOMATIC = frozenset({"heartbeat", "login", "system_alert"})


def spoken_text(role: str, content: Sequence[dict[str, Any]], tool_calls: Sequence[dict[str, Any]]) -> str:
    """The text parts of a message and what it sends by ``send_message``; "" when it is not a turn of the conversation.

    A message that searches the conversation is none: it would be found by its own words ever after.
    """
    if role not in SPOKEN_ROLES or any(call.get("name") in _SEARCHES for call in tool_calls):
        return ""
    texts = [str(part.get("text") or "") for part in content if part.get("type") == "text"]
    if role == Role.USER:
        texts = [_unpacked(text) for text in texts]
    sent = [sent_text(call) for call in tool_calls if call.get("name") == "send_message"]
    return "\n".join(text for text in (*texts, *sent) if text.strip())


def _unpacked(text: str) -> str:
    """What a person said, of text that may be packed as JSON with a type (contract: agent-loop, section 1)."""
    packed = _object(text) if text.lstrip().startswith("{") else {}
    if packed.get("type") in _AUTOMATIC:
        return ""
    return str(packed.get("message")) if packed.get("type") == "user_message" else text


def sent_text(call: dict[str, Any]) -> str:
    """What a call of ``send_message`` says; "" of one that says nothing."""
    return str(_object(str(call.get("arguments"))).get("message") or "")


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
