"""A sandbox in this process, or one held by a plain user's process with another Python."""

import asyncio
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agents_core.sandbox.base import SANDBOXES, Limits, SandboxCall, SandboxOutcome, SandboxUnavailable
from agents_core.sandbox.proxy import Route, public_route
from agents_core.sandbox.warm import WarmSandbox

_ROOT = Path(__file__).parents[2]
_NOBODY = 65534
SYSTEM_PYTHON = "/usr/bin/python3"
KINDS = ["bubblewrap", "landlock", "bubblewrap as nobody", "landlock as nobody"]


StandIns = dict[str, dict[str, int]]
"""For the names of hosts on the internet: which ports of this machine stand for theirs, {"80": …, "443": …}."""


def route_to(stand_ins: StandIns) -> Route:
    """As ``public_route``, but for the names that stand for hosts of the internet here."""

    async def route(host: str, port: int) -> Sequence[tuple[str, int]]:
        if host in stand_ins:
            return [("127.0.0.1", stand_ins[host][str(port)])]
        return await public_route(host, port)

    return route


class Runner:
    """``await run(source, **args)`` gives the outcome of ``f`` in ``source``."""

    kind: str
    pid: int
    """The server's: the process that holds the sandbox."""

    async def together(self, *calls: Awaitable[SandboxOutcome]) -> list[SandboxOutcome]:
        return await asyncio.gather(*calls)

    async def call(self, call: SandboxCall) -> SandboxOutcome:
        raise NotImplementedError

    async def run(
        self, source: str, args: dict[str, Any] | None = None, *, function: str = "f", **limits: Any
    ) -> SandboxOutcome:
        fields = {name: limits.pop(name) for name in ("env", "packages", "preload", "hosts") if name in limits}
        bounds = Limits(**{"wall_s": 8.0} | limits)
        return await self.call(SandboxCall(source, function, args or {}, limits=bounds, **fields))


class Here(Runner):
    """``stand_ins``: see ``route_to``; ``further`` goes to the sandbox."""

    def __init__(self, kind: str, stand_ins: StandIns | None = None, **further: Any) -> None:
        self.kind = kind
        self.pid = os.getpid()
        self.sandbox: WarmSandbox = SANDBOXES.load(kind)(route=route_to(stand_ins or {}), **further)

    async def call(self, call: SandboxCall) -> SandboxOutcome:
        return await self.sandbox.call(call)

    async def aclose(self) -> None:
        await self.sandbox.aclose()


class Elsewhere(Runner):
    """Talks to ``driver.py`` run by nobody with the system's Python, as an ordinary installation would be."""

    def __init__(self, kind: str, process: asyncio.subprocess.Process) -> None:
        self.kind = kind
        self.pid = process.pid
        self._process = process
        self._ids = itertools.count()
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, kind: str, stand_ins: StandIns) -> "Elsewhere":
        process = await asyncio.create_subprocess_exec(
            *(SYSTEM_PYTHON, "-m", "tests.sandbox.driver", kind.split(maxsplit=1)[0], json.dumps(stand_ins)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd="/",
            env={"PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1", "PATH": "/usr/bin:/bin"},
            user=_NOBODY,
            group=_NOBODY,
            extra_groups=[],
            limit=64 * 1024 * 1024,
        )
        return cls(kind, process)

    async def _read(self) -> None:
        assert self._process.stdout
        while line := await self._process.stdout.readline():
            answer = json.loads(line)
            self._answers.pop(answer["id"]).set_result(answer["answer"])

    async def call(self, call: SandboxCall) -> SandboxOutcome:
        assert self._process.stdin
        number = next(self._ids)
        future = self._answers[number] = asyncio.get_running_loop().create_future()
        self._process.stdin.write(json.dumps({"id": number, "call": asdict(call)}).encode() + b"\n")
        answer = await future
        if "raised" in answer:
            raise SandboxUnavailable(answer["raised"])
        return SandboxOutcome(**answer)

    async def aclose(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        await self._process.wait()
        await self._reader


async def start(kind: str, stand_ins: StandIns) -> Here | Elsewhere:
    """One of ``KINDS``. Raises ``SandboxUnavailable`` with the reason where this machine cannot do it."""
    if not kind.endswith("as nobody"):
        runner: Here | Elsewhere = Here(kind, stand_ins)
    elif os.geteuid() != 0:
        raise SandboxUnavailable("becoming another user needs root; without 'as nobody' a plain user is tested already")
    elif shutil.which(SYSTEM_PYTHON) is None or sys.version_info[:2] < (3, 11):
        raise SandboxUnavailable(f"there is no {SYSTEM_PYTHON}")
    else:
        runner = await Elsewhere.start(kind, stand_ins)
    try:
        await runner.run("def f():\n    return 1")
    except SandboxUnavailable:
        await runner.aclose()
        raise
    return runner
