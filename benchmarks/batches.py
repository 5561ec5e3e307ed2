"""A batch of ten small statements, as psycopg's pipeline runs it and as ours does: ``python -m benchmarks.batches``, on the project's
database."""

import asyncio
import os
import statistics
import time
from collections.abc import Awaitable, Callable

import django
from psycopg import AsyncConnection

STATEMENT = "SELECT %s::text, %s::int + %s, %s::float8, %s::bool"
PARAMS = ("a", 1, 2, 0.5, None)
BATCH = 10
BATCHES = 300
ROUNDS = 5


async def main() -> None:
    from agents_core.models import pipeline
    from agents_core.models.pipeline import Statement

    statements = [Statement(STATEMENT, PARAMS)] * BATCH

    async def ours() -> None:
        await pipeline.run(statements)

    settings = pipeline.connection_settings()
    async with await AsyncConnection.connect(**settings, autocommit=True) as connection:

        async def theirs() -> None:
            async with connection.pipeline():
                cursors = [await connection.execute(*statement) for statement in statements]
            for cursor in cursors:
                await cursor.fetchall()

        pairs = [(await _measure(theirs), await _measure(ours)) for _ in range(ROUNDS)]
    await pipeline.close_pool()
    print(f"{BATCH} statements in one transaction, median of {ROUNDS} rounds of {BATCHES}, wall and CPU of the client")
    for name, side in (("psycopg's pipeline", 0), ("ours", 1)):
        wall, cpu = (statistics.median(pair[side][column] for pair in pairs) for column in (0, 1))
        print(f"{name:>20} {wall:6.2f} ms {cpu:6.2f} ms")
    ratios = [statistics.median(pair[0][column] / pair[1][column] for pair in pairs) for column in (0, 1)]
    print(f"{'ratio':>20} {ratios[0]:6.2f}    {ratios[1]:6.2f}")


async def _measure(batch: Callable[[], Awaitable[None]]) -> tuple[float, float]:
    """Wall time and CPU time of one batch, in milliseconds."""
    for _ in range(20):
        await batch()
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(BATCHES):
        await batch()
    return (time.perf_counter() - wall) * 1000 / BATCHES, (time.process_time() - cpu) * 1000 / BATCHES


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ade.settings")
    django.setup()
    asyncio.run(main())
