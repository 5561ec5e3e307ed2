"""Speaking to an agent: a message becomes a run, which a worker executes."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from psycopg.errors import SerializationFailure

from agents_core.errors import AgentsError, InvalidInput, NotFound, Refused
from agents_core.events.hub import hub
from agents_core.events.publish import Publication
from agents_core.events.types import ApprovalAnswered, MessageCreated, RunCreated
from agents_core.models import ACTIVE, WAITING, new_id, pipeline
from agents_core.models.pipeline import Statement, json
from agents_core.queue.tasks import defer_run
from agents_core.runtime.approvals import PendingApproval


@dataclass(frozen=True, slots=True)
class Input:
    """A message to an agent. ``content``: parts as a stored message holds them (agents_core.models.messages)."""

    role: str
    content: list[dict[str, Any]]
    name: str | None = None
    otid: str | None = None
    sender_id: str | None = None


@dataclass(frozen=True, slots=True)
class CallAnswer:
    """The answer to a tool call that waits. ``type`` "approval": ``approve`` it, perhaps with other ``arguments``, or deny it for a
    ``reason``; "tool": the result in its place, ``tool_return`` with its ``status``, "success" or "error"."""

    tool_call_id: str
    type: str = "approval"
    approve: bool = False
    reason: str | None = None
    arguments: dict[str, Any] | None = None
    tool_return: str = ""
    status: str = "success"
    stdout: str | None = None
    stderr: str | None = None


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a run may be asked for; kept with it. ``client_tools`` are {name, description, parameters}. ``answers`` are those to all calls
    that wait in the thread. ``budgets`` by the names of ``runtime.budgets.OF_REQUEST``; ``shown`` how the caller wants its messages, where
    that was said."""

    max_steps: int | None = None
    override_model: str | None = None
    override_system: str | None = None
    include_compaction_messages: bool = False
    client_tools: Sequence[dict[str, Any]] = ()
    budgets: Mapping[str, float] = field(default_factory=dict)
    shown: Mapping[str, Any] = field(default_factory=dict)
    answers: Sequence[CallAnswer] = ()


@dataclass(frozen=True, slots=True)
class SentRun:
    """A run that was queued. ``first_seq`` is the number of its first event: follow the stream from just before it."""

    run_id: str
    first_seq: int


_NO_AGENT = "agent not found"
_INSERT = f"""
WITH queued AS (
    INSERT INTO run (id, agent_id, conversation_id, status, request, background, metadata, attempts,
    cancel_requested, callback_url, first_seq)
    SELECT %s, agent.id, %s, 'created', %s, %s, %s, 0, false, %s, agent.event_seq - %s FROM agent WHERE agent.id = %s
    RETURNING agent_id
), said AS (
    INSERT INTO message (id, agent_id, conversation_id, run_id, seq, role, content, tool_calls, tool_returns, name, otid, sender_id,
                         context_position, indexed)
    SELECT m.id, agent.id, %s, %s, agent.event_seq - m.behind, m.role, m.content, '[]', '[]', m.name, m.otid, m.sender_id,
        CASE WHEN m.role <> 'approval' THEN %s::bigint END, false
    FROM agent, jsonb_to_recordset(%s) AS m (id text, behind int, role text, content jsonb, name text, otid text, sender_id text)
    WHERE agent.id = %s
)
SELECT ensure(EXISTS (SELECT 1 FROM queued), '{_NO_AGENT}')
"""
_TAKE_AWAITING = """
WITH taken AS (
    UPDATE tool_call SET status = 'held' FROM step WHERE step.id = step_id AND tool_call.agent_id = %s AND tool_call.status = 'awaiting'
    AND step.conversation_id IS NOT DISTINCT FROM %s RETURNING call_id
)
SELECT ensure(coalesce(
    (SELECT array_agg(call_id ORDER BY call_id) FROM taken) = %s::text[],
    -- none wait: the same answers may have come before
    (SELECT count(*) FROM tool_call WHERE agent_id = %s AND call_id = ANY (%s)) >= cardinality(%s::text[])
), 'other calls wait')
"""
_NOTHING_AWAITED = """
SELECT ensure(NOT EXISTS (SELECT 1 FROM tool_call JOIN step ON step.id = step_id WHERE tool_call.agent_id = %s
    AND tool_call.status = 'awaiting' AND step.conversation_id IS NOT DISTINCT FROM %s), 'calls wait')
"""
_TOUCH = "UPDATE conversation SET last_message_at = now(), updated_at = now() WHERE id = %s"


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
    publication = Publication(agent_id, run_id)
    first = publication.add(RunCreated())
    if options.answers:
        publication.add(ApprovalAnswered([answer.tool_call_id for answer in options.answers]))
    rows = [(new_id("message"), message) for message in [*_noted(options.answers), *inputs]]
    places = [publication.add(MessageCreated(message_id, message.role)) for message_id, message in rows]
    asked = asdict(options)
    request = asked.pop("shown") | {name: value for name, value in asked.items() if value}
    said = [
        {**asdict(message), "id": message_id, "behind": publication.seq_behind_last(place)}
        for (message_id, message), place in zip(rows, places, strict=True)
    ]
    of_run = (run_id, conversation_id, json(request), background, json(metadata or {}), callback_url)
    of_messages = (conversation_id, run_id, WAITING, json(said))
    statements = [
        publication.statement(),
        _thread_is_free(agent_id, conversation_id, options.answers),
        Statement(_INSERT, (*of_run, publication.seq_behind_last(first), agent_id, *of_messages, agent_id)),
        defer_run(agent_id, run_id, conversation_id),
    ]
    if conversation_id:
        statements.append(Statement(_TOUCH, (conversation_id,)))
    return statements


