"""The doorbell: says that an agent has new events, and no more. A lost ring costs a subscriber one poll. Only this file knows how it is carried."""

from collections.abc import AsyncIterator

from psycopg import AsyncConnection

from agents_core.models.pipeline import Statement, connection_settings

_CHANNEL = "mnemoscope"


def ring(agent_id: str) -> Statement:
    """The statement that rings for ``agent_id`` when its transaction commits."""
    return Statement("SELECT pg_notify(%s, %s)", (_CHANNEL, agent_id))


async def rings() -> AsyncIterator[str | None]:
    """Yields None once it listens, then the id of each agent that is rung for. Raises psycopg's OperationalError when the connection breaks."""
    async with await AsyncConnection.connect(**connection_settings(), autocommit=True) as connection:
        await connection.execute(f"LISTEN {_CHANNEL}")
        yield None
        async for notification in connection.notifies():
            yield notification.payload
