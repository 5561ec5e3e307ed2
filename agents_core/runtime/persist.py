"""What a run writes: events, messages and other statements, as one batch of SQL in one transaction."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from psycopg.errors import SerializationFailure

from agents_core.events.publish import Publication, lock_agents
from agents_core.events.types import AnyEvent, MessageCreated, StepStarted
from agents_core.models import pipeline
from agents_core.models.pipeline import Rows, Statement, json
from agents_core.runtime.state import StoredMessage, Turn


class RunNotActive(Exception):
    """The run has ended, or another worker has taken it up: there is nothing left to do here."""


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to store. ``position``: None puts it at the end of the context, WAITING keeps it for its run's first answer."""

    id: str
    role: str
    content: list[dict[str, Any]]
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    tool_returns: list[dict[str, Any]] = field(default_factory=list)
    name: str | None = None
    otid: str | None = None
    sender_id: str | None = None
    position: int | None = None

    def stored(self) -> StoredMessage:
        return StoredMessage(self.id, self.role, self.content, self.tool_calls, self.tool_returns, self.position)


_INSERT_MESSAGES = """
INSERT INTO message (id, agent_id, conversation_id, run_id, step_id, seq, role, content, tool_calls, tool_returns,
                     name, otid, sender_id, context_position, indexed)
SELECT m.id, agent.id, %s, %s, %s, agent.event_seq - m.behind, m.role, m.content, m.tool_calls, m.tool_returns,
       m.name, m.otid, m.sender_id, coalesce(m.position, agent.event_seq - m.behind), false
FROM agent, jsonb_to_recordset(%s) AS m (id text, behind int, role text, content jsonb, tool_calls jsonb, tool_returns jsonb,
                                         name text, otid text, sender_id text, position bigint)
WHERE agent.id = %s
"""

NOT_ACTIVE = "run not active"
_STILL_OURS = f"""
SELECT ensure(EXISTS (SELECT 1 FROM run WHERE id = %s AND status = 'running' AND attempts = %s), '{NOT_ACTIVE}')
"""
_OTHER_HOLDERS = "SELECT agent_id, block_id FROM agent_block WHERE block_id = ANY(%s) AND agent_id <> %s"


@dataclass(slots=True)
class Commit:
    """What one transaction writes about a run: events, messages and other statements, and what it reads back by name.

    ``attempt``: the worker's own, once it has taken the run up. A worker that was thought dead, and has a successor, then writes nothing.
    """

    agent_id: str
    conversation_id: str | None
    run_id: str
    step_id: str | None = None
    attempt: int | None = None
    _publication: Publication = field(init=False)
    _to_holders: list[tuple[str, AnyEvent]] = field(default_factory=list)
    _elsewhere: list[Publication] = field(default_factory=list)
    _messages: list[tuple[NewMessage, int]] = field(default_factory=list)
    _statements: list[tuple[str | None, Statement]] = field(default_factory=list)
    _afterwards: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._publication = Publication(self.agent_id, self.run_id, self.step_id)

    def emit(self, event: AnyEvent, *, step_id: str | None = None) -> None:
        self._publication.step_id = step_id or self.step_id
        self._publication.add(event)

    def emit_to_holders(self, block_id: str, event: AnyEvent) -> None:
        """Tells of a block's change here, and in the streams of all other agents that hold it."""
        self.emit(event)
        self.tell_other_holders(block_id, event)

    def begin_step(self, step_id: str) -> None:
        """Numbers a step, and tells of it."""
        self._publication.steps += 1
        self.emit(StepStarted(), step_id=step_id)

    def tell_other_holders(self, block_id: str, event: AnyEvent) -> None:
        """Tells the streams of all other agents that hold the block."""
        self._to_holders.append((block_id, event))

    def publish_elsewhere(self, publication: Publication) -> None:
        """Tells another agent's stream too."""
        self._elsewhere.append(publication)

    def message(self, message: NewMessage) -> None:
        """Stores a message and tells of it; its seq is the number of that event."""
        self._publication.step_id = self.step_id
        self._messages.append((message, self._publication.add(MessageCreated(message.id, message.role))))

    def afterwards(self, action: Callable[[], None]) -> None:
        """Calls ``action`` once it is all written."""
        self._afterwards.append(action)

    def add(self, statement: Statement, name: str | None = None) -> None:
        """Adds a statement after events and messages; its rows come back under ``name``."""
        self._statements.append((name, statement))

    async def run(self) -> dict[str, Rows]:
        """Writes it all, or nothing.

        Raises ``SerializationFailure`` when something that it counted on had changed, ``RunNotActive`` when the run is no longer ours.
        """
        others = [*(await self._others() if self._to_holders else ()), *self._elsewhere]
        named: list[tuple[str | None, Statement]] = []
        if others:
            named.append((None, lock_agents([self.agent_id, *(other.agent_id for other in others)])))
        named.append(("seqs", self._publication.statement()))
        if self.attempt is not None:
            named.append((None, Statement(_STILL_OURS, (self.run_id, self.attempt))))
        named += [(None, other.statement()) for other in others]
        if self._messages:
            named.append((None, self._insert_messages()))
        named += self._statements
        try:
            rows = await pipeline.run(statement for _, statement in named)
        except SerializationFailure as error:
            if error.diag.message_primary == NOT_ACTIVE:
                raise RunNotActive(self.run_id) from None
            raise
        for action in self._afterwards:
            action()
        return {name: found for (name, _), found in zip(named, rows, strict=True) if name}

    async def _others(self) -> list[Publication]:
        """The publications to other agents that hold the blocks written here."""
        blocks = [block_id for block_id, _ in self._to_holders]
        others: dict[str, Publication] = {}
        for agent_id, block_id in (await pipeline.run([Statement(_OTHER_HOLDERS, (blocks, self.agent_id))]))[0]:
            other = others.setdefault(agent_id, Publication(agent_id))
            for changed, event in self._to_holders:
                if changed == block_id:
                    other.add(event)
        return list(others.values())

    def _insert_messages(self) -> Statement:
        rows = [
            {**asdict(message), "behind": self._publication.seq_behind_last(place)} for message, place in self._messages
        ]
        owner = (self.conversation_id, self.run_id, self.step_id)
        return Statement(_INSERT_MESSAGES, (*owner, json(rows), self.agent_id))


def commit_of(turn: Turn, step_id: str | None = None) -> Commit:
    """A commit about the turn's step, or another of its steps."""
    return Commit(turn.agent.id, turn.conversation_id, turn.run_id, step_id or turn.step_id, turn.attempt)
