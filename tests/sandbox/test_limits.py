"""What a tool may use of the machine, and how it is told when that is spent."""

import asyncio
import os
from pathlib import Path

import pytest

from tests.sandbox.processes import descendants
from tests.sandbox.runners import Here, Runner

pytestmark = pytest.mark.asyncio(loop_scope="session")
_MIB = 2**20


@pytest.mark.parametrize(
    "hoard", ["bytearray(10 * 2**30)", "mmap.mmap(-1, 10 * 2**30)", "[bytes(2**20) for _ in range(9999)]"]
)
async def test_memory_past_the_limit_is_an_error_in_the_tool(sandbox: Runner, hoard: str) -> None:
    outcome = await sandbox.run(f"import mmap\ndef f():\n    x = {hoard}\n    return len(x)", memory_bytes=64 * _MIB)
    assert outcome.status == "error"
    assert "emory" in outcome.error


async def test_memory_of_all_processes_together_is_limited(sandbox: Runner) -> None:
    source = """
import os, time
def f():
    for _ in range(6):
        if os.fork() == 0:
            x = bytearray(50 * 2**20)
            time.sleep(5)
            os._exit(0)
    time.sleep(5)
"""
    outcome = await sandbox.run(source, memory_bytes=100 * _MIB, scratch_bytes=_MIB)
    assert outcome.status == "killed"
    assert "100 MiB" in outcome.error


async def test_fork_bomb_stops_at_the_limit_and_the_next_call_works(sandbox: Runner) -> None:
    source = "import os\ndef f():\n    while True:\n        os.fork()"
    outcome = await sandbox.run(source, processes=16, wall_s=0.6)
    assert outcome.status in {"error", "timeout", "killed"}
    assert (await sandbox.run("def f():\n    return 1")).value == 1


async def test_processes_are_counted_for_each_call(sandbox: Runner) -> None:
    source = """
import os, time
def f():
    made = 0
    try:
        while made < 500:
            if os.fork() == 0:
                time.sleep(5)
                os._exit(0)
            made += 1
    except OSError:
        pass
    time.sleep(0.2)
    return made
"""
    outcomes = await sandbox.together(*[sandbox.run(source, processes=12) for _ in range(3)])
    plain_user_on_landlock = sandbox.kind == "landlock as nobody"
    for outcome in outcomes:
        # There the kernel counts all that the user runs, so one call's processes are taken from another's allowance.
        assert outcome.value < 200 if plain_user_on_landlock else outcome.value == 11


async def test_threads_are_limited(sandbox: Runner) -> None:
    source = """
import threading, time
def f():
    for made in range(500):
        try:
            threading.Thread(target=time.sleep, args=(5,), daemon=True).start()
        except RuntimeError:
            return made
    return 500
"""
    assert (await sandbox.run(source)).value < 200


@pytest.mark.parametrize(
    "loop", ["time.sleep(60)", "while True: time.sleep(0.01)", "os.kill(os.getpid(), 19); time.sleep(60)"]
)
async def test_waiting_ends_at_the_wall_limit_and_keeps_the_output(sandbox: Runner, loop: str) -> None:
    source = f"import os, time\ndef f():\n    print('begun')\n    {loop}"
    outcome = await sandbox.run(source, wall_s=0.3)
    assert outcome.status == "timeout"
    assert "0.3 s" in outcome.error
    assert outcome.stdout == "begun\n"


async def test_ignored_signals_do_not_hold_off_the_end(sandbox: Runner) -> None:
    source = """
import signal, time
def f():
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    while True:
        pass
"""
    outcome = await sandbox.run(source, wall_s=5, cpu_s=0.3)
    assert outcome.status == "killed"
    assert "CPU" in outcome.error


async def test_cpu_of_all_processes_together_is_limited(sandbox: Runner) -> None:
    source = "import os\ndef f():\n    os.fork()\n    os.fork()\n    while True:\n        pass"
    outcome = await sandbox.run(source, wall_s=5, cpu_s=0.4)
    assert outcome.status == "killed"
    assert "CPU" in outcome.error


async def test_output_is_cut_not_refused(sandbox: Runner) -> None:
    source = """
import sys
def f():
    for _ in range(50):
        sys.stdout.write('o' * 2**20)
    sys.stderr.write('e')
    return 'done'
"""
    outcome = await sandbox.run(source, output_bytes=1000)
    assert outcome.value == "done"
    assert outcome.stdout == "o" * 1000
    assert outcome.stderr == "e"
    assert outcome.output_truncated


