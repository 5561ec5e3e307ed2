"""Whether the processes grow: ``python -m benchmarks.endurance [steps]``, ten thousand steps unless told otherwise.

Eight agents take turns of sixteen steps with memory tools and forget their messages after each. Prints the resident memory of the
worker and the web server after each tenth, and how much the worker gained over the second half.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks import model
from benchmarks.bench import Bench, say
from benchmarks.client import Client
from tests.e2e.serving import Server

AGENTS = 8
STEPS_A_TURN = 16
TENTHS = 10


async def main(bench: Bench, steps: int) -> None:
    turns = max(1, steps // (TENTHS * AGENTS * STEPS_A_TURN))
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(Client(bench.port)) for _ in range(AGENTS)]
        await _take_turns(bench, clients, turns)


async def _take_turns(bench: Bench, clients: Sequence[Client], turns: int) -> None:
    agents = [await bench.agent(client, message_buffer_autoclear=True) for client in clients]
    turn_of = [say(client, agent, f"steps={STEPS_A_TURN}") for client, agent in zip(clients, agents, strict=True)]
    await asyncio.gather(*(turn() for turn in turn_of))
    print(f"{'steps':>8} {'worker MB':>10} {'web MB':>8} {'steps/s':>8}")
    grown = [_megabytes(bench)]
    for tenth in range(1, TENTHS + 1):
        began = time.perf_counter()
        for _ in range(turns):
            await asyncio.gather(*(turn() for turn in turn_of))
        taken = turns * AGENTS * STEPS_A_TURN
        grown.append(_megabytes(bench))
        worker, web = grown[-1]
        print(
            f"{tenth * taken:>8,} {worker:>10.1f} {web:>8.1f} {taken / (time.perf_counter() - began):>8.0f}", flush=True
        )
    gained = grown[-1][0] - grown[TENTHS // 2][0]
    print(f"the worker over the second half: {gained:+.1f} MB")


def _megabytes(bench: Bench) -> tuple[float, float]:
    """The resident memory of the worker and of the web server."""
    rss = [bench.server.child(words).memory_info().rss / 2**20 for words in ("agent_worker", "webserver")]
    return rss[0], rss[1]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="mnemoscope-bench-") as folder, model.running() as port:
        os.environ |= {"DJANGO_SETTINGS_MODULE": "ade.settings"}
        with Server(Path(folder, "home"), VLLM_BASE_URL=f"http://127.0.0.1:{port}/v1") as server:
            asyncio.run(main(Bench(server, quick=False), int(sys.argv[1]) if sys.argv[1:] else 10_000))
            server.stop()
