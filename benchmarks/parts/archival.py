"""Archival memory over HTTP, at growing sizes; the search itself and larger ones are in ``benchmarks.retrieval``."""

import random
from dataclasses import replace

from benchmarks.bench import Bench, Call
from benchmarks.client import Client
from benchmarks.retrieval import fill
from benchmarks.table import Row

PART = "Archival memory"
_SIZES = (1_000, 2_500, 5_000, 10_000)
_QUICK_SIZES = (1_000, 2_500)


async def measure(bench: Bench) -> list[Row]:
    from agents_core.llm.embeddings.hashing import HashingEmbedder
    from agents_core.models.pipeline import close_pool

    rows: list[Row] = []
    chance = random.Random(7)
    async with Client(bench.port) as client:
        agent = await bench.agent(client)
        archive = await client.json("POST", "/v1/archives/", {"name": "Benchmark", "embedding": "local/hashing"})
        await client.ask("PATCH", f"/v1/agents/{agent}/archives/attach/{archive['id']}")
        texts: list[str] = []
        for size in _QUICK_SIZES if bench.quick else _SIZES:
            texts += await fill(chance, archive["id"], size - len(texts), HashingEmbedder.name)
            searches = [_search(client, agent, _query(chance, texts)) for _ in range(bench.few(30))]
            await searches[0]()
            rows.append(await bench.row(PART, f"search of {size:,} passages", [searches]))
            inserts = [_insert(client, agent, text) for text in texts[: bench.few(30)]]
            rows.append(await bench.row(PART, f"insert beside {size:,}", [inserts]))
    await close_pool()
    return [replace(row, baseline_ms=bench.health_ms, baseline="health") for row in rows]


def _query(chance: random.Random, texts: list[str]) -> str:
    return "+".join(chance.sample(chance.choice(texts).split(), 8))


def _search(client: Client, agent: str, query: str) -> Call:
    return lambda: client.ask("GET", f"/v1/agents/{agent}/archival-memory/search?query={query}")


def _insert(client: Client, agent: str, text: str) -> Call:
    return lambda: client.ask("POST", f"/v1/agents/{agent}/archival-memory", {"text": text})
