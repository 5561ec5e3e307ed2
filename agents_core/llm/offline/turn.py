"""What a request says: the person's words, what was called for them so far, the tools and the memory blocks."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from agents_core.llm.types import ChatMessage, Image, ModelRequest, ToolCall, ToolSpec

MESSAGE_TOOL = "send_message"
FINISH_TOOLS = ("memory_finish_edits", "finish_rethinking_memory")

_AUTOMATIC = ("heartbeat", "login", "system_alert")
_TAG_LINE = re.compile(r"^<(?!/)([^<>\n]+)>\s*$", re.MULTILINE)
_LIMIT = re.compile(r"chars_limit=(\d+)")
_NUMBERED = re.compile(r"\s*\d+→ ?")
_TRANSCRIPT_LINE = re.compile(r"^(?:\d+\. )?user: (.*)$", re.MULTILINE)

Call = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Move:
    """What a rule decided: calls to make now, or the text that ends the turn. ``why`` is shown as reasoning."""

    why: str
    text: str = ""
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    label: str
    value: str
    read_only: bool
    limit_chars: int | None

    @property
    def lines(self) -> list[str]:
        return [line for line in self.value.split("\n") if line.strip()]


@dataclass(frozen=True, slots=True)
class Done:
    """A call of this turn with its result: JSON decoded where it is JSON, the packing of the agent loop taken off."""

    name: str
    arguments: dict[str, Any]
    result: Any
    failed: bool

    @property
    def text(self) -> str:
        if isinstance(self.result, str):
            return self.result
        return json.dumps(self.result, ensure_ascii=False)

    def holds(self, text: str) -> bool:
        return any(isinstance(value, str) and text in value for value in self.arguments.values())


@dataclass(frozen=True)
class Turn:
    """``whole_said`` is everything the person said since the last answer, ``said`` the part of it that a rule is asked
    about, ``done`` what was called for it so far."""

    request: ModelRequest
    said: str
    done: tuple[Done, ...]
    whole_said: str

    @cached_property
    def tools(self) -> dict[str, ToolSpec]:
        if self.request.tool_choice == "none":
            return {}
        return {tool.name: tool for tool in self.request.tools}

    @cached_property
    def blocks(self) -> dict[str, Block]:
        return {block.label: block for block in _blocks(self.request.system)}

    @cached_property
    def person(self) -> Block | None:
        """The block about the person: "human", or the one that is named most like it."""
        names = ("human", "user", "customer", "profile")
        return next((block for name in names for label, block in self.blocks.items() if name in label.lower()), None)

    @cached_property
    def persona(self) -> Block | None:
        return next((block for label, block in self.blocks.items() if "persona" in label.lower()), None)

    @property
    def sees_image(self) -> bool:
        newest = next((message for message in reversed(self.request.messages) if message.role == "user"), None)
        return newest is not None and any(isinstance(part, Image) for part in newest.parts)

    @cached_property
    def previous_reply(self) -> str:
        """What the agent said last, before the person's words."""
        for message in reversed(self.request.messages):
            if message.role == "assistant" and not self._is_of_this_turn(message):
                sent = [
                    _object(call.arguments).get("message") for call in message.tool_calls if call.name == MESSAGE_TOOL
                ]
                return next((text for text in sent if isinstance(text, str)), message.text)
        return ""

    def _is_of_this_turn(self, message: ChatMessage) -> bool:
        return any(each is message for each in self.request.messages[_last_said(self.request.messages) + 1 :])

    def called(self, name: str) -> Done | None:
        """The newest call of ``name`` in this turn."""
        return next((done for done in reversed(self.done) if done.name == name), None)


def read(request: ModelRequest) -> Turn:
    """The turn that a request continues."""
    last = _last_said(request.messages)
    said = "\n".join(reversed(list(_said_until(request.messages, last))))
    if any(tool.name in FINISH_TOOLS for tool in request.tools):  # a sleep-time agent is shown a transcript
        said = "\n".join(_TRANSCRIPT_LINE.findall(said)) or said
    said = said.encode("utf-8", "replace").decode().strip()  # so that a call's arguments come back as they were sent
    return Turn(request, said, tuple(_done(request.messages[last + 1 :])), whole_said=said)


def _last_said(messages: tuple[ChatMessage, ...]) -> int:
    """The index of the newest message by a person or another agent; -1 when nobody spoke."""
    for index in range(len(messages) - 1, -1, -1):
        if _words(messages[index]) is not None:
            return index
    return -1


def _said_until(messages: tuple[ChatMessage, ...], last: int) -> Iterator[str]:
    """Backwards over the messages that came together, of the same role as the last one."""
    role = messages[last].role if last >= 0 else "user"
    for message in reversed(messages[: last + 1]):
        if message.role not in ("user", "system"):
            return
        words = _words(message)
        if words is not None and message.role == role:
            yield words


def _words(message: ChatMessage) -> str | None:
    """What somebody said; None for the loop's own messages (heartbeats, logins, alerts) and for other roles."""
    if message.role not in ("user", "system"):
        return None
    packed = _object(message.text)
    if packed.get("type") in _AUTOMATIC:
        return None
    inner = packed.get("message")
    return inner if packed.get("type") == "user_message" and isinstance(inner, str) else message.text


def _done(messages: Iterable[ChatMessage]) -> Iterator[Done]:
    calls: dict[str, ToolCall] = {}
    for message in messages:
        calls |= {call.id: call for call in message.tool_calls}
        call = calls.get(message.tool_call_id or "")
        if message.role == "tool" and call:
            result, failed = _unpacked(message.text)
            yield Done(call.name, _object(call.arguments), result, failed or message.is_error)


def _unpacked(text: str) -> tuple[Any, bool]:
    value = _json(text)
    if not (isinstance(value, dict) and "status" in value and "message" in value):
        return value, False
    inner = value["message"]
    return (_json(inner) if isinstance(inner, str) else inner), str(value["status"]).lower() not in ("ok", "success")


def _json(text: str) -> Any:
    """Lists and objects decoded; anything else stays the text it is."""
    if text[:1] not in ("{", "["):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _object(text: str) -> dict[str, Any]:
    value = _json(text.strip())
    return value if isinstance(value, dict) else {}


def _blocks(system: str) -> Iterator[Block]:
    section = system.partition("<memory_blocks>")[2].partition("</memory_blocks>")[0]
    for part in section.split("</value>")[:-1]:
        head, _, value = part.partition("<value>")
        label, limit = _TAG_LINE.search(head), _LIMIT.search(head)
        if label:
            shown = _unnumbered(value.removeprefix("\n").removesuffix("\n"))
            yield Block(label[1], shown, "read_only=true" in head, int(limit[1]) if limit else None)


def _unnumbered(value: str) -> str:
    lines = value.split("\n")
    if not all(_NUMBERED.match(line) for line in lines):
        return value
    return "\n".join(_NUMBERED.sub("", line, count=1) for line in lines)
