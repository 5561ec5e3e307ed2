"""The next request of an agent before it is sent, byte for byte, as it is and as it would be if something were different.

A provider gives the bytes of a request before it opens any connection. Nothing is written and nobody is asked.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

from agents_core.errors import InvalidInput, NotFound
from agents_core.llm import tokens
from agents_core.llm.catalog import cost_usd
from agents_core.llm.types import ModelRequest, Sent, Usage
from agents_core.models import WAITING, Role, new_id, pipeline
from agents_core.models.pipeline import Statement, storable
from agents_core.record.segments import CutSegment, Plan, cut
from agents_core.record.steps import SegmentView
from agents_core.runtime.context import COMPACT_AT, ContextWindow, compile_context
from agents_core.runtime.providers import Connection, connections
from agents_core.runtime.reading import read_turn
from agents_core.runtime.state import StoredMessage, ToolFacts, Turn

SETTINGS = (
    "context_window",
    "model_settings",
    "response_format",
    "tool_rules",
    "compaction_settings",
)
"""The fields of an agent that ``Changes.settings`` may hold; the two that are objects are merged into what is there."""

_MERGED = ("model_settings", "compaction_settings")


@dataclass(frozen=True, slots=True)
class Changes:
    """What would be different. ``blocks`` are texts by label, None for a block that is not there; ``attach`` and ``detach`` name tools;
    ``settings``: see ``SETTINGS``."""

    model: str | None = None
    system: str | None = None
    blocks: Mapping[str, str | None] = field(default_factory=dict)
    attach: Sequence[str] = ()
    detach: Sequence[str] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.model or self.system is not None or self.blocks or self.attach or self.detach or self.settings)


@dataclass(frozen=True, slots=True)
class Previewed:
    """A request as its provider would send it. ``segments``, joined, are ``body``.

    ``tokens`` is our estimate, corrected by what the model reported before; ``input_usd`` what reading it costs without any cache, None
    where no price is known. ``compacts_first``: the step would make room before, so that another request is sent.
    """

    handle: str
    url: str
    body: bytes
    segments: list[SegmentView]
    tokens: int
    limit_tokens: int
    input_usd: float | None
    compacts_first: bool = False

    def usd_with(self, cached_share: float) -> float | None:
        """What reading it costs when that share of its tokens comes from the provider's cache."""
        return cost_usd(self.handle, Usage(self.tokens, cached_input_tokens=round(self.tokens * cached_share)))


async def sent_of(connection: Connection, request: ModelRequest) -> Sent:
    """The bytes of a request, without sending it. Raises ``ModelError`` for one that the provider cannot write."""
    async with aclosing(connection.provider.stream(request)) as items:
        first = await anext(items)
    assert isinstance(first, Sent)
    return first


def views(agent_id: str, sent: Sent, plan: Plan) -> list[SegmentView]:
    """The segments of a request, none of them stored."""
    return [view_of(segment) for segment in cut(agent_id, sent.body, sent.layout, plan)]


def view_of(segment: CutSegment) -> SegmentView:
    piece = segment.piece
    return SegmentView(segment.id, piece.kind, piece.source_id, piece.label, piece.tokens, segment.text.encode())


async def preview(turn: Turn, connection: Connection, window: ContextWindow) -> Previewed:
    """The request of a turn's step over ``connection``, from its context window."""
    sent = await sent_of(connection, window.request)
    return Previewed(
        connection.handle,
        sent.url,
        sent.body,
        views(turn.agent.id, sent, window.plan),
        window.tokens,
        turn.agent.context_window,
        cost_usd(connection.handle, Usage(window.tokens)),
        window.tokens > turn.agent.context_window * COMPACT_AT,
    )


async def preview_next(
    agent_id: str, conversation_id: str | None = None, message: str | None = None, changes: Changes | None = None
) -> Previewed:
    """The request that the thread's next step would send, after ``message`` of a person and with ``changes``.

    Raises ``NotFound`` for the agent, the conversation or a tool; ``InvalidInput`` for a change that cannot be made; ``UnknownModel``
    and ``ModelError`` for a model that cannot be asked.
    """
    if not tokens.is_exact():
        await asyncio.to_thread(tokens.load)
    turn = await read_turn(agent_id, conversation_id)
    if changes:
        await _change(turn, changes)
    if message:
        parts = [{"type": "text", "text": storable(message)}]
        turn.messages.append(StoredMessage(new_id("message"), Role.USER, parts, position=WAITING))
    connection = await connections().connect(turn.model)
    return await preview(turn, connection, await compile_context(turn, connection.model, connection.provider_name))


# --- what would be different -----------------------------------------------------------------------------------------


async def _change(turn: Turn, changes: Changes) -> None:
    if changes.model:
        turn.request = {**turn.request, "override_model": changes.model}
        turn.token_ratio = await _ratio(changes.model)
    if changes.system is not None:
        turn.agent = replace(turn.agent, system=changes.system)
    for label, value in changes.blocks.items():
        _change_block(turn, label, value)
    for name in changes.detach:
        if turn.tools.pop(name, None) is None:
            raise InvalidInput(f"The agent has no tool {name!r} to detach.")
    turn.tools |= await _tools_named(changes.attach)
    _change_settings(turn, changes.settings)


def _change_block(turn: Turn, label: str, value: str | None) -> None:
    state = turn.blocks.get(label)
    if state is None:
        raise InvalidInput(f"The agent has no block {label!r}.")
    if value is None:
        del turn.blocks[label]
        return
    text = storable(value)
    if len(text) > state.facts.limit:
        raise InvalidInput(f"{label} may hold {state.facts.limit:,} characters: {len(text):,} are too many.")
    turn.blocks[label] = replace(state, facts=replace(state.facts, value=text))


def _change_settings(turn: Turn, settings: Mapping[str, Any]) -> None:
    if unknown := sorted(settings.keys() - set(SETTINGS)):
        raise InvalidInput(f"{', '.join(unknown)} cannot be tried here: only {', '.join(SETTINGS)}.")
    merged = {name: {**getattr(turn.agent, name), **settings[name]} for name in _MERGED if name in settings}
    turn.agent = replace(turn.agent, **{**settings, **merged})


_RATIO = "SELECT ratio FROM token_ratio WHERE handle = %s"
_TOOLS = """
SELECT id, name, tool_type, description, json_schema -> 'parameters', source_code, return_char_limit, enable_parallel_execution
FROM tool WHERE name = ANY(%s)
"""


async def _ratio(handle: str) -> float:
    rows = (await pipeline.run([Statement(_RATIO, (handle,))]))[0]
    return float(rows[0][0]) if rows else 1.0


async def _tools_named(names: Sequence[str]) -> dict[str, ToolFacts]:
    found = (
        {row[1]: ToolFacts(*row) for row in (await pipeline.run([Statement(_TOOLS, (list(names),))]))[0]}
        if names
        else {}
    )
    if missing := [name for name in names if name not in found]:
        raise NotFound(f"There is no tool {missing[0]!r}.")
    return {name: found[name] for name in names}
