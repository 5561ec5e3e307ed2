"""What the three wire formats share: how a format is described, and how a streamed answer is put together."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha1
from typing import Any, Protocol
from uuid import uuid4

from agents_core.llm.providers._sse import ServerEvent
from agents_core.llm.types import (
    ChatMessage,
    FinishReason,
    ModelRequest,
    Part,
    Placed,
    Reasoning,
    ReasoningDelta,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
)

Delta = TextDelta | ReasoningDelta | ToolCallDelta
JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Encoded:
    """A request as the bytes to send, and where its parts stand in them."""

    body: bytes
    layout: tuple[Placed, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. ``id`` is the provider's name for it, when the response's headers have none."""

    message: ChatMessage
    finish_reason: FinishReason
    usage: Usage
    id: str | None = None


class Reader(Protocol):
    """Reads one streamed answer. ``answer`` is None as long as the format's own end has not come."""

    def read(self, event: ServerEvent) -> Iterator[Delta]: ...

    def answer(self) -> Answer | None: ...


@dataclass(frozen=True, slots=True)
class Wire:
    """A wire format. ``path`` is below the provider's base URL."""

    path: str
    encode: Callable[[ModelRequest], Encoded]
    reader: Callable[[], Reader]


class StreamError(Exception):
    """The server says in the middle of a stream that it failed."""

    def __init__(self, payload: JSON) -> None:
        super().__init__(str(payload))
        self.payload = payload


# --- sending -----------------------------------------------------------------------------------------------------


def dump(body: JSON) -> bytes:
    """``body`` as compact JSON. Half a surrogate pair, which a model may well write, becomes a question mark."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def arguments_object(arguments: str) -> JSON:
    """A call's arguments as the object that providers insist on; malformed ones are kept, wrapped."""
    try:
        value = json.loads(arguments or "{}")
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {"_malformed": arguments}


def arguments_text(arguments: str) -> str:
    """A call's arguments as the text of an object: as they came, unless they are malformed (servers parse them)."""
    wrapped = arguments_object(arguments)
    return dump(wrapped).decode() if "_malformed" in wrapped else arguments or "{}"


def safe_call_id(call_id: str) -> str:
    """``call_id`` if every provider takes it (letters, digits, _ and -, at most 40), else a stable one made from it.

    An agent may change its provider in the middle of a conversation, and each has its own form.
    """
    if re.fullmatch(r"[A-Za-z0-9_-]{1,40}", call_id):
        return call_id
    return f"call_{sha1(call_id.encode('utf-8', 'replace'), usedforsecurity=False).hexdigest()[:24]}"


# --- receiving ---------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _DraftPart:
    kind: str
    pieces: list[str] = field(default_factory=list)
    signature: str | None = None
    redacted: bool = False

    def whole(self) -> Part | None:
        text = "".join(self.pieces)
        if self.kind == "text":
            return Text(text) if text else None
        return Reasoning(text, self.signature, self.redacted) if text or self.signature else None


@dataclass(slots=True)
class _DraftCall:
    id: str
    name: str
    pieces: list[str] = field(default_factory=list)


class Draft:
    """A message while it arrives. Each method takes a piece and gives the delta that tells of it."""

    def __init__(self) -> None:
        self._parts: list[_DraftPart] = []
        self._calls: list[_DraftCall] = []

    @property
    def calls(self) -> int:
        return len(self._calls)

    def text(self, piece: str) -> Iterator[TextDelta]:
        if piece:
            self._part("text").pieces.append(piece)
            yield TextDelta(piece)

    def reasoning(self, piece: str) -> Iterator[ReasoningDelta]:
        if piece:
            self._part("reasoning").pieces.append(piece)
            yield ReasoningDelta(piece)

    def sign(self, signature: str, *, redacted: bool = False) -> None:
        """Ends the reasoning so far, with the signature that it goes back with."""
        part = self._part("reasoning") if not redacted else self._new("reasoning")
        part.signature, part.redacted = signature, redacted

    def call(self, call_id: str | None, name: str, arguments: str = "") -> Iterator[ToolCallDelta]:
        call = _DraftCall(call_id or f"call_{uuid4().hex[:24]}", name)
        self._calls.append(call)
        call.pieces.append(arguments)
        yield ToolCallDelta(self.calls - 1, call.id, call.name, arguments)

    def arguments(self, index: int, piece: str) -> Iterator[ToolCallDelta]:
        if piece:
            self._calls[index].pieces.append(piece)
            yield ToolCallDelta(index, arguments=piece)

    def call_id(self, index: int) -> str:
        return self._calls[index].id

    def arguments_so_far(self, index: int) -> str:
        return "".join(self._calls[index].pieces)

    def message(self) -> ChatMessage:
        parts = tuple(whole for part in self._parts if (whole := part.whole()))
        calls = tuple(ToolCall(call.id, call.name, "".join(call.pieces) or "{}") for call in self._calls)
        return ChatMessage("assistant", parts, calls)

    def _part(self, kind: str) -> _DraftPart:
        last = self._parts[-1] if self._parts else None
        return last if last and last.kind == kind and last.signature is None else self._new(kind)

    def _new(self, kind: str) -> _DraftPart:
        self._parts.append(_DraftPart(kind))
        return self._parts[-1]


def parse(event: ServerEvent) -> JSON:
    """An event's data as a JSON object. Raises ValueError or TypeError if it is none, ``StreamError`` for one."""
    payload = json.loads(event.data)
    if not isinstance(payload, dict):
        raise TypeError("an event is not a JSON object")
    if payload.get("error") or payload.get("type") == "error" or event.name == "error":
        raise StreamError(payload)
    return payload


def count(value: Any) -> int:
    """A number of tokens out of a provider's usage, where a field may be absent or null."""
    return value if isinstance(value, int) else 0


def section(payload: JSON, key: str) -> JSON:
    """The object under ``key``, empty when it is absent or null."""
    value = payload.get(key)
    return value if isinstance(value, dict) else {}
