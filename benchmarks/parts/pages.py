"""The workspace page of agents with a long past."""

from benchmarks.bench import Bench, get
from benchmarks.client import Client
from benchmarks.table import Row

PART = "The workspace page"
_SIZES = (200, 1_000, 2_000)
_QUICK_SIZES = (50, 100)
_STEPS_A_TURN = 10


async def measure(bench: Bench) -> list[Row]:
    """One agent that gets older; it forgets its messages after each turn, so that the past is cheap to make."""
    rows, taken = [], 0
    async with Client(bench.port) as client:
        agent = await bench.agent(client, message_buffer_autoclear=True)
        page = get(client, f"/agents/{agent}")
        for size in _QUICK_SIZES if bench.quick else _SIZES:
            await _live(client, agent, (size - taken) // _STEPS_A_TURN)
            taken = size
            await page()
            name = f"`GET /agents/…` after {size:,} steps"
            calls = [page] * bench.few(12)
            rows.append(await bench.row(PART, name, [calls], baseline_ms=bench.health_ms, baseline="health"))
    return rows


async def _live(client: Client, agent: str, turns: int) -> None:
    """So many turns; the last is waited for, which has the others before it."""
    turn = {"input": f"Remember this. steps={_STEPS_A_TURN}"}
    for _ in range(turns - 1):
        await client.ask("POST", f"/v1/agents/{agent}/messages/async", turn)
    await client.ask("POST", f"/v1/agents/{agent}/messages", turn)
