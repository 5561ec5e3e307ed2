"""One-step messages: the server's own cost, which is the time that passes less the model's."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from time import perf_counter

from benchmarks.bench import Bench, say
from benchmarks.client import Client
from benchmarks.table import Row

PART = "A message of one step, beyond the model's time"
_CALLS = {1: 60, 8: 20, 32: 8}
_WARM_UP = 3
_LENGTHS = (100, 200, 400)


async def measure(bench: Bench) -> list[Row]:
    rows = [await _at_once(bench, agents) for agents in _CALLS]
    rows += [await _in_long_conversation(bench, length) for length in _LENGTHS]
    return [*rows, await _first_event(bench)]


async def _at_once(bench: Bench, agents: int) -> Row:
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(Client(bench.port)) for _ in range(agents)]
        ids = [await bench.agent(client) for client in clients]
        pairs = list(zip(clients, ids, strict=True))
        await bench.row("", "", [[say(*pair)] * _WARM_UP for pair in pairs])
        calls = [[say(*pair)] * bench.few(_CALLS[agents]) for pair in pairs]
        row = await bench.row(PART, f"{agents} agent{'s' * (agents > 1)} at once", calls)
    return _beyond_model(bench, row)


async def _in_long_conversation(bench: Bench, length: int) -> Row:
    """``length`` messages stand in the context window already."""
    said = [
        {"role": ("user", "assistant")[n % 2], "content": f"Day {n}: the boats came in late."} for n in range(length)
    ]
    async with Client(bench.port) as client:
        agent = await bench.agent(client, initial_message_sequence=said)
        await say(client, agent)()
        row = await bench.row(PART, f"{length} messages in the context", [[say(client, agent)] * bench.few(20)])
    return _beyond_model(bench, row)


async def _first_event(bench: Bench) -> Row:
    async with Client(bench.port) as client:
        agent = await bench.agent(client)
        times = [await _until_first(client, agent) for _ in range(bench.few(20))]
    return _beyond_model(bench, Row(PART, "streamed: the first message of the answer", times))


async def _until_first(client: Client, agent: str) -> float:
    began, first_ms = perf_counter(), 0.0
    body = {"input": "And how was yours?", "streaming": True, "include_pings": False}
    async for piece in client.stream("POST", f"/v1/agents/{agent}/messages", body):
        if not first_ms and b"assistant_message" in piece:
            first_ms = (perf_counter() - began) * 1000
    return first_ms


def _beyond_model(bench: Bench, row: Row) -> Row:
    times: Sequence[float] = [time - bench.model_ms for time in row.times_ms]
    return replace(row, times_ms=times, baseline_ms=bench.health_ms, baseline="health")
