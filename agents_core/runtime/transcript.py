"""Stored messages as the model reads them, repaired where a crash or an eviction left half of a pair."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from agents_core.llm.types import ChatMessage, Image, Part, Reasoning, Text, ToolCall
from agents_core.models import Role
from agents_core.models.pipeline import storable
from agents_core.runtime.state import StoredMessage

INTERRUPTED = (
    "Interrupted: this call was cancelled, or the server stopped during it, so its outcome is unknown. "
    "Check before you do it again."
)


def chat_messages(messages: Sequence[StoredMessage]) -> list[tuple[StoredMessage, ChatMessage]]:
    """Each message for the model beside the stored one it came from; a stored one with several tool returns gives several.

    A tool call without a return is answered with ``INTERRUPTED``; a return without its call is left out.
    """
    asked = {call["id"] for message in messages for call in message.tool_calls}
    answered = {answer["tool_call_id"] for message in messages for answer in message.tool_returns}
    return [pair for message in messages for pair in _expand(message, asked, answered)]


def _expand(message: StoredMessage, asked: set[str], answered: set[str]) -> Iterator[tuple[StoredMessage, ChatMessage]]:
    if message.role == Role.TOOL:
        for answer in message.tool_returns:
            if answer["tool_call_id"] in asked:
                parts = (Text(answer["text"]),)
                failed = answer["status"] == "error"
                yield message, ChatMessage("tool", parts, tool_call_id=answer["tool_call_id"], is_error=failed)
        return
    yield message, _chat(message)
    for call in message.tool_calls:
        if call["id"] not in answered:
            yield message, ChatMessage("tool", (Text(INTERRUPTED),), tool_call_id=call["id"], is_error=True)


def _chat(message: StoredMessage) -> ChatMessage:
    calls = tuple(ToolCall(call["id"], call["name"], call["arguments"]) for call in message.tool_calls)
    parts = tuple(_part(part) for part in message.content)
    match message.role:
        case Role.ASSISTANT:
            return ChatMessage("assistant", parts, calls)
        case Role.SYSTEM:
            return ChatMessage("system", parts)
        case _:
            return ChatMessage("user", parts)


def _part(part: dict[str, Any]) -> Part:
    match part["type"]:
        case "text":
            return Text(part["text"])
        case "image":
            return Image(part["media_type"], part["data"])
        case _:
            return Reasoning(part["reasoning"], part.get("signature"), part.get("redacted", False))


def stored_content(message: ChatMessage) -> list[dict[str, Any]]:
    """The parts of a model's answer as a message stores them; empty texts are left out."""
    stored: list[dict[str, Any]] = []
    for part in message.parts:
        match part:
            case Text(text) if text:
                stored.append({"type": "text", "text": storable(text)})
            case Reasoning(text, signature, redacted):
                reasoning = {"reasoning": storable(text), "signature": signature, "redacted": redacted}
                stored.append({"type": "reasoning", **reasoning})
    return stored


def told_apart(answer: ChatMessage, context: Sequence[StoredMessage]) -> ChatMessage:
    """``answer`` with calls whose ids nothing in the context has: some servers number the calls of each answer anew."""
    taken = {call["id"] for message in context for call in message.tool_calls}
    calls: list[ToolCall] = []
    for call in answer.tool_calls:
        calls.append(replace(call, id=f"call_{uuid4().hex[:24]}") if call.id in taken else call)
        taken.add(calls[-1].id)
    return replace(answer, tool_calls=tuple(calls))


def stored_calls(message: ChatMessage) -> list[dict[str, Any]]:
    return [storable({"id": c.id, "name": c.name, "arguments": c.arguments}) for c in message.tool_calls]


def failed_return(call: Mapping[str, Any], text: str = INTERRUPTED) -> dict[str, Any]:
    """The error ``text`` as the answer to a call, as a tool message stores it."""
    told = {"status": "error", "text": text, "value": text, "stdout": "", "stderr": ""}
    return {"tool_call_id": call["id"], "name": call["name"], **told}


def packed_return(status: str, text: str, at: datetime, timezone: ZoneInfo, note: str = "") -> str:
    """A tool's result as the model reads it (contract: agent-loop, "Tool results"); JSON stays JSON."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = text
    message = value if isinstance(value, dict | list) else text
    packed = {"status": "OK" if status == "success" else "Failed", "message": message, "time": local_time(at, timezone)}
    return json.dumps(packed | ({"note": note} if note else {}), ensure_ascii=False)


def local_time(at: datetime, timezone: ZoneInfo) -> str:
    """``at`` as prompts write it: 2026-03-04 05:30:00 PM CET+0100."""
    return at.astimezone(timezone).strftime("%Y-%m-%d %I:%M:%S %p %Z%z")
