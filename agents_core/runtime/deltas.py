"""A message while it is being written: the provider's pieces, joined for 50 ms and published as events."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from agents_core.events.publish import Publication
from agents_core.events.types import MessageDelta, ModelRetrying
from agents_core.llm.types import ReasoningDelta, Retrying, StreamItem, TextDelta, ToolCallDelta
from agents_core.models import pipeline
from agents_core.runtime.interrupt import is_stopped
from agents_core.runtime.state import Turn

_JOIN_S = 0.05
_LOOK_EVERY_S = 1.0
"""How often a silent model's run looks whether it is to stop."""


class DeltaWriter:
    """Publishes the deltas of one message, until ``aclose``.

    ``on_stop`` is called once somebody has asked to cancel the run, or another worker has it, whether pieces come or not.
    """

    def __init__(self, turn: Turn, message_id: str, on_stop: Callable[[], None]) -> None:
        self._turn = turn
        self._message_id = message_id
        self._on_stop = on_stop
        self._pending: list[MessageDelta | ModelRetrying] = []
        self._publishing: asyncio.Future[bool] | None = None
        self._flusher = asyncio.get_running_loop().create_task(self._flush(), name="deltas")

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

    async def aclose(self) -> None:
        """Stops publishing: what is pending comes with the whole message, what is on its way comes before it."""
        self._flusher.cancel()
        await asyncio.gather(self._flusher, *filter(None, [self._publishing]), return_exceptions=True)

    def _event(self, item: StreamItem) -> MessageDelta | ModelRetrying | None:
        match item:
            case TextDelta(text):
                return MessageDelta(self._message_id, "text", text)
            case ReasoningDelta(text):
                return MessageDelta(self._message_id, "reasoning", text)
            case ToolCallDelta(index, call_id, name, arguments):
                gated = name is not None and self._turn.waits_for_answer(name)
                return MessageDelta(self._message_id, "tool_call", arguments, index, call_id, name, gated)
            case Retrying(attempt, after_s, reason):
                return ModelRetrying(attempt, after_s, reason)
        return None

    async def _flush(self) -> None:
        silent_s = 0.0
        while True:
            await asyncio.sleep(_JOIN_S)
            silent_s += _JOIN_S
            if not self._pending and silent_s < _LOOK_EVERY_S:
                continue
            silent_s = 0.0
            self._publishing = asyncio.ensure_future(self._publish())
            if await asyncio.shield(self._publishing):
                return self._on_stop()

    async def _publish(self) -> bool:
        """Publishes what is pending; gives whether the run is to stop."""
        pending, self._pending = self._pending, []
        publication = Publication(self._turn.agent.id, self._turn.run_id, self._turn.step_id)
        for event in pending:
            publication.add(event)
        stopped = is_stopped(self._turn)
        rows = await pipeline.run([publication.statement(), stopped] if pending else [stopped])
        return not rows[-1] or bool(rows[-1][0][0])
