"""The only writer of events.

The numbers come from ``UPDATE agent SET event_seq = event_seq + n`` in the publisher's own transaction, and those of steps with them: its
row lock makes the order of commits equal the order of numbers, so "after 117" is a correct cursor for readers. Hence short transactions,
and never a model or sandbox call inside one.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from agents_core.events.doorbell import RING
from agents_core.events.types import AnyEvent, payload_of
from agents_core.models.pipeline import Statement, json, run_sync

_PUBLISH = f"""
WITH taken AS (UPDATE agent SET event_seq = event_seq + %s, step_count = step_count + %s WHERE id = %s RETURNING event_seq)
INSERT INTO event (agent_id, seq, type, run_id, step_id, payload)
SELECT %s, taken.event_seq - %s + e.n, e.type, e.run_id, e.step_id, e.payload
FROM taken, jsonb_to_recordset(%s) AS e (n int, type text, run_id text, step_id text, payload jsonb)
RETURNING seq, {RING}
"""


@dataclass(slots=True)
class Publication:
    """The events that one transaction tells of one agent, in order. ``run_id`` and ``step_id`` stand on each event added; ``steps``: how
    many steps it begins."""

    agent_id: str
    run_id: str | None = None
    step_id: str | None = None
    steps: int = 0
    _rows: list[tuple[AnyEvent, str | None, str | None]] = field(default_factory=list)

    def add(self, event: AnyEvent) -> int:
        """Appends an event; gives its place in this publication, for ``seq_sql``."""
        self._rows.append((event, self.run_id, self.step_id))
        return len(self._rows) - 1

    def __len__(self) -> int:
        return len(self._rows)

    def statement(self) -> Statement:
        """The statement that numbers, writes and announces the events: first in its transaction, so that its row lock is taken first.

        It gives the rows ``(seq, _)`` in order; none when the agent does not exist.
        """
        count = len(self._rows)
        rows = [
            {"n": n, "type": event.type, "run_id": run_id, "step_id": step_id, "payload": payload_of(event)}
            for n, (event, run_id, step_id) in enumerate(self._rows, start=1)
        ]
        return Statement(_PUBLISH, (count, self.steps, self.agent_id, self.agent_id, count, json(rows)))

    def seq_behind_last(self, place: int) -> int:
        """How far the event at ``place`` stands behind the last: its seq is ``agent.event_seq`` minus this, once published."""
        return len(self._rows) - 1 - place


def lock_agents(agent_ids: Collection[str]) -> Statement:
    """Locks several agents in one order, for a transaction that publishes to more than one: two of them can then not deadlock.

    Rows that refer to the agent can be written meanwhile: whoever writes them may hold what this transaction waits for next.
    """
    return Statement("SELECT id FROM agent WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", (sorted(agent_ids),))


def publish(agent_id: str, *events: AnyEvent, run_id: str | None = None, step_id: str | None = None) -> int:
    """Writes ``events`` in the caller's transaction on Django's connection; gives the seq of the last. Raises
    LookupError without the agent."""
    publication = Publication(agent_id, run_id, step_id)
    for event in events:
        publication.add(event)
    rows = run_sync([publication.statement()])[0]
    if not rows:
        raise LookupError(agent_id)
    return int(rows[-1][0])
