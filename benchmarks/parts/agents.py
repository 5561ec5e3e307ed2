"""Making agents, and listing them."""

from dataclasses import replace

from benchmarks.bench import Bench, get, new_agent
from benchmarks.client import Client
from benchmarks.table import Row

PART = "Agents"
_LISTED = (12, 25, 50)


async def measure(bench: Bench) -> list[Row]:
    async with Client(bench.port) as client:
        await bench.agent(client)
        made = [lambda: client.ask("POST", "/v1/agents/", new_agent())] * max(_LISTED)
        rows = [await bench.row(PART, "create one, with two blocks and six tools", [made])]
        for count in _LISTED:
            listing = get(client, f"/v1/agents/?limit={count}")
            await listing()
            rows.append(await bench.row(PART, f"list of {count}", [[listing] * bench.few(20)]))
        await get(client, "/agents")()
        rows.append(await bench.row(PART, "the page of agents", [[get(client, "/agents")] * bench.few(12)]))
    return [replace(row, baseline_ms=bench.health_ms, baseline="health") for row in rows]
