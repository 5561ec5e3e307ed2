"""Custom tools: a call over HTTP, and what the sandbox itself needs, cold and warm."""

from agents_core.sandbox.choose import choose
from benchmarks import sandbox as sandboxes
from benchmarks.bench import Bench
from benchmarks.client import Client
from benchmarks.table import Row

PART = "A custom tool"
RUN = {"name": "add", "args": {"a": 1, "b": 2}, "source_code": "def add(a: int, b: int) -> int:\n    return a + b\n"}


async def measure(bench: Bench) -> list[Row]:
    chosen = await choose()
    name = chosen.status().name
    if not chosen.status().available:
        return []
    await chosen.call(sandboxes.CALL)
    warm = Row(PART, f"a call in {name}, warm", await sandboxes.warm_ms(chosen, bench.few(80), pause_s=0.0))
    await chosen.aclose()
    cold = Row(PART, f"a call in {name}, cold", await sandboxes.cold_ms(name, bench.few(12)))
    plain = Row(PART, "a Python process a call, isolated from nothing", sandboxes.plain_ms(bench.few(20)))
    return [plain, cold, warm, await _over_http(bench)]


async def _over_http(bench: Bench) -> Row:
    async with Client(bench.port) as client:
        for _ in range(3):
            await client.ask("POST", "/v1/tools/run", RUN)
        calls = [lambda: client.ask("POST", "/v1/tools/run", RUN)] * bench.few(60)
        return await bench.row(
            PART, "`POST /v1/tools/run`, warm", [calls], baseline_ms=bench.health_ms, baseline="health"
        )
