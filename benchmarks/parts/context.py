"""``GET /v1/agents/{id}/context``: every message counted and shown."""

from benchmarks.bench import Bench, get
from benchmarks.client import Client
from benchmarks.table import Row

PART = "The context of an agent"
_SIZES = (125, 250, 500)


async def measure(bench: Bench) -> list[Row]:
    async with Client(bench.port) as client:
        return [await _of(bench, client, size) for size in _SIZES]


async def _of(bench: Bench, client: Client, size: int) -> Row:
    said = [{"role": ("user", "assistant")[n % 2], "content": f"Day {n}: the boats came in late."} for n in range(size)]
    agent = await bench.agent(client, initial_message_sequence=said)
    asked = get(client, f"/v1/agents/{agent}/context")
    await asked()
    name = f"`GET …/context` of {size} messages"
    return await bench.row(PART, name, [[asked] * bench.few(20)], baseline_ms=bench.health_ms, baseline="health")
