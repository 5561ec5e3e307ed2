"""From events to shown messages, whole or in fragments (contract: wire, sections 6 and 7).

A reader may have seen all, some or none of the deltas of a message before the message itself: what it has not seen comes out
when the message is committed, each character exactly once.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from agents_core.api.wire import (
    Piece,
    Row,
    Shown,
    View,
    common,
    derived_otid,
    expand,
    pieces,
    reasoning,
    speaks,
    spoken,
    wire_time,
)
from agents_core.events.types import MessageDelta, StoredEvent

_GROWING = {"reasoning_message": "reasoning", "assistant_message": "content"}
_CALL_MESSAGES = ("tool_call_message", "approval_request_message")

Key = tuple[str, int]


def is_echo(row: Row) -> bool:
    """Whether the row is what the caller sent, which is not told again: only what a step wrote is."""
    return row["step_id"] is None


class Whole:
    """Messages as they are committed."""

    def __init__(self, view: View) -> None:
        self.view = view

    def delta(self, stored: StoredEvent, event: MessageDelta) -> list[Shown]:
        return []

    def committed(self, row: Row) -> list[Shown]:
        return [shown for shown in expand(row, self.view) if self.view.wants(shown)]


@dataclass(slots=True)
class _Draft:
    """What was sent of a message that is being written: the text of each part, and the parts' places among the shown ones."""

    sent: dict[Key, str] = field(default_factory=dict)
    arguments: dict[int, str] = field(default_factory=dict)
    heads: dict[int, tuple[str | None, str | None, bool]] = field(default_factory=dict)
    places: dict[Key, int] = field(default_factory=dict)
    last: Key | None = None

    def place(self, key: Key) -> int:
        return self.places.setdefault(key, len(self.places))

    def part(self, kind: str) -> Key:
        """The part that a delta of text or reasoning belongs to: the last one, or a new one of its kind."""
        if self.last is None or self.last[0] != kind:
            self.last = (kind, sum(1 for key in self.sent if key[0] == kind))
        return self.last

    def add(self, key: Key, text: str) -> None:
        self.sent[key] = self.sent.get(key, "") + text


class Tokens:
    """Fragments as the model writes them; what readers concatenate is ``reasoning``, ``content`` and ``tool_call.arguments``."""

    def __init__(self, view: View) -> None:
        self.view = view
        self._drafts: dict[str, _Draft] = {}

    def delta(self, stored: StoredEvent, event: MessageDelta) -> list[Shown]:
        draft = self._drafts.setdefault(event.message_id, _Draft())
        shown = self._call(draft, event) if event.part == "tool_call" else self._words(draft, event)
        if shown is None:
            return []
        place, kind, fields = shown
        fragment = _header(stored, event.message_id, place) | {"message_type": kind} | fields
        return [fragment] if self.view.wants(fragment) else []

    def committed(self, row: Row) -> list[Shown]:
        if row["role"] != "assistant":
            return Whole(self.view).committed(row)
        draft = self._drafts.pop(row["id"], None) or _Draft()
        return [fragment for fragment in self._rest(row, draft) if self.view.wants(fragment)]

    def _words(self, draft: _Draft, event: MessageDelta) -> tuple[int, str, Shown] | None:
        key = draft.part(event.part)
        draft.add(key, event.text)
        if event.part == "text" and not self.view.text_is_thought:
            return draft.place(key), "assistant_message", {"content": event.text}
        source = "reasoner_model" if event.part == "reasoning" else "non_reasoner_model"
        return draft.place(key), "reasoning_message", reasoning(event.text, source)

    def _call(self, draft: _Draft, event: MessageDelta) -> tuple[int, str, Shown] | None:
        draft.last = None
        first = event.index not in draft.heads
        name, call_id, gated = draft.heads.setdefault(event.index, (event.name, event.call_id, event.gated))
        if speaks(name, self.view) and not gated:
            return self._speech(draft, event)
        draft.add(("tool_call", event.index), event.text)
        call = {"name": name if first else None, "arguments": event.text, "tool_call_id": call_id}
        return draft.place(("calls", gated)), _CALL_MESSAGES[gated], {"tool_call": call, "tool_calls": call}

    def _speech(self, draft: _Draft, event: MessageDelta) -> tuple[int, str, Shown] | None:
        key = ("tool_call", event.index)
        arguments = draft.arguments[event.index] = draft.arguments.get(event.index, "") + event.text
        text = _unsent(spoken(arguments, self.view), draft.sent.get(key, ""))
        place = draft.place(key)
        draft.add(key, text)
        return (place, "assistant_message", {"content": text}) if text else None

    def _rest(self, row: Row, draft: _Draft) -> Iterator[Shown]:
        """What the deltas left out of the message as it was committed."""
        counts: dict[str, int] = {}
        for index, piece in enumerate(pieces(row, self.view)):
            head = common(row, index) | {"message_type": piece.message_type}
            if piece.message_type in _CALL_MESSAGES:
                yield from (head | fields for fields in _rest_of_calls(row, piece, draft))
                continue
            ordinal = piece.calls[0] if piece.calls else counts.get(piece.part, 0)
            counts[piece.part] = ordinal + 1
            fields = _rest_of_words(piece, draft.sent.get((piece.part, ordinal)))
            if fields:
                yield head | fields


def _header(stored: StoredEvent, message_id: str, place: int) -> Shown:
    return {
        "id": message_id,
        "date": wire_time(stored.created_at),
        "name": None,
        "message_type": None,
        "otid": derived_otid(message_id, place),
        "sender_id": None,
        "step_id": stored.step_id,
        "is_err": None,
        "seq_id": None,
        "run_id": stored.run_id,
    }


def _unsent(whole: str, sent: str) -> str:
    return whole[len(sent) :] if whole.startswith(sent) else ""


def _rest_of_words(piece: Piece, sent: str | None) -> Shown | None:
    growing = _GROWING.get(piece.message_type)
    if sent is None or growing is None:
        return piece.fields
    text = _unsent(piece.fields[growing], sent)
    return piece.fields | {growing: text} if text or piece.fields.get("signature") else None


def _rest_of_calls(row: Row, piece: Piece, draft: _Draft) -> Iterator[Shown]:
    for index in piece.calls:
        call = row["tool_calls"][index]
        sent = draft.sent.get(("tool_call", index))
        arguments = _unsent(call["arguments"], sent or "")
        if arguments or sent is None:
            delta = {"name": call["name"] if sent is None else None, "arguments": arguments, "tool_call_id": call["id"]}
            yield {"tool_call": delta, "tool_calls": delta}
