"""Speaking to an agent: a message becomes a run, which a worker executes."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from psycopg.errors import SerializationFailure

from agents_core.errors import AgentsError, InvalidInput, NotFound, Refused
from agents_core.events.hub import hub
from agents_core.models import ACTIVE, new_id, pipeline
from agents_core.models.pipeline import Statement, json
from agents_core.queue.requests import NO_AGENT, CallAnswer, Input, RunOptions, queued_run
from agents_core.runtime.approvals import PendingApproval

__all__ = [
    "MESSAGE_COLUMNS", "USAGE", "CallAnswer", "Input", "Pending", "RunOptions", "RunOutcome", "SentRun", "ask", "outcome", "pending",
    "send", "send_statements",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class SentRun:
    """A run that was queued. ``first_seq`` is the number of its first event: follow the stream from just before it."""

    run_id: str
    first_seq: int


_TAKE_AWAITING = """
WITH taken AS (
    UPDATE tool_call SET status = 'held' FROM step WHERE step.id = step_id AND tool_call.agent_id = %s AND tool_call.status = 'awaiting'
    AND step.conversation_id IS NOT DISTINCT FROM %s RETURNING call_id
)
SELECT ensure(coalesce(
    (SELECT array_agg(call_id ORDER BY call_id) FROM taken) = %s::text[],
    -- none wait: the same answers may have come before
    NOT EXISTS (SELECT 1 FROM jsonb_array_elements(%s) AS given WHERE NOT EXISTS (
        SELECT 1 FROM run WHERE agent_id = %s AND request -> 'answers' @> jsonb_build_array(given)))
), 'other calls wait')
"""
_NOTHING_AWAITED = """
SELECT ensure(NOT EXISTS (SELECT 1 FROM tool_call JOIN step ON step.id = step_id WHERE tool_call.agent_id = %s
    AND tool_call.status = 'awaiting' AND step.conversation_id IS NOT DISTINCT FROM %s), 'calls wait')
"""


async def send(
    agent_id: str, inputs: Sequence[Input], *, also: Sequence[Statement] = (), run_id: str | None = None, **how: Any
) -> SentRun:
    """Stores the messages and queues a run that answers them, all in one transaction; returns at once.

    Args:
        also: further statements of the same transaction.
        run_id: the id that the run gets, for who wants to listen for it beforehand.
        how: as ``send_statements`` takes it.

    Messages sent while the conversation has a run on are answered after it, in order. Raises ``NotFound`` for the agent,
    ``InvalidInput`` without messages, ``PendingApproval`` when calls wait that are not answered, ``Refused`` for answers to other calls
    than those that wait.
    """
    run_id = run_id or new_id("run")
    statements = send_statements(run_id, agent_id, inputs, **how)
    try:
        seqs = (await pipeline.run([*statements, *also]))[0]
    except SerializationFailure as error:
        options = how.get("options") or RunOptions()
        raise await _why(error, agent_id, how.get("conversation_id"), options.answers) from None
    return SentRun(run_id, seqs[0][0])


def send_statements(
    run_id: str,
    agent_id: str,
    inputs: Sequence[Input],
    *,
    conversation_id: str | None = None,
    options: RunOptions | None = None,
    background: bool = False,
    callback_url: str | None = None,
    metadata: dict[str, Any] | None = None,
) -> list[Statement]:
    """The statements of ``send``, the publication first. Raises ``InvalidInput`` without messages."""
    options = options or RunOptions()
    if not inputs and not options.answers:
        raise InvalidInput("Send at least one message.")
    run = queued_run(
        agent_id,
        inputs,
        run_id,
        conversation_id=conversation_id,
        options=options,
        background=background,
        callback_url=callback_url,
        metadata=metadata,
    )
    free = _thread_is_free(agent_id, conversation_id, options.answers)
    return [run.publication.statement(), free, *run.statements]


def _thread_is_free(agent_id: str, conversation_id: str | None, answers: Sequence[CallAnswer]) -> Statement:
    """Takes the calls that wait, which have to be those of ``answers``; without answers there must be none."""
    thread = (agent_id, conversation_id)
    if not answers:
        return Statement(_NOTHING_AWAITED, thread)
    ids = sorted(answer.tool_call_id for answer in answers)
    return Statement(_TAKE_AWAITING, (*thread, ids, json([asdict(answer) for answer in answers]), agent_id))


async def _why(
    error: SerializationFailure, agent_id: str, conversation_id: str | None, answers: Sequence[CallAnswer]
) -> AgentsError:
    """What a refused transaction means."""
    waiting = await pending(agent_id, conversation_id)
    match error.diag.message_primary:
        case message if message == NO_AGENT:
            return NotFound("Agent not found")
        case "calls wait":
            return PendingApproval(waiting.message_id if waiting else None)
        case "other calls wait" if waiting is None:
            return Refused("No tool call is currently awaiting approval")
        case "other calls wait" if waiting is not None:
            given = [answer.tool_call_id for answer in answers]
            return Refused(f"Invalid tool call IDs. Expected {waiting.call_ids}, but received {given}")
    raise error


@dataclass(frozen=True, slots=True)
class Pending:
    """Calls of a thread that wait for an answer: ids of the message that holds them, of its run, and of the calls in their order."""

    message_id: str
    run_id: str
    step_id: str
    call_ids: list[str]


_PENDING = """
SELECT message.id, step.run_id, step.id, array_agg(call_id ORDER BY tool_call.position)
FROM tool_call JOIN step ON step.id = step_id JOIN message ON message.step_id = step.id AND message.role = 'assistant'
WHERE tool_call.agent_id = %s AND tool_call.status = 'awaiting' AND step.conversation_id IS NOT DISTINCT FROM %s
GROUP BY message.id, step.run_id, step.id
"""


async def pending(agent_id: str, conversation_id: str | None = None) -> Pending | None:
    """What the thread waits for."""
    rows = (await pipeline.run([Statement(_PENDING, (agent_id, conversation_id))]))[0]
    return Pending(*rows[0]) if rows else None


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
