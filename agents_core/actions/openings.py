"""The messages that an agent's history may begin with (contract: agent-loop, section 1)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from agents_core.models import Agent, Message
from agents_core.runtime.policy import policy_of
from agents_core.runtime.transcript import packed_return

_SENT = "Sent message successfully."


@dataclass(frozen=True, slots=True)
class Opening:
    """``role``: "user", "assistant" or "system" (shown to the agent as a notice)."""

    role: str
    text: str


def opening_messages(agent: Agent, opening: Sequence[Opening] | None, at: datetime) -> list[Message]:
    """The messages, not yet saved and without their numbers; those of the agent's kind for None."""
    if opening is None:
        return _login(agent, at) if policy_of(agent.agent_type).opens else []
    return [message for index, item in enumerate(opening) for message in _messages(agent, item, index, at)]


def _login(agent: Agent, at: datetime) -> list[Message]:
    """How the history of a kind that speaks by ``send_message`` begins: it shows the model how it is done."""
    event = {"type": "login", "last_login": "Never (first login)", "time": _local_time(at)}
    return [
        *_spoken(agent, "I am here, and I will remember what you tell me.", "opening_0", at),
        _plain(agent, "user", json.dumps(event, ensure_ascii=False)),
    ]


def _local_time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %I:%M:%S %p %Z%z}"


def _messages(agent: Agent, item: Opening, index: int, at: datetime) -> list[Message]:
    if item.role == "assistant" and policy_of(agent.agent_type).heartbeats:
        return _spoken(agent, item.text, f"opening_{index}", at)
    if item.role == "system":
        alert = {"type": "system_alert", "message": item.text, "time": _local_time(at)}
        return [_plain(agent, "user", json.dumps(alert, ensure_ascii=False))]
    return [_plain(agent, item.role, item.text)]


def _plain(agent: Agent, role: str, text: str) -> Message:
    return Message(agent=agent, role=role, content=[{"type": "text", "text": text}])


def _spoken(agent: Agent, text: str, call_id: str, at: datetime) -> list[Message]:
    """What an agent of a kind that speaks by ``send_message`` said: the call and its return."""
    call = {"id": call_id, "name": "send_message", "arguments": json.dumps({"message": text}, ensure_ascii=False)}
    answer = {
        "tool_call_id": call_id,
        "name": "send_message",
        "status": "success",
        "text": packed_return("success", _SENT, at, ZoneInfo(agent.timezone)),
        "value": _SENT,
        "stdout": "",
        "stderr": "",
    }
    return [
        Message(agent=agent, role="assistant", tool_calls=[call]),
        Message(agent=agent, role="tool", tool_returns=[answer]),
    ]
