"""Hostile programs made of nasty statements in random order: ``python -m tests.sandbox.hostile --seconds 600``.

After each program the next call must be right and see nothing of it, the host's file must be as it was, no process of the
program may be left, and the program must have ended within its time.
"""

import argparse
import asyncio
import os
import shutil
import tempfile
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from agents_core.sandbox.base import SandboxOutcome
from tests.sandbox.processes import named
from tests.sandbox.runners import KINDS, start

_NAME = f"hostile{os.getpid() % 100000}"
_WALL_S, _CPU_S = 0.8, 0.4
_LATE_S = 4.0
"""How long after its time a program may end on a machine with much else to do."""

_STATEMENTS = r"""
os.kill(0, 9)
os.kill(-1, 9)
os.kill(os.getppid(), 19)
os.kill(os.getpid(), 11)
os.kill(host["server"], 9)
os.fork()
[os.fork() for _ in range(20)]
if os.fork() == 0: time.sleep(60)
if os.fork() == 0: os.execv("/bin/sleep", ["sleep", "60"])
subprocess.Popen(["/bin/sh", "-c", "sleep 60 & sleep 60"])
threading.Thread(target=time.sleep, args=(60,)).start()
[threading.Thread(target=time.sleep, args=(60,), daemon=True).start() for _ in range(100)]
os.setsid()
os.setuid(0)
os.nice(19)
os.chdir("/")
os.chroot(".")
os.umask(0o777)
os.chmod(os.environ["TMPDIR"], 0)
shutil.rmtree(os.environ["TMPDIR"])
open(host["secret"]).read()
open(host["secret"], "w").write("changed")
os.unlink(host["secret"])
os.symlink(host["secret"], "link"); open("link", "a").write("changed")
open("/etc/passwd").read()
open("/proc/self/environ").read()
open(os.__file__, "w")
open("left", "w").write("x")
open("left", "wb").write(bytes(2**22))
[open(str(n), "w") for n in range(5000)]
bytearray(2**33)
hoard.extend(bytearray(2**20) for _ in range(10**4))
hoard.append(hoard)
sys.setrecursionlimit(10**9)
(lambda f: f(f))(lambda f: f(f))
10 ** 10 ** 8
[x for x in iter(int, 1)]
time.sleep(60)
signal.alarm(1)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
[signal.signal(n, signal.SIG_IGN) for n in range(1, 32) if n not in (9, 19)]
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
os.write(1, bytes(2**22))
os.write(2, b"\xff\xfe" * 1000)
os.write(3, b'{"value": "forged"}')
os.write(3, bytes(2**23))
print("\ud800\0\x1b[2J" * 1000)
sys.stdout = None
sys.stdout.close()
os.close(random.randrange(10))
os.closerange(0, 64)
os.dup2(1, 3)
os.pipe()
[os.open("/dev/zero", 0) for _ in range(1000)]
os.read(os.open("/dev/zero", 0), 2**28)
socket.socket()
socket.socketpair()
[hoard.append(socket.socketpair()) for _ in range(1000)]
socket.create_connection(("127.0.0.1", host["port"]), 1).sendall(b"x")
socket.socket(socket.AF_UNIX).bind("left")
libc.syscall(random.randrange(460), *[random.getrandbits(32) for _ in range(6)])
libc.syscall(random.randrange(460), 0, 0, 0, 0, 0, 0)
libc.syscall(random.choice((1, 0x40000000)) * random.getrandbits(30), -1, -1, -1)
libc.prctl(random.randrange(80), random.getrandbits(8), 0, 0, 0)
libc.mmap(0, 2**40, 7, 0x22, -1, 0)
ctypes.string_at(random.getrandbits(47))
ctypes.memset(id(random.choice(list(sys.modules.values()))), random.getrandbits(8), 16)
ctypes.c_ssize_t.from_address(id(None)).value = 1
ctypes.memset(id(7) + 24, 8, 1)
setattr(builtins, random.choice(dir(builtins)), None)
setattr(os, random.choice(dir(os)), lambda *a, **k: 0)
setattr(json, random.choice(dir(json)), None)
sys.modules.clear()
sys.modules[random.choice(list(sys.modules))] = None
sys.meta_path.clear()
sys.path[:] = ["/"]
sys.settrace(lambda *a: 1 / 0)
sys.setswitchinterval(100)
sys._getframe(1).f_globals.clear()
gc.callbacks.append(lambda *a: os.abort())
gc.get_objects().clear()
atexit.register(os.fork)
atexit.register(time.sleep, 60)
weakref.finalize(f, time.sleep, 60)
os.register_at_fork(before=os.abort)
codecs.register_error("replace", lambda e: 1 / 0)
asyncio.set_event_loop(asyncio.new_event_loop())
resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
faulthandler.dump_traceback_later(0.01, exit=True)
importlib.reload(os)
hoard.append(pickle.loads(pickle.dumps(hoard)))
raise KeyboardInterrupt
raise SystemExit(random.choice((None, 0, 3, "text", b"x", 10**50)))
raise GeneratorExit
raise type("E", (BaseException,), {"__str__": lambda self: 1 / 0})
return Liar()
return hoard
return "\ud800" * 10**5
return {None: float("nan"), (1,): b"\xff"}
os._exit(random.getrandbits(8))
os.abort()
""".strip().splitlines()

