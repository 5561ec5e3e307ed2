"""How long archival memory takes: ``python -m benchmarks.retrieval [passages …]``, on the project's database.

Passages are 40 words drawn by Zipf's law from 20,000, with vectors of 384 numbers; queries are eight words drawn from
one passage. What it stores it deletes again.
"""

import asyncio
import os
import random
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from itertools import accumulate
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:  # Models can be imported only once Django is set up.
    from agents_core.memory.archival.pgvector import PgvectorBackend
    from agents_core.memory.embedders import QueryVector

VOCABULARY = 20_000
DIMENSIONS = 384
BATCH = 1_000
QUERIES = 40


async def main(sizes: list[int]) -> None:
    from agents_core.models.pipeline import close_pool

    print(f"{'passages':>9} {'search p50':>11} {'p95':>9} {'words only':>11} {'insert one':>11}")
    for size in sizes:
        await _measure(size)
    await close_pool()


async def _measure(size: int) -> None:
    from agents_core.memory.archival.pgvector import PgvectorBackend
    from agents_core.memory.embedders import QueryVector
    from agents_core.models import new_id
    from agents_core.models.pipeline import Statement, run

    chance = random.Random(7)
    archive = new_id("archive")
    backend = PgvectorBackend()
    await run([Statement("INSERT INTO archive (id, name, metadata) VALUES (%s, 'benchmark', '{}')", (archive,))])
    try:
        texts = await fill(chance, archive, size)
        queries = [" ".join(chance.sample(chance.choice(texts).split(), 8)) for _ in range(QUERIES)]
        vectors = [QueryVector(_vector(chance), "benchmark", 1.5) for _ in queries]
        searches = [_search(backend, archive, *pair) for pair in zip(queries, vectors, strict=True)]
        by_words = [_search(backend, archive, query, QueryVector()) for query in queries]
        inserts = [_insert(backend, chance, archive) for _ in queries]
        searched = await _times(searches)
        p95 = statistics.quantiles(searched, n=20)[-1]
        medians = [statistics.median(await _times(calls)) for calls in (by_words, inserts)]
        found = statistics.median(searched)
        print(f"{size:>9,} {found:>8.1f} ms {p95:>6.1f} ms {medians[0]:>8.1f} ms {medians[1]:>8.2f} ms")
    finally:
        for table in ("passage_term", "passage"):
            await run([Statement(f"DELETE FROM {table} WHERE archive_id = %s", (archive,))])
        await run([Statement("DELETE FROM archive WHERE id = %s", (archive,))])


async def fill(chance: random.Random, archive: str, size: int, embedding_model: str = "benchmark") -> list[str]:
    """Stores so many passages in ``archive``, their vectors named as of ``embedding_model``; gives their texts."""
    from agents_core.memory.archival.base import PassageDraft
    from agents_core.memory.archival.pgvector import PgvectorBackend
    from agents_core.models.pipeline import pool, run

    vocabulary = [_word(number) for number in range(VOCABULARY)]
    weights = list(accumulate(1 / rank for rank in range(10, VOCABULARY + 10)))
    texts = [" ".join(chance.choices(vocabulary, cum_weights=weights, k=40)) for _ in range(size)]
    for start in range(0, size, BATCH):
        drafts = [
            PassageDraft(archive, text, "Ana", vector=_vector(chance), embedding_model=embedding_model)
            for text in texts[start : start + BATCH]
        ]
        await run(PgvectorBackend().insert_statements(drafts))
    async with (await pool()).connection() as connection:
        await connection.execute("VACUUM ANALYZE passage")
        await connection.execute("VACUUM ANALYZE passage_term")
    return texts


def _word(number: int) -> str:
    letters = "abcdefghij"
    return "q" + "".join(letters[int(digit)] for digit in str(number))


def _vector(chance: random.Random) -> list[float]:
    return [chance.gauss(0, 0.05) for _ in range(DIMENSIONS)]


Call = Callable[[], Awaitable[object]]


def _search(backend: "PgvectorBackend", archive: str, query: str, vector: "QueryVector") -> Call:
    from agents_core.memory.archival.base import ArchivalSearch
    from agents_core.models.pipeline import run

    return lambda: run([backend.search_statement(ArchivalSearch([archive], query), vector)])


def _insert(backend: "PgvectorBackend", chance: random.Random, archive: str) -> Call:
    from agents_core.memory.archival.base import PassageDraft
    from agents_core.models.pipeline import run

    text = " ".join(_word(chance.randrange(VOCABULARY)) for _ in range(40))
    draft = PassageDraft(archive, text, vector=_vector(chance), embedding_model="benchmark")
    return lambda: run(backend.insert_statements([draft]))


async def _times(calls: list[Call]) -> list[float]:
    times = []
    for call in calls:
        begun = time.perf_counter()
        await call()
        times.append((time.perf_counter() - begun) * 1000)
    return times


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ade.settings")
    django.setup()
    asyncio.run(main([int(size) for size in sys.argv[1:]] or [1_000, 10_000, 100_000]))
