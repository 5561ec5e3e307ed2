"""No process outlives its reason to be: the call, the sandbox, the server."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import pytest_asyncio

from agents_core.sandbox.base import SandboxUnavailable
from agents_core.sandbox.zygotes import Contents
from tests.sandbox.processes import descendants, named
from tests.sandbox.runners import Here, Runner

pytestmark = pytest.mark.asyncio(loop_scope="session")

_NAMED = "import ctypes, os, time\nctypes.CDLL(None).prctl(15, {name!r}.encode())\n"
_ROOT = Path(__file__).parents[2]


async def _until(condition: Callable[[], bool]) -> None:
    """Wait for what no event tells of; the test's own time limit ends it otherwise."""
    while not condition():
        await asyncio.sleep(0.02)


async def test_daemon_dies_with_its_call(sandbox: Runner) -> None:
    name = f"left{os.getpid() % 10000}"
    source = _NAMED.format(name=name) + textwrap.dedent("""
        def f():
            if os.fork() == 0:
                try:
                    os.setsid()
                except OSError:
                    pass
                if os.fork() == 0:
                    time.sleep(300)
                os._exit(0)
            time.sleep(0.1)
            return 'done'
    """)
    assert (await sandbox.run(source)).value == "done"
    await _until(lambda: not named(name))


@pytest_asyncio.fixture(loop_scope="session", params=["bubblewrap", "landlock"])
async def own(request: pytest.FixtureRequest) -> Here:
    """A sandbox that a test may break."""
    runner = Here(request.param)
    try:
        await runner.run("def f():\n    return 1")
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    return runner


async def test_zygote_killed_from_outside_is_started_again(own: Here) -> None:
    flight = asyncio.create_task(own.run("import time\ndef f():\n    time.sleep(1)\n    return 'landed'"))
    await asyncio.sleep(0.3)
    top = (await own.sandbox._zygotes.get(Contents())).process.pid
    # Under bubblewrap, the zygote is the child of the process that was started.
    victim = descendants(top)[0] if own.kind == "bubblewrap" else top
    os.kill(victim, signal.SIGKILL)
    landed = await flight
    assert (landed.status, landed.value) in {("killed", None), ("ok", "landed")}
    again = await own.together(*[own.run("def f():\n    return 'again'") for _ in range(6)])
    assert [outcome.value for outcome in again] == ["again"] * 6
    await own.aclose()


async def test_closing_while_it_starts_is_told_to_those_who_wait(own: Here) -> None:
    await own.aclose()
    starting = Here(own.kind)
    flights = [asyncio.create_task(starting.run("def f():\n    return 1")) for _ in range(2)]
    await asyncio.sleep(0.005)
    await starting.aclose()
    for flight in flights:
        with pytest.raises(SandboxUnavailable, match="closed"):
            await flight


@pytest.mark.parametrize("busy_s", [0, 0.5], ids=["at once", "with its last words unread"])
async def test_call_that_is_given_up_is_ended(own: Here, busy_s: float) -> None:
    name = f"given{os.getpid() % 10000}"
    source = _NAMED.format(name=name) + "def f():\n    time.sleep(300)"
    task = asyncio.create_task(own.run(source, wall_s=300))
    await _until(lambda: bool(named(name)))
    time.sleep(busy_s)  # noqa: ASYNC251 - nothing of the server runs meanwhile
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await _until(lambda: not named(name))
    await own.aclose()


async def test_closing_ends_the_calls_and_refuses_new_ones(own: Here) -> None:
    flight = asyncio.create_task(own.run("import time\ndef f():\n    time.sleep(60)", wall_s=60))
    await asyncio.sleep(0.2)
    assert own.sandbox.status().warm
    await own.aclose()
    assert (await flight).status == "killed"
    assert not own.sandbox.status().warm
    with pytest.raises(SandboxUnavailable, match="closed"):
        await own.run("def f():\n    return 1")


async def test_nothing_is_left_when_the_server_is_killed(own: Here) -> None:
    name = f"orphan{os.getpid() % 10000}"
    kind = own.kind
    await own.aclose()
    source = _NAMED.format(name=name) + "def f():\n    os.fork()\n    time.sleep(300)"
    program = f"""
import asyncio
from agents_core.sandbox.base import SANDBOXES, SandboxCall, Limits
source = {source!r}
async def main():
    await SANDBOXES.load({kind!r})().call(SandboxCall(source, "f", {{}}, limits=Limits(wall_s=300)))
asyncio.run(main())
"""
    server = subprocess.Popen([sys.executable, "-c", program], cwd=_ROOT)  # noqa: ASYNC220
    try:
        await _until(lambda: len(named(name)) == 2)
        processes = descendants(server.pid)
    finally:
        server.kill()
        server.wait()
    await _until(lambda: not [pid for pid in processes if Path(f"/proc/{pid}").exists()] and not named(name))
