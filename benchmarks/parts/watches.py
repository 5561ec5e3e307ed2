"""Expressions over all steps of an agent with a long past: evaluated for the first time, and again as each step comes."""

import asyncio
from urllib.parse import quote

from benchmarks.bench import Bench, get, say
from benchmarks.client import Client
from benchmarks.table import Row
from tests.long_agent import live_long

PART = "Expressions over {:,} steps"
_STEPS, _QUICK_STEPS = 10_000, 1_000
_AGAIN = 12
_EXPRESSIONS = (
    "len(block.human)",
    "tokens.messages",
    "tool",
    '"letter Tuesday coffee" in context',
    'matches(context, r"Tuesday \\w+ seven")',
    'any("Porto" in m.text for m in messages)',
)


async def measure(bench: Bench) -> list[Row]:
    steps = _QUICK_STEPS if bench.quick else _STEPS
    async with Client(bench.port) as client:
        agent = await bench.agent(client)
        await say(client, agent)()
    await asyncio.to_thread(live_long, agent, steps)
    async with Client(bench.port) as client:  # The first connection was closed meanwhile.
        return [row for text in _EXPRESSIONS for row in await _of(bench, client, PART.format(steps), agent, text)]


async def _of(bench: Bench, client: Client, part: str, agent: str, expression: str) -> list[Row]:
    """The first step at which it was true: all steps are looked at once, and then only what came since."""
    asked = get(client, f"/v1/agents/{agent}/bisect?limit=1&expression={quote(expression)}")
    told = {"baseline_ms": bench.health_ms, "baseline": "health"}
    return [
        await bench.row(part, f"`{expression}`", [[asked]], **told),
        await bench.row(part, "… asked again", [[asked] * _AGAIN], **told),
    ]
