"""Turns of several steps with memory tools: archival insert and search, and a block rewritten."""

from dataclasses import replace

from benchmarks.bench import Bench, say
from benchmarks.client import Client
from benchmarks.table import Row

PART = "A turn with memory tools, beyond the model's time"
_ROUNDS = {1: 30, 4: 20, 8: 8, 16: 8}


async def measure(bench: Bench) -> list[Row]:
    turns = {steps: await _turn(bench, steps, rounds) for steps, rounds in _ROUNDS.items()}
    further = [
        Row(PART, f"each further step, {fewer} to {more}", [(turns[more].p50 - turns[fewer].p50) / (more - fewer)])
        for fewer, more in ((1, 4), (4, 8), (8, 16))
    ]
    return [*turns.values(), *further]


async def _turn(bench: Bench, steps: int, rounds: int) -> Row:
    """Turns of one agent that forgets its messages after each, so that all of them are alike."""
    async with Client(bench.port) as client:
        agent = await bench.agent(client, message_buffer_autoclear=True)
        turn = say(client, agent, f"Remember this. steps={steps}")
        await bench.row("", "", [[turn] * 2])
        name = f"{steps} steps, {steps - 1} of them tool calls" if steps > 1 else "1 step"
        row = await bench.row(PART, name, [[turn] * bench.few(rounds)])
    times = [time - steps * bench.model_ms for time in row.times_ms]
    return replace(row, times_ms=times, baseline_ms=bench.health_ms, baseline="health")
