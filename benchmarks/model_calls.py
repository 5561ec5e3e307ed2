"""A model call over loopback, as the SDK makes it and as ours does: ``python -m benchmarks.model_calls``. CPU of the caller."""

import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
from openai import AsyncOpenAI, AsyncStream

from agents_core.llm.base import PROVIDERS, Endpoint
from agents_core.llm.providers._http import Connection
from agents_core.management.event_loop import new_event_loop
from benchmarks import model

CALLS = 300
ROUNDS = 5


async def main(port: int) -> None:
    base_url = f"http://127.0.0.1:{port}/v1"
    body = json.dumps(model.request_of("And how was yours?")).encode()
    provider = PROVIDERS.load("openai_compatible")(Endpoint("a-key", base_url))
    connection: Connection = provider._connection
    request: dict[str, Any] = {
        "cast_to": httpx2.Response,
        "content": body,
        "options": {"headers": {"Content-Type": "application/json", "Accept": "text/event-stream"}},
    }

    async def ours() -> None:
        async with connection.post("/chat/completions", body, model.NAME, bytearray()) as response:
            async for _ in response.content.iter_any():
                pass

    async with AsyncOpenAI(base_url=base_url, api_key="a-key", max_retries=0) as client:

        async def theirs() -> None:
            response = await client.post("/chat/completions", **request, stream=True, stream_cls=AsyncStream)
            async for _ in response.aiter_bytes():
                pass

        pairs = [(await _measure(theirs), await _measure(ours)) for _ in range(ROUNDS)]
    await provider.aclose()
    print(f"one streamed model call, unparsed, median of {ROUNDS} rounds of {CALLS}, CPU of the caller")
    for name, side in (("through the SDK", 0), ("ours", 1)):
        print(f"{name:>20} {statistics.median(pair[side] for pair in pairs):6.2f} ms")
    print(f"{'ratio':>20} {statistics.median(pair[0] / pair[1] for pair in pairs):6.2f}")


async def _measure(call: Callable[[], Awaitable[None]]) -> float:
    """CPU time of one call, in milliseconds."""
    for _ in range(20):
        await call()
    began = time.process_time()
    for _ in range(CALLS):
        await call()
    return (time.process_time() - began) * 1000 / CALLS


if __name__ == "__main__":
    with model.running() as port, asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main(port))
