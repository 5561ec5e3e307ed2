"""Stored messages as the V1 API shows them: pure functions over plain rows (contract: wire, section 6).

A row is a mapping with the columns of ``agents_core.models.Message``. One stored message becomes several shown ones that share its id;
they differ by ``message_type`` and ``otid``.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from pydantic_core import from_json

from agents_core.runtime.compaction import SUMMARY_PREFIX
from agents_core.runtime.policy import policy_of

Row = Mapping[str, Any]
Shown = dict[str, Any]


@dataclass(frozen=True, slots=True)
class View:
    """How a caller wants messages shown. ``text_is_thought``: an assistant's text is its reasoning, for it speaks by a tool.

    ``speak_tool``: the tool whose ``speak_argument`` is shown as what the assistant said; None to show it as any other call.
    ``kinds``: the message types to show; None for all. ``compactions``: a summary is shown as the event and what it says, not as a message.
    """

    text_is_thought: bool = False
    speak_tool: str | None = None
    speak_argument: str = "message"
    kinds: frozenset[str] | None = None
    compactions: bool = False

    def wants(self, shown: Shown) -> bool:
        return self.kinds is None or shown["message_type"] in self.kinds


def view_of(
    agent_type: str,
    *,
    use_assistant_message: bool = True,
    tool: str = "send_message",
    argument: str = "message",
    kinds: Iterable[str] | None = None,
    compactions: bool = False,
) -> View:
    """The view of an agent's messages that the parameters of a request ask for."""
    speaks_by_tool = policy_of(agent_type).heartbeats
    return View(
        text_is_thought=speaks_by_tool,
        speak_tool=tool if speaks_by_tool and use_assistant_message else None,
        speak_argument=argument,
        kinds=frozenset(kinds) if kinds else None,
        compactions=compactions,
    )


def view_of_request(agent_type: str, request: Mapping[str, Any]) -> View:
    """The view that a run was asked for, from what is stored of its request."""
    return view_of(
        agent_type,
        use_assistant_message=request.get("use_assistant_message", True),
        tool=request.get("assistant_message_tool_name", "send_message"),
        argument=request.get("assistant_message_tool_kwarg", "message"),
        kinds=request.get("include_return_message_types"),
        compactions=bool(request.get("include_compaction_messages")),
    )


def shown_messages(rows: Iterable[Row], view: View) -> list[Shown]:
    """What the API shows of ``rows``, in their order."""
    return [shown for row in rows for shown in expand(row, view) if view.wants(shown)]


def expand(row: Row, view: View) -> list[Shown]:
    """All that one stored message becomes, before the view's choice of kinds."""
    match row["role"]:
        case "assistant":
            parts: Iterator[tuple[str, Shown]] = ((piece.message_type, piece.fields) for piece in pieces(row, view))
        case "tool":
            parts = _returns(row, view)
        case "approval":
            parts = iter([("approval_response_message", _answers(row["content"]))])
        case "system":
            parts = iter([("system_message", {"content": _text(row["content"])})])
        case "summary":
            parts = _compaction(row) if view.compactions else iter([("user_message", {"content": packed_summary(row)})])
        case _:
            parts = iter([("user_message", {"content": content(row["content"])})])
    return [{**common(row, index), "message_type": kind, **fields} for index, (kind, fields) in enumerate(parts)]


def common(row: Row, index: int) -> Shown:
    """The fields of every shown message; ``index`` is its place among those of its row."""
    given = row["otid"] if row["role"] not in ("assistant", "tool") else None
    return {
        "id": row["id"],
        "date": wire_time(row["created_at"]),
        "name": row["name"],
        "message_type": None,
        "otid": given or derived_otid(row["id"], index),
        "sender_id": row["sender_id"],
        "step_id": row["step_id"],
        "is_err": None,
        "seq_id": None,
        "run_id": row["run_id"],
    }


def wire_time(moment: datetime) -> str:
    """ISO 8601 in seconds with its offset, as message dates are written."""
    return moment.isoformat(timespec="seconds")


def derived_otid(message_id: str, index: int) -> str:
    """The message's uuid with its low seven bits replaced by ``index``."""
    return str(UUID(int=UUID(message_id.partition("-")[2]).int & ~0x7F | index & 0x7F))


class Piece(NamedTuple):
    """A part of an assistant's message. ``part``: what it was made of, as a ``message.delta`` names it; ``calls``:
    the tool calls it shows."""

    part: str
    message_type: str
    fields: Shown
    calls: Sequence[int] = ()


def pieces(row: Row, view: View) -> Iterator[Piece]:
    """The parts of an assistant's message in order. Tool calls come as one part, those that had to wait as another; each spoken one by
    itself."""
    for part in merged(row["content"]):
        yield Piece(part["type"], *_content_piece(part, view))
    calls = row["tool_calls"]
    kinds = [_call_kind(call, view) for call in calls]
    for index, (call, kind) in enumerate(zip(calls, kinds, strict=True)):
        if kind == "assistant_message":
            yield Piece("tool_call", kind, {"content": spoken(call["arguments"], view)}, [index])
        elif kind not in kinds[:index]:
            alike = [place for place, other in enumerate(kinds) if other == kind]
            yield Piece("tool_call", kind, _calls([calls[place] for place in alike]), alike)


def _call_kind(call: Mapping[str, Any], view: View) -> str:
    if call.get("gated"):
        return "approval_request_message"
    return "assistant_message" if speaks(call["name"], view) else "tool_call_message"


