"""The doorbell: says that an agent has new events or that a run has ended, and no more. A lost ring costs a
subscriber one poll. Only this file knows how it is carried."""

from collections.abc import AsyncIterator

from psycopg import AsyncConnection

from agents_core.models.pipeline import Statement, connection_settings

_CHANNEL = "mnemoscope"


RING = f"pg_notify('{_CHANNEL}', CASE WHEN type = 'run.ended' THEN run_id ELSE agent_id END), pg_notify('{_CHANNEL}', agent_id)"
"""The SQL that rings for an event's agent, and for its run when that has ended, once each when the transaction commits."""


def ring(rung_for: str) -> Statement:
    """The statement that rings for something else than events, a group's turn, when the transaction commits."""
    return Statement("SELECT pg_notify(%s, %s)", (_CHANNEL, rung_for))


async def rings() -> AsyncIterator[str | None]:
    """Yields None once it listens, then the id of each agent or run that is rung for. Raises psycopg's
    OperationalError when the connection breaks."""
    async with await AsyncConnection.connect(**connection_settings(), autocommit=True) as connection:
        await connection.execute(f"LISTEN {_CHANNEL}")
        yield None
        async for notification in connection.notifies():
            yield notification.payload
