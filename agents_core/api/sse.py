"""Server-sent events: a run's events as frames of the V1 API (contract: wire, section 7)."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from django.http import StreamingHttpResponse
from pydantic_core import to_json

from agents_core.actions.history import messages_by_id, run_exists
from agents_core.actions.messages import outcome
from agents_core.api.answers import error_message, stop_reason, usage_statistics
from agents_core.api.fragments import Tokens, Whole, is_echo
from agents_core.api.wire import Shown, View, wire_time
from agents_core.events.subscribe import follow
from agents_core.events.types import MessageCreated, MessageDelta, RunEnded, StoredEvent

PING_S = 20.0
_SILENCES = 90
_FRAMES_PER_EVENT = 1024
DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Stream:
    """What is streamed of a run. ``first_seq`` is the number of its first event. ``numbered``: frames carry ``seq_id``, which grows through
    the run, so that a reader can come back for those after ``starting_after``."""

    agent_id: str
    run_id: str
    first_seq: int
    view: View
    tokens: bool = False
    pings: bool = True
    numbered: bool = False
    starting_after: int = 0


def streaming(stream: Stream) -> StreamingHttpResponse:
    headers = {"cache-control": "no-cache", "x-accel-buffering": "no"}
    return StreamingHttpResponse(frames(stream), content_type="text/event-stream", headers=headers)


def frame(data: Any) -> bytes:
    return b"data: " + to_json(data) + b"\n\n"


def ping(stream: Stream, seq_id: int | None) -> bytes:
    message: Shown = {
        "id": f"ping-{uuid4()}",
        "date": wire_time(datetime.now(UTC)),
        "name": None,
        "message_type": "ping",
        "otid": None,
        "sender_id": None,
        "step_id": None,
        "is_err": None,
        "seq_id": seq_id,
        "run_id": stream.run_id,
    }
    return frame(message)


async def frames(stream: Stream) -> AsyncIterator[bytes]:
    """The frames of a run to its end. The run goes on when nobody reads them."""
    reader = Reader(stream)
    if stream.pings:
        yield ping(stream, None)
    async for chunk in spoken_frames(reader):
        yield chunk
    yield await _closing(stream) if reader.ended else _incomplete(stream)


async def spoken_frames(reader: "Reader") -> AsyncIterator[bytes]:
    """What is said in a run, and signs of life in between, until it ends or nothing more is heard of it."""
    stream = reader.stream
    events = follow(stream.agent_id, stream.first_seq - 1, run_id=stream.run_id, idle_s=PING_S)
    async with aclosing(events) as batches:
        async for batch in batches:
            if batch:
                if chunk := await reader.read(batch):
                    yield chunk
            elif await reader.may_go_on():
                yield ping(stream, reader.last_seq_id) if stream.pings else b": still here\n\n"
            else:
                break
            if reader.ended:
                break


class Reader:
    """Events into frames; remembers what a reader has been sent."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.shows = Tokens(stream.view) if stream.tokens else Whole(stream.view)
        self.ended = False
        self.last_seq_id: int | None = None
        self._silences = 0

    async def may_go_on(self) -> bool:
        """After a silence: whether the run still is, and has not been silent for too long."""
        self._silences += 1
        return self._silences < _SILENCES and await run_exists(self.stream.run_id)

    async def read(self, batch: Sequence[StoredEvent]) -> bytes:
        self._silences = 0
        ids = [stored.event.message_id for stored in batch if isinstance(stored.event, MessageCreated)]
        rows = await messages_by_id(ids)
        return b"".join(
            self._frame(stored, place, shown)
            for stored in batch
            for place, shown in enumerate(self._shown(stored, rows))
        )

    def _shown(self, stored: StoredEvent, rows: dict[str, Any]) -> list[Shown]:
        match stored.event:
            case MessageDelta() as delta:
                return self.shows.delta(stored, delta)
            case MessageCreated(message_id=message_id) if message_id in rows and not is_echo(rows[message_id]):
                return self.shows.committed(rows[message_id])
            case RunEnded():
                self.ended = True
        return []

    def _frame(self, stored: StoredEvent, place: int, shown: Shown) -> bytes:
        if not self.stream.numbered:
            return frame(shown)
        seq_id = (stored.seq - self.stream.first_seq) * _FRAMES_PER_EVENT + place + 1
        if seq_id <= self.stream.starting_after:
            return b""
        self.last_seq_id = seq_id
        return frame(shown | {"seq_id": seq_id})


async def _closing(stream: Stream) -> bytes:
    ended = await outcome(stream.run_id)
    error = error_message(ended, stream.run_id)
    if error is not None:
        return frame(stop_reason(ended)) + b"event: error\n" + frame(error) + DONE
    if ended.status == "cancelled":
        return frame(stop_reason(ended)) + DONE
    return frame(stop_reason(ended)) + frame(usage_statistics(ended)) + DONE


def _incomplete(stream: Stream) -> bytes:
    error = {
        "message_type": "error_message",
        "run_id": stream.run_id,
        "error_type": "stream_incomplete",
        "message": "Nothing more is heard of the run: it was deleted, or has been silent for half an hour.",
        "detail": None,
        "seq_id": None,
    }
    return b"event: error\n" + frame(error) + DONE
