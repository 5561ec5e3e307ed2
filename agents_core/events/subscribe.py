"""Reading events by cursor: the same for SSE, the websocket and the JSON answer."""

from collections.abc import AsyncGenerator, Sequence
from time import monotonic

from agents_core.events.hub import hub
from agents_core.events.types import StoredEvent, parse
from agents_core.models import pipeline
from agents_core.models.pipeline import Statement

_POLL_S = 5.0
_BATCH = 500

_READ = """
SELECT seq, type, payload, run_id, step_id, created_at FROM event
WHERE agent_id = %s AND seq > %s AND (%s::text IS NULL OR run_id = %s) AND (%s::text[] IS NULL OR type = ANY(%s))
ORDER BY seq LIMIT %s
"""


def read_statement(
    agent_id: str, after: int, *, run_id: str | None = None, types: Sequence[str] | None = None, limit: int = _BATCH
) -> Statement:
    """The statement that gives the rows of an agent's events after ``after``, oldest first; see ``stored``."""
    chosen = None if types is None else list(types)
    return Statement(_READ, (agent_id, after, run_id, run_id, chosen, chosen, limit))


def stored(rows: pipeline.Rows) -> list[StoredEvent]:
    return [
        StoredEvent(seq, parse(kind, payload), run_id, step_id, created_at)
        for seq, kind, payload, run_id, step_id, created_at in rows
    ]


async def read(
    agent_id: str, after: int, *, run_id: str | None = None, types: Sequence[str] | None = None
) -> list[StoredEvent]:
    """The events of an agent after ``after``, oldest first, at most 500; of one run or of some types only, where given."""
    return stored((await pipeline.run([read_statement(agent_id, after, run_id=run_id, types=types)]))[0])


async def follow(
    agent_id: str,
    after: int,
    *,
    run_id: str | None = None,
    types: Sequence[str] | None = None,
    idle_s: float = 20.0,
) -> AsyncGenerator[list[StoredEvent], None]:
    """Yields batches of events as they are committed, for ever; an empty batch after each ``idle_s`` seconds of silence.

    Misses none: the bell is hung up before the first read, and a lost ring costs one poll of 5 seconds at most.
    """
    with hub().bell(agent_id) as bell:
        spoke_at = monotonic()
        while True:
            batch = await read(agent_id, after, run_id=run_id, types=types)
            if batch or monotonic() - spoke_at >= idle_s:
                after = batch[-1].seq if batch else after
                yield batch
                spoke_at = monotonic()
            if not batch:
                await bell.wait(min(_POLL_S, max(0.0, idle_s - (monotonic() - spoke_at))))
