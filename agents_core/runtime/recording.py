"""The record of a model call, as part of the commit of its step."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from agents_core.llm import tokens
from agents_core.llm.catalog import cost_usd
from agents_core.llm.errors import ModelError
from agents_core.llm.types import Finished, Sent, Usage
from agents_core.models import StepStatus
from agents_core.models.pipeline import Statement, json
from agents_core.record.segments import CutSegment, Plan, Stored, cut, store_statement
from agents_core.record.worlds import World
from agents_core.runtime.context import COMPACT_AT, ContextWindow
from agents_core.runtime.persist import Commit
from agents_core.runtime.providers import Connection
from agents_core.runtime.state import Spent, Turn

_stored = Stored()


@dataclass(slots=True)
class ModelCall:
    """A model call while it goes and after: what went out, and what came back or why nothing did. ``world``: what the agent's own
    request was made from."""

    connection: Connection
    plan: Plan
    handle: str
    estimated_tokens: int
    world: World | None = None
    sent: Sent | None = None
    finished: Finished | None = None
    error: ModelError | None = None
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class StepEnd:
    """How a step ended. ``tools_ms``: what its tools took together."""

    status: str
    stop_reason: str | None = None
    tools_ms: float | None = None


_UPDATE = """
UPDATE step SET provider = %s, model = %s, handle = %s, url = %s, compacts_at = %s, segments = %s::uuid[], request_digest = %s,
    response_id = %s, request_id = %s, estimated_tokens = %s, prompt_tokens = %s, completion_tokens = %s, cached_input_tokens = %s,
    cache_write_tokens = %s, reasoning_tokens = %s, cost_usd = %s, first_token_ms = %s, model_ms = %s, error = %s,
    world_id = %s, status = %s, stop_reason = %s, tools_ms = %s, finished_at = CASE WHEN %s THEN now() END WHERE id = %s
"""
_REQUEST = """
UPDATE step SET provider = %s, model = %s, handle = %s, compacts_at = %s, segments = %s::uuid[], estimated_tokens = %s, world_id = %s
WHERE id = %s
"""
_RATIO_PRECISION = 0.0005
"""A smaller change is not written: all agents of a model would wait for each other to write one row."""
_RATIO = """
INSERT INTO token_ratio (handle, ratio, samples) VALUES (%s, %s, 1)
ON CONFLICT (handle) DO UPDATE SET ratio = EXCLUDED.ratio, samples = token_ratio.samples + 1
"""


def record_call(commit: Commit, turn: Turn, call: ModelCall, step_id: str, end: StepEnd | None) -> None:
    """Adds the record of ``call`` to a commit of its step; with ``end``, the step's end too."""
    segments = cut(turn.agent.id, call.sent.body, call.sent.layout, call.plan) if call.sent else []
    finished, usage = call.finished, call.usage
    cost = cost_usd(call.connection.handle, usage)
    response = finished.body if finished else call.error.response_body if call.error else b""
    world = call.world.stored() if call.world and call.sent else b""
    _store(commit, turn, segments, world, response)
    commit.afterwards(lambda: spend(turn.spent, usage, cost))
    commit.add(
        Statement(
            _UPDATE,
            (
                call.connection.provider_name,
                call.connection.model,
                call.handle,
                call.sent.url if call.sent else "",
                round(turn.agent.context_window * COMPACT_AT),
                f"{{{','.join(segment.id for segment in segments)}}}",
                sha256(call.sent.body).digest() if call.sent else None,
                sha256(response).digest() if response else None,
                finished.request_id if finished else None,
                call.estimated_tokens,
                usage.input_tokens,
                usage.output_tokens,
                usage.cached_input_tokens,
                usage.cache_write_tokens,
                usage.reasoning_tokens,
                cost,
                finished.first_token_ms if finished else None,
                finished.duration_ms if finished else None,
                json(error_facts(call.error)) if call.error else None,
                sha256(world).digest() if world else None,
                end.status if end else StepStatus.PENDING,
                end.stop_reason if end else None,
                end.tools_ms if end else None,
                end is not None,
                step_id,
            ),
        )
    )
    if usage.input_tokens and call.handle == turn.model:
        ratio = tokens.updated_ratio(turn.token_ratio, turn.token_samples, call.plan.tokens, usage.input_tokens)
        if turn.token_samples < tokens.RATIO_WINDOW or abs(ratio - turn.token_ratio) > _RATIO_PRECISION:
            commit.add(Statement(_RATIO, (call.handle, ratio)))


def record_request(
    commit: Commit, turn: Turn, connection: Connection, window: ContextWindow, segments: Sequence[CutSegment]
) -> None:
    """Adds the request that the turn's step is about to send to a commit. What is then sent takes its place."""
    world = window.world.stored()
    _store(commit, turn, segments, world)
    facts = (connection.provider_name, connection.model, turn.model, round(turn.agent.context_window * COMPACT_AT))
    ids = f"{{{','.join(segment.id for segment in segments)}}}"
    commit.add(Statement(_REQUEST, (*facts, ids, window.tokens, sha256(world).digest(), turn.step_id)))


def _store(commit: Commit, turn: Turn, segments: Sequence[CutSegment], world: bytes, response: bytes = b"") -> None:
    """Adds a response, and those of the segments, and the world, that this process has not stored lately for the agent."""
    new = {segment.id: segment for segment in segments if segment.id not in _stored}
    known = f"{turn.agent.id}\0{sha256(world).hexdigest()}"
    blobs = [blob for blob in (response, b"" if known in _stored else world) if blob]
    commit.add(store_statement(turn.agent.id, list(new.values()), blobs))
    commit.afterwards(lambda: _stored.add([*new, known]))


def spend(spent: Spent, usage: Usage, cost: float | None) -> None:
    """Counts a call; one whose model has no known price counts as free."""
    spent.tokens += usage.input_tokens + usage.output_tokens
    spent.cost_usd += cost or 0.0


def error_facts(error: ModelError) -> dict[str, Any]:
    return {"code": error.code, "message": error.message, "status": error.status}