def merged(content: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """``content`` with neighbouring parts of reasoning, and of text, joined."""
    joined: list[dict[str, Any]] = []
    for part in content:
        last = joined[-1] if joined else None
        kind = part["type"]
        if (
            last
            and kind == last["type"] in ("text", "reasoning")
            and not (part.get("redacted") or last.get("redacted"))
        ):
            last[kind] += part[kind]
            last["signature"] = part.get("signature") or last.get("signature")
        else:
            joined.append(dict(part))
    return joined


def _content_piece(part: Mapping[str, Any], view: View) -> tuple[str, Shown]:
    if part.get("redacted"):
        return "hidden_reasoning_message", {"state": "redacted", "hidden_reasoning": part.get("signature")}
    if part["type"] == "reasoning":
        return "reasoning_message", reasoning(part["reasoning"], "reasoner_model", part.get("signature"))
    if part["type"] == "text" and view.text_is_thought:
        return "reasoning_message", reasoning(part["text"], "non_reasoner_model")
    return "assistant_message", {"content": part["text"] if part["type"] == "text" else [wire_part(part)]}


def reasoning(text: str, source: str, signature: str | None = None) -> Shown:
    return {"source": source, "reasoning": text, "signature": signature}


def speaks(name: str | None, view: View) -> bool:
    return view.speak_tool is not None and name == view.speak_tool


def spoken(arguments: str, view: View) -> str:
    """What a call of the speaking tool says, also of arguments that are not whole yet."""
    try:
        value = from_json(arguments, allow_partial="trailing-strings")
    except ValueError:
        return ""
    said = value.get(view.speak_argument, "") if isinstance(value, dict) else ""
    return said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)


def _calls(calls: Sequence[Mapping[str, Any]]) -> Shown:
    shown = [{"name": call["name"], "arguments": call["arguments"], "tool_call_id": call["id"]} for call in calls]
    return {"tool_call": shown[0], "tool_calls": shown}


def _returns(row: Row, view: View) -> Iterator[tuple[str, Shown]]:
    shown = [_return(entry) for entry in row["tool_returns"] if not speaks(entry["name"], view)]
    if shown:
        mirrored = {name: value for name, value in shown[0].items() if name != "type"}
        yield "tool_return_message", {**mirrored, "tool_returns": shown}


def _return(entry: Mapping[str, Any]) -> Shown:
    return {
        "type": "tool",
        "tool_return": entry["value"],
        "status": entry["status"],
        "tool_call_id": entry["tool_call_id"],
        "stdout": _lines(entry.get("stdout")),
        "stderr": _lines(entry.get("stderr")),
    }


def _answers(content: Sequence[Mapping[str, Any]]) -> Shown:
    """Answers to calls that waited; the older fields tell of the first."""
    shown = [_answer(part) for part in content]
    first = content[0]
    return {
        "approvals": shown,
        "approve": first["approve"] if first["type"] == "approval" else None,
        "approval_request_id": None,
        "reason": first.get("reason"),
    }


def _answer(part: Mapping[str, Any]) -> Shown:
    if part["type"] == "tool":
        return {
            "type": "tool",
            "tool_call_id": part["tool_call_id"],
            "tool_return": part["tool_return"],
            "status": part["status"],
            "stdout": _lines(part.get("stdout")),
            "stderr": _lines(part.get("stderr")),
        }
    decided = {name: part.get(name) for name in ("tool_call_id", "approve", "reason")}
    return {"type": "approval", **decided}


def _lines(text: str | None) -> list[str] | None:
    return [text] if text else None


def summary_text(content: Sequence[Mapping[str, Any]]) -> str:
    """A stored summary without the words that introduce it to the agent."""
    return _text(content).removeprefix(SUMMARY_PREFIX)


def _compaction(row: Row) -> Iterator[tuple[str, Shown]]:
    stats: Shown = next((part["compaction"] for part in row["content"] if "compaction" in part), {})
    data = {
        "trigger": stats.get("trigger"),
        "context_token_estimate": stats.get("context_tokens_before"),
        "context_window": stats.get("context_window"),
    }
    yield "event_message", {"event_type": "compaction", "event_data": data}
    yield "summary_message", {"summary": summary_text(row["content"]), "compaction_stats": stats or None}


def packed_summary(row: Row) -> str:
    """A summary as older clients know it: a system alert in JSON."""
    text = f"The following is a summary of the previous messages: {summary_text(row['content'])}"
    return json.dumps(
        {"type": "system_alert", "message": text, "time": wire_time(row["created_at"])}, ensure_ascii=False
    )


def _text(content: Sequence[Mapping[str, Any]]) -> str:
    return "".join(part["text"] for part in content if part["type"] == "text")


def content(parts: Sequence[Mapping[str, Any]]) -> str | list[Shown]:
    """Stored parts as the API takes them and shows them: a lone text as it is."""
    if len(parts) == 1 and parts[0]["type"] == "text":
        return str(parts[0]["text"])
    return [wire_part(part) for part in parts]


def wire_part(part: Mapping[str, Any]) -> Shown:
    if part["type"] != "image":
        return {"type": part["type"], "text": part.get("text", ""), "signature": None}
    source = {"type": "base64", "media_type": part["media_type"], "data": part["data"], "detail": None}
    return {"type": "image", "source": source}
