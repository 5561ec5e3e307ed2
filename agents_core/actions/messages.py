"""Speaking to an agent: a message becomes a run, which a worker executes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from psycopg.errors import SerializationFailure

from agents_core.errors import InvalidInput, NotFound
from agents_core.events.hub import hub
from agents_core.models import ACTIVE, new_id, pipeline
from agents_core.models.pipeline import Statement
from agents_core.queue.requests import Input, RunOptions, queued_run

__all__ = ["MESSAGE_COLUMNS", "USAGE", "Input", "RunOptions", "RunOutcome", "SentRun", "ask", "outcome", "send"]


@dataclass(frozen=True, slots=True)
class SentRun:
    """A run that was queued. ``first_seq`` is the number of its first event: follow the stream from just before it."""

    run_id: str
    first_seq: int


async def send(
    agent_id: str,
    inputs: Sequence[Input],
    *,
    conversation_id: str | None = None,
    options: RunOptions | None = None,
    background: bool = False,
    callback_url: str | None = None,
    metadata: dict[str, Any] | None = None,
    run_id: str | None = None,
) -> SentRun:
    """Stores the messages and queues a run that answers them, all in one transaction; returns at once.

    ``run_id``: the id that the run gets, for who wants to listen for it beforehand.

    Messages sent while the conversation has a run on are answered after it, in order. Raises ``NotFound`` for the agent,
    ``InvalidInput`` without messages.
    """
    if not inputs:
        raise InvalidInput("Send at least one message.")
    run = queued_run(
        agent_id,
        inputs,
        run_id or new_id("run"),
        conversation_id=conversation_id,
        options=options,
        background=background,
        callback_url=callback_url,
        metadata=metadata,
    )
    try:
        seqs = (await pipeline.run(run.all))[0]
    except SerializationFailure:
        raise NotFound("Agent not found") from None
    assert run.publication.run_id is not None
    return SentRun(run.publication.run_id, seqs[0][0])


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended. ``messages`` are its stored messages in order, the inputs left out, as dicts of the table's columns;
    ``usage`` holds the sums over its steps, and ``steps`` their number. ``sleeptime_run_ids``: runs of the agents that tend this one's
    memory, which its end has called."""

    agent_type: str
    status: str
    stop_reason: str
    error: dict[str, Any] | None
    messages: list[dict[str, Any]] = field(default_factory=list)
    steps: int = 0
    usage: dict[str, int] = field(default_factory=dict)
    sleeptime_run_ids: list[str] = field(default_factory=list)


MESSAGE_COLUMNS = (
    "id", "agent_id", "conversation_id", "run_id", "step_id", "seq", "role", "content", "tool_calls", "tool_returns",
    "name", "otid", "sender_id", "context_position", "created_at",
)  # fmt: skip
USAGE = ("prompt_tokens", "completion_tokens", "cached_input_tokens", "cache_write_tokens", "reasoning_tokens")

_POLL_S = 5.0
_RUN = "SELECT agent_type, status, stop_reason, error, run.metadata FROM run JOIN agent ON agent.id = agent_id WHERE run.id = %s"
_MESSAGES = f"SELECT {', '.join(MESSAGE_COLUMNS)} FROM message WHERE run_id = %s AND step_id IS NOT NULL ORDER BY seq"
_SUMMED = ", ".join(f"coalesce(sum({name}), 0)::bigint" for name in USAGE)
_SUMS = f"SELECT count(*), {_SUMMED} FROM step WHERE run_id = %s AND kind = 'agent'"


async def ask(agent_id: str, inputs: Sequence[Input], **options: Any) -> RunOutcome:
    """Sends messages as ``send`` does, and waits for the run's end, however long that takes; gives how it ended and what it said."""
    run_id = new_id("run")
    with hub().bell(run_id) as bell:
        await hub().ready()
        await send(agent_id, inputs, run_id=run_id, **options)
        while True:
            await bell.wait(_POLL_S)
            ended = await outcome(run_id)
            if ended.status not in ACTIVE:
                return ended


async def outcome(run_id: str) -> RunOutcome:
    """A run as it stands. Raises ``NotFound``."""
    params = (run_id,)
    run, messages, sums = await pipeline.run(
        [Statement(_RUN, params), Statement(_MESSAGES, params), Statement(_SUMS, params)]
    )
    if not run:
        raise NotFound("Run not found")
    agent_type, status, stop_reason, error, metadata = run[0]
    steps, *usage = sums[0]
    return RunOutcome(
        agent_type,
        status,
        stop_reason,
        error,
        [dict(zip(MESSAGE_COLUMNS, row, strict=True)) for row in messages],
        steps,
        dict(zip(USAGE, usage, strict=True)),
        metadata.get("sleeptime_run_ids", []),
    )
