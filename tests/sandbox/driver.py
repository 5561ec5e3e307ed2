"""Runs calls as another user or another Python than the tests': reads one JSON object per line, answers with one."""

import asyncio
import json
import sys
from dataclasses import asdict
from typing import Any

from agents_core.sandbox.base import SANDBOXES, Limits, Sandbox, SandboxCall
from tests.sandbox.runners import route_to


async def _one(sandbox: Sandbox, order: dict[str, Any]) -> None:
    fields = order["call"]
    restored = {"limits": Limits(**fields["limits"])} | {name: tuple(fields[name]) for name in ("preload", "hosts")}
    call = SandboxCall(**fields | restored)
    try:
        answer = asdict(await sandbox.call(call))
    except Exception as error:
        answer = {"raised": f"{type(error).__name__}: {error}"}
    print(json.dumps({"id": order["id"], "answer": answer}), flush=True)


async def _main() -> None:
    sandbox: Sandbox = SANDBOXES.load(sys.argv[1])(route=route_to(json.loads(sys.argv[2])))
    running = set()
    while line := await asyncio.to_thread(sys.stdin.readline):
        task = asyncio.create_task(_one(sandbox, json.loads(line)))
        running.add(task)
        task.add_done_callback(running.discard)
    await sandbox.aclose()


if __name__ == "__main__":
    asyncio.run(_main())
