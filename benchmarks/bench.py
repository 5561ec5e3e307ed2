"""What the parts of the benchmark share: the server under test, its floors, and how a thing is timed."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import model
from benchmarks.client import Client
from benchmarks.processes import cpu_ms
from benchmarks.table import Row
from tests.e2e.serving import Server

Call = Callable[[], Awaitable[object]]

HEALTH = "/v1/health/"
HANDLE = f"vllm/{model.NAME}"


@dataclass(slots=True)
class Bench:
    """The server that is measured. ``health_ms``: its bare request. ``model_ms``: what the model needs for an answer."""

    server: Server
    quick: bool
    health_ms: float = 0.0
    model_ms: float = 0.0

    @property
    def port(self) -> int:
        return self.server.port

    def few(self, count: int) -> int:
        """``count``, or a quarter of it for a quick look."""
        return max(2, count // 4) if self.quick else count

    async def agent(self, client: Client, **fields: Any) -> str:
        """A new agent with the memory tools, on the benchmark's model; gives its id."""
        return str((await client.json("POST", "/v1/agents/", new_agent() | fields))["id"])

    async def row(self, part: str, name: str, callers: Sequence[Sequence[Call]], **more: Any) -> Row:
        """Times the calls: those of one caller one after the other, the callers side by side."""
        times: list[float] = []
        before, began = cpu_ms(self.server.process.pid), time.perf_counter()
        await asyncio.gather(*(_timed(calls, times) for calls in callers))
        elapsed_s, after = time.perf_counter() - began, cpu_ms(self.server.process.pid)
        cpu = {name: (after[name] - before[name]) / len(times) for name in after}
        per_s = len(times) / elapsed_s if len(callers) > 1 else None
        return Row(part, name, times, cpu, per_s, **more)


async def _timed(calls: Sequence[Call], times: list[float]) -> None:
    for call in calls:
        began = time.perf_counter()
        await call()
        times.append((time.perf_counter() - began) * 1000)


def new_agent() -> dict[str, Any]:
    return {
        "name": "Benchmark",
        "model": HANDLE,
        "embedding": "local/hashing",
        "tools": model.TOOLS,
        "budgets": {"max_repeated_calls": 0},  # the model plays the same calls over and over
        "memory_blocks": [
            {"label": "human", "value": "Her name is Ana. She lives in Lisbon."},
            {"label": "persona", "value": "I am a friendly companion who remembers what matters."},
        ],
    }


def say(client: Client, agent_id: str, text: str = "The harbour was quiet today, and so was I.") -> Call:
    """Sends ``text`` and reads the whole answer."""
    return lambda: client.ask("POST", f"/v1/agents/{agent_id}/messages", {"input": text})


def get(client: Client, path: str) -> Call:
    return lambda: client.ask("GET", path)