async def test_scratch_space_is_limited(sandbox: Runner) -> None:
    source = """
def f():
    for number in range(200):
        with open(f'file-{number}', 'wb') as file:
            file.write(bytes(2**20))
    import time
    time.sleep(3)
    return 'escaped'
"""
    outcome = await sandbox.run(source, scratch_bytes=4 * _MIB)
    assert outcome.status in {"error", "killed"}
    assert outcome.value is None


async def test_one_file_is_held_to_the_scratch_space(sandbox: Runner) -> None:
    source = (
        "def f():\n    with open('file', 'wb') as file:\n        file.truncate(2**30)\n        file.write(bytes(2**25))"
    )
    assert (await sandbox.run(source, scratch_bytes=4 * _MIB)).status in {"error", "killed"}


async def test_result_past_the_limit_is_an_error_that_says_its_size(sandbox: Runner) -> None:
    outcome = await sandbox.run("def f():\n    return 'x' * 5_000_000", result_bytes=1_000_000)
    assert outcome.status == "error"
    assert "5,000,0" in outcome.error
    assert "1,000,000" in outcome.error


async def test_flood_of_the_result_descriptor_ends_the_call(sandbox: Runner) -> None:
    source = "import os\ndef f():\n    while True:\n        os.write(3, bytes(65536))"
    outcome = await sandbox.run(source, result_bytes=1_000_000)
    assert outcome.status == "killed"
    assert "1,000,000" in outcome.error


async def test_time_and_memory_are_measured(sandbox: Runner) -> None:
    source = "import time\ndef f():\n    x = bytearray(40 * 2**20)\n    while time.process_time() < 0.2:\n        pass"
    outcome = await sandbox.run(source)
    assert outcome.cpu_ms >= 150
    assert outcome.duration_ms > 0
    assert outcome.peak_memory_bytes > 40 * _MIB


@pytest.mark.parametrize("kind", ["bubblewrap", "landlock"])
async def test_memory_of_all_calls_together_is_limited(kind: str) -> None:
    own = Here(kind, memory_bytes=150 * _MIB)
    hold = "import time\ndef f(mib):\n    x = bytearray(mib * 2**20)\n    time.sleep(1)\n    return len(x) >> 20"
    outcomes = await own.together(*[own.run(hold, {"mib": mib}) for mib in (20, 30, 120)])
    assert [outcome.value for outcome in outcomes] == [20, 30, None]
    assert outcomes[2].status == "killed"
    assert outcomes[2].error == (
        "Killed: the tools running now used more than 150 MiB of memory together, and this one the most."
    )
    assert (await own.run(hold, {"mib": 100})).value == 100
    await own.aclose()


@pytest.mark.parametrize("kind", ["bubblewrap", "landlock"])
async def test_files_in_the_scratch_folder_count_as_memory_of_all(kind: str) -> None:
    own = Here(kind, memory_bytes=50 * _MIB)
    fill = "import time\ndef f():\n    open('file', 'wb').write(bytes(40 * 2**20))\n    time.sleep(1)"
    outcomes = await own.together(own.run(fill), own.run(fill))
    assert sorted(outcome.status for outcome in outcomes) == ["killed", "ok"]
    await own.aclose()


@pytest.mark.parametrize(
    "hide",
    [
        "file = open(str(n), 'wb'); os.unlink(str(n)); file.write(bytes(2**18)); file.flush(); kept.append(file)",
        "open(str(n), 'w').close()",
        "os.mkdir('d' * 200); os.chdir('d' * 200)",
        "os.mkdir(f'closed{n}', 0o300); open(f'closed{n}/file', 'wb').write(bytes(2**18))",
    ],
    ids=["deleted", "empty", "deep", "closed"],
)
async def test_hidden_files_are_held_to_the_scratch_space_and_removed(sandbox: Runner, hide: str) -> None:
    source = f"import os, time\ndef f():\n    kept = []\n    for n in range(5000):\n        {hide}\n    time.sleep(3)"
    outcome = await sandbox.run(source, scratch_bytes=2**20)
    told = outcome.error.startswith(("OSError", "FileNotFoundError")) or outcome.error.endswith(
        "of files, or hid them."
    )
    assert told or (outcome.status, "deep" in hide) == ("timeout", True), outcome
    async with asyncio.timeout(5):
        while _scratch_folders(sandbox.pid):
            await asyncio.sleep(0.02)


def _scratch_folders(server: int) -> list[Path]:
    """Those of calls that are over: the two calls prepared beforehand have theirs, with nothing in them."""
    folders = Path("/dev/shm").glob("mnemoscope-tool-*")
    return [path for path in folders if int(path.name.split("-")[2]) in descendants(server) and _holds_anything(path)]


def _holds_anything(folder: Path) -> bool:
    return any(folders or files for _, folders, files in os.walk(folder))  # Nothing if it is gone.
