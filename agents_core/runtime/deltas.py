"""A message while it is being written: the provider's pieces, joined for 50 ms and published as events."""

import asyncio
from dataclasses import replace

from agents_core.events.publish import Publication
from agents_core.events.types import MessageDelta, ModelRetrying
from agents_core.llm.types import ReasoningDelta, Retrying, StreamItem, TextDelta, ToolCallDelta
from agents_core.models import pipeline
from agents_core.models.pipeline import Statement
from agents_core.runtime.state import Turn

_JOIN_S = 0.05


class DeltaWriter:
    """Publishes the deltas of one message. ``cancelled`` turns true when somebody asked to cancel the run meanwhile."""

    def __init__(self, turn: Turn, message_id: str) -> None:
        self.cancelled = False
        self._turn = turn
        self._message_id = message_id
        self._pending: list[MessageDelta | ModelRetrying] = []
        self._flusher: asyncio.Task[None] | None = None

    def take(self, item: StreamItem) -> None:
        """Notes a piece of the stream; a piece that goes on with the one before is joined to it."""
        event = self._event(item)
        if event is None:
            return
        last = self._pending[-1] if self._pending else None
        if (
            isinstance(event, MessageDelta)
            and isinstance(last, MessageDelta)
            and (last.part, last.index) == (event.part, event.index)
        ):
            self._pending[-1] = replace(last, text=last.text + event.text)
        else:
            self._pending.append(event)
        if self._flusher is None:
            self._flusher = asyncio.get_running_loop().create_task(self._flush_later())

    async def close(self) -> None:
        """Stops publishing: what is pending comes with the whole message."""
        if self._flusher is not None:
            self._flusher.cancel()
            await asyncio.gather(self._flusher, return_exceptions=True)

    def _event(self, item: StreamItem) -> MessageDelta | ModelRetrying | None:
        match item:
            case TextDelta(text):
                return MessageDelta(self._message_id, "text", text)
            case ReasoningDelta(text):
                return MessageDelta(self._message_id, "reasoning", text)
            case ToolCallDelta(index, call_id, name, arguments):
                return MessageDelta(self._message_id, "tool_call", arguments, index, call_id, name)
            case Retrying(attempt, after_s, reason):
                return ModelRetrying(attempt, after_s, reason)
        return None

    async def _flush_later(self) -> None:
        while True:
            await asyncio.sleep(_JOIN_S)
            if not self._pending:
                continue
            pending, self._pending = self._pending, []
            publication = Publication(self._turn.agent.id, self._turn.run_id, self._turn.step_id)
            for event in pending:
                publication.add(event)
            is_cancelled = Statement("SELECT cancel_requested FROM run WHERE id = %s", (self._turn.run_id,))
            rows = await asyncio.shield(pipeline.run([publication.statement(), is_cancelled]))
            self.cancelled = rows[-1][0][0]