def _noted(answers: Sequence[CallAnswer]) -> list[Input]:
    """The answers as a message of the history, which no model reads."""
    parts = [{name: value for name, value in asdict(answer).items() if value is not None} for answer in answers]
    return [Input("approval", parts)] if parts else []


def _thread_is_free(agent_id: str, conversation_id: str | None, answers: Sequence[CallAnswer]) -> Statement:
    """Takes the calls that wait, which have to be those of ``answers``; without answers there must be none."""
    thread = (agent_id, conversation_id)
    if not answers:
        return Statement(_NOTHING_AWAITED, thread)
    ids = sorted(answer.tool_call_id for answer in answers)
    return Statement(_TAKE_AWAITING, (*thread, ids, agent_id, ids, ids))


async def _why(
    error: SerializationFailure, agent_id: str, conversation_id: str | None, answers: Sequence[CallAnswer]
) -> AgentsError:
    """What a refused transaction means."""
    waiting = await pending(agent_id, conversation_id)
    match error.diag.message_primary:
        case message if message == _NO_AGENT:
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
    ``usage`` holds the sums over its steps, and ``steps`` their number."""

    agent_type: str
    status: str
    stop_reason: str
    error: dict[str, Any] | None
    messages: list[dict[str, Any]] = field(default_factory=list)
    steps: int = 0
    usage: dict[str, int] = field(default_factory=dict)


MESSAGE_COLUMNS = (
    "id", "agent_id", "conversation_id", "run_id", "step_id", "seq", "role", "content", "tool_calls", "tool_returns",
    "name", "otid", "sender_id", "context_position", "created_at",
)  # fmt: skip
USAGE = ("prompt_tokens", "completion_tokens", "cached_input_tokens", "cache_write_tokens", "reasoning_tokens")

_POLL_S = 5.0
_RUN = "SELECT agent_type, status, stop_reason, error FROM run JOIN agent ON agent.id = agent_id WHERE run.id = %s"
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
    agent_type, status, stop_reason, error = run[0]
    steps, *usage = sums[0]
    return RunOutcome(
        agent_type,
        status,
        stop_reason,
        error,
        [dict(zip(MESSAGE_COLUMNS, row, strict=True)) for row in messages],
        steps,
        dict(zip(USAGE, usage, strict=True)),
    )