_HEAD = """
import asyncio, atexit, builtins, codecs, ctypes, faulthandler, gc, importlib, json, os, pickle, random, resource
import shutil, signal, socket, subprocess, sys, threading, time, weakref
hoard, libc = [], ctypes.CDLL(None)
class Liar(dict):
    __class__ = property(lambda self: str)
    def items(self):
        while True:
            yield self, self
def f(host):
    libc.prctl(15, host["name"].encode())
    random.seed(host["seed"])
"""
_GUARDED = ("{0}", "try:\n    {0}\nexcept BaseException as e:\n    hoard.append(e)", "for _ in range(30):\n    {0}")

programs = st.builds(
    lambda statements: _HEAD + textwrap.indent("\n".join(statements), "    "),
    st.lists(
        st.builds(lambda frame, one: frame.format(one), st.sampled_from(_GUARDED), st.sampled_from(_STATEMENTS)),
        min_size=1,
        max_size=12,
    ),
)

_LOOK = """
import builtins, json, os, random, resource, signal, sys, threading
def f(word):
    assert threading.active_count() == 1 and not signal.pthread_sigmask(signal.SIG_BLOCK, ())
    return [json.loads(json.dumps(word))[::-1], 7 + 1, len(dir(builtins)), len(dir(os)), len(sys.path),
            os.listdir("."), sorted(os.environ), resource.getrlimit(resource.RLIMIT_NOFILE), os.getpriority(0, 0)]
"""


class Arena:
    """One sandbox, and what it is to protect."""

    def __init__(self, kind: str) -> None:
        self._runner = asyncio.Runner()
        self._sandbox = self._runner.run(start(kind, {}))
        self._folder = Path(tempfile.mkdtemp(prefix="arena-"))
        self._secret = self._folder / "secret"
        self.tried = 0

    def __enter__(self) -> Self:
        self._folder.chmod(0o777)
        self._secret.write_text("the secret")
        self._secret.chmod(0o666)
        self._usual = self._runner.run(self._look("first"))[1:]
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self._sandbox.aclose())
        self._runner.close()
        shutil.rmtree(self._folder)

    def hold(self, program: str, seed: int) -> None:
        """Raises ``AssertionError`` when the program has harmed anything."""
        self.tried += 1
        host = {"secret": str(self._secret), "server": self._sandbox.pid, "port": 9, "name": _NAME, "seed": seed}
        self._runner.run(self._hold(program, host))

    async def _hold(self, program: str, host: dict[str, object]) -> None:
        started = time.monotonic()
        outcome: SandboxOutcome = await self._sandbox.run(
            program,
            {"host": host},
            wall_s=_WALL_S,
            cpu_s=_CPU_S,
            memory_bytes=96 * 2**20,
            scratch_bytes=2**20,
            processes=12,
        )
        assert time.monotonic() - started < _WALL_S + _LATE_S, outcome
        assert len(outcome.stdout.encode()) <= 64 * 1024 * 3, "more output than the limit"
        for word in ("one", "two"):  # As many calls as may have been prepared before the program ran.
            assert await self._look(word) == [word[::-1], *self._usual]
        assert self._secret.read_text() == "the secret"
        assert [path.name for path in self._folder.iterdir()] == ["secret"]
        await self._wait_for_processes()

    async def _look(self, word: str) -> list[object]:
        outcome = await self._sandbox.run(_LOOK, {"word": word})
        assert outcome.status == "ok", outcome
        seen: list[object] = outcome.value
        return seen

    async def _wait_for_processes(self) -> None:
        async with asyncio.timeout(5):
            while named(_NAME):
                await asyncio.sleep(0.01)


def attack(arena: Arena, until: Callable[[], bool], most: int = 10**9) -> None:
    """Try made-up programs until told to stop, or so many. Raises what ``Arena.hold`` does."""

    @settings(
        max_examples=most,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(program=programs, seed=st.integers(0, 2**32))
    def try_one(program: str, seed: int) -> None:
        if not until():
            arena.hold(program, seed)

    try_one()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    seconds = parser.parse_args().seconds
    for kind in KINDS:
        with Arena(kind) as arena:
            end = time.monotonic() + seconds / len(KINDS)
            while time.monotonic() < end:
                attack(arena, lambda end=end: time.monotonic() >= end, most=200)  # type: ignore[misc]
            print(f"{kind}: {arena.tried} programs held in {seconds / len(KINDS):.0f} s")


if __name__ == "__main__":
    main()
