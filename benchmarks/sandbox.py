"""What a tool call costs in each sandbox: ``python -m benchmarks.sandbox``. Medians of wall time in ms.

The call with numpy, preloaded, needs uv and an index of packages to install it from, or uv's cache.
"""

import asyncio
import statistics
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable

from uv import find_uv_bin

from agents_core.sandbox.base import SANDBOXES, Sandbox, SandboxCall, SandboxUnavailable
from agents_core.sandbox.interpreter import interpreter
from agents_core.sandbox.warm import WarmSandbox

CALL = SandboxCall("def add(a: int, b: int):\n    return {'sum': a + b}\n", "add", {"a": 1, "b": 2})
_NUMPY = "import numpy\ndef norm(n: int):\n    return float(numpy.linalg.norm(numpy.arange(n)))\n"
_COLD_STARTS, _CALLS, _CALLERS, _PAUSE_S = 7, 200, 4, 0.02


async def _timed_ms(work: Callable[[], Awaitable[object]]) -> float:
    started = time.perf_counter()
    await work()
    return (time.perf_counter() - started) * 1000


async def cold_ms(name: str, starts: int = _COLD_STARTS) -> list[float]:
    """The first call in each of so many sandboxes."""
    times = []
    for _ in range(starts):
        sandbox: WarmSandbox = SANDBOXES.load(name)()
        times.append(await _timed_ms(lambda sandbox=sandbox: sandbox.call(CALL)))  # type: ignore[misc]
        await sandbox.aclose()
    return times


async def warm_ms(sandbox: Sandbox, calls: int = _CALLS, *, pause_s: float, call: SandboxCall = CALL) -> list[float]:
    """Calls in a sandbox that stands ready, one after the other."""
    times = []
    for _ in range(calls):
        times.append(await _timed_ms(lambda: sandbox.call(call)))
        await asyncio.sleep(pause_s)
    return times


async def _per_second(sandbox: WarmSandbox) -> float:
    async def caller() -> None:
        for _ in range(_CALLS // _CALLERS):
            await sandbox.call(CALL)

    return _CALLS / (await _timed_ms(lambda: asyncio.gather(*(caller() for _ in range(_CALLERS)))) / 1000)


async def _numpy_ms(sandbox: WarmSandbox, packages: str) -> tuple[float, float]:
    """The first call of a tool that uses numpy, and the median of the next."""
    call = SandboxCall(_NUMPY, "norm", {"n": 100_000}, packages=packages, preload=("numpy",))
    first = await _timed_ms(lambda: sandbox.call(call))
    outcome = await sandbox.call(call)
    if outcome.status != "ok":
        raise RuntimeError(f"numpy does not work in the sandbox: {outcome.error}")
    return first, statistics.median(await warm_ms(sandbox, 50, pause_s=_PAUSE_S, call=call))


def _install_numpy(folder: str) -> None:
    subprocess.run(
        [find_uv_bin(), "pip", "install", "-q", "--compile-bytecode", "--target", folder, "numpy"], check=True
    )


async def _measure(name: str, packages: str) -> None:
    cold = statistics.median(await cold_ms(name))
    sandbox: WarmSandbox = SANDBOXES.load(name)()
    await sandbox.warm()
    await asyncio.sleep(1)  # It loads modules while nobody calls.
    spaced, pressed = [sorted(await warm_ms(sandbox, pause_s=pause_s)) for pause_s in (_PAUSE_S, 0.0)]
    rate = await _per_second(sandbox)
    numpy = await _numpy_ms(sandbox, packages)
    await sandbox.aclose()
    waited = [times[int(len(times) * part)] for times in (spaced, pressed) for part in (0.5, 0.95)]
    figures = [cold, *waited, rate, *numpy]
    print(f"{name:<20}" + "".join(f"{figure:>12.1f}" for figure in figures))


def plain_ms(calls: int = 30) -> list[float]:
    """The yardstick: a bare Python process per call, isolated from nothing."""
    times = []
    for _ in range(calls):
        started = time.perf_counter()
        subprocess.run([interpreter().executable, "-I", "-S", "-c", "import json"], check=True)
        times.append((time.perf_counter() - started) * 1000)
    return times


async def _main() -> None:
    heads = ("cold", "warm p50", "p95", "pressed p50", "p95", "calls/s (4)", "numpy first", "numpy warm")
    print(f"{'':<20}" + "".join(f"{head:>12}" for head in heads))
    with tempfile.TemporaryDirectory() as folder:
        packages = f"{folder}/packages"  # Open to the user that tools run as, which the folder around it is not.
        _install_numpy(packages)
        for name in SANDBOXES:
            try:
                await _measure(name, packages)
            except SandboxUnavailable as error:
                print(f"{name:<20}  not on this machine: {error}")
    print(f"{'python -I -S':<20}{statistics.median(plain_ms()):>12.1f}")


if __name__ == "__main__":
    asyncio.run(_main())
