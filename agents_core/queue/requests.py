"""A request to an agent as statements: its messages, the run that answers them, and the run's job."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any
from uuid import UUID

from agents_core.events.publish import Publication
from agents_core.events.types import ApprovalAnswered, MessageCreated, RunCreated
from agents_core.models import WAITING, new_id
from agents_core.models.pipeline import Statement, json
from agents_core.queue.tasks import defer_run


@dataclass(frozen=True, slots=True)
class Input:
    """A message to an agent. ``content``: parts as a stored message holds them (agents_core.models.messages)."""

    role: str
    content: list[dict[str, Any]]
    name: str | None = None
    otid: str | None = None
    sender_id: str | None = None


def said(role: str, text: str, **about: Any) -> Input:
    """A message that is plain text."""
    return Input(role, [{"type": "text", "text": text}], **about)


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
class QueuedRun:
    """What a transaction writes to queue a run: the ``publication`` in the agent's stream first, ``statements`` after it.

    They fail with SerializationFailure when there is no such agent, and with UniqueViolation when there is such a run.
    """

    publication: Publication
    statements: list[Statement]

    @property
    def all(self) -> list[Statement]:
        return [self.publication.statement(), *self.statements]


NO_AGENT = "agent not found"
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
SELECT ensure(EXISTS (SELECT 1 FROM queued), '{NO_AGENT}')
"""
_TOUCH = "UPDATE conversation SET last_message_at = now(), updated_at = now() WHERE id = %s"


def queued_run(
    agent_id: str,
    inputs: Sequence[Input],
    run_id: str,
    *,
    conversation_id: str | None = None,
    options: RunOptions | None = None,
    request: dict[str, Any] | None = None,
    background: bool = False,
    callback_url: str | None = None,
    metadata: dict[str, Any] | None = None,
) -> QueuedRun:
    """A run that answers ``inputs``, after those of its conversation that were queued before. ``request``: what it is asked for beside
    ``options``."""
    publication = Publication(agent_id, run_id)
    first = publication.add(RunCreated())
    options = options or RunOptions()
    if options.answers:
        publication.add(ApprovalAnswered([answer.tool_call_id for answer in options.answers]))
    rows = [(new_id("message"), message) for message in [*_noted(options.answers), *inputs]]
    places = [publication.add(MessageCreated(message_id, message.role)) for message_id, message in rows]
    asked = asdict(options)
    asked = asked.pop("shown") | {name: value for name, value in asked.items() if value} | (request or {})
    messages = [
        {**asdict(message), "id": message_id, "behind": publication.seq_behind_last(place)}
        for (message_id, message), place in zip(rows, places, strict=True)
    ]
    of_run = (run_id, conversation_id, json(asked), background, json(metadata or {}), callback_url)
    of_messages = (conversation_id, run_id, WAITING, json(messages))
    statements = [
        Statement(_INSERT, (*of_run, publication.seq_behind_last(first), agent_id, *of_messages, agent_id)),
        defer_run(agent_id, run_id, conversation_id),
    ]
    if conversation_id:
        statements.append(Statement(_TOUCH, (conversation_id,)))
    return QueuedRun(publication, statements)


def _noted(answers: Sequence[CallAnswer]) -> list[Input]:
    """The answers as a message of the history, which no model reads."""
    parts = [{name: value for name, value in asdict(answer).items() if value is not None} for answer in answers]
    return [Input("approval", parts)] if parts else []


def run_id_from(*origin: str) -> str:
    """A run's id that is the same whenever it is asked for with the same ``origin``: a repeated attempt then finds the run that exists."""
    return f"run-{UUID(bytes=sha256('/'.join(origin).encode()).digest()[:16], version=4)}"
