"""The warm processes that calls are forked from: one for each set of packages, started when needed, ended when idle."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from agents_core.sandbox.base import PackagesMissing, SandboxCall, SandboxUnavailable

_READY_S = 20.0
_SPARE_CHANNELS = 2
_IDLE_S = 300.0
_MOST_WITH_PACKAGES = 4
_FOR_ALL = 0o005


class Contents(NamedTuple):
    """What a zygote holds beside the standard library: its calls are forks of it, so they hold the same."""

    packages: str = ""
    preload: tuple[str, ...] = ()
    folder: tuple[int, int] = (0, 0)
    """Device and inode of ``packages``: a folder made anew under the same name is another one."""

    @classmethod
    def of(cls, call: SandboxCall, preload: tuple[str, ...]) -> "Contents":
        """Raises ``PackagesMissing`` when the folder of the packages is not there, or is closed to tools."""
        if not call.packages:
            return cls()
        packages = os.path.realpath(call.packages)
        try:
            found = os.stat(f"{packages}/.")  # noqa: PTH116
        except OSError:
            raise PackagesMissing(
                f"The folder of this tool's packages is gone ({call.packages}). Install them again."
            ) from None
        if os.geteuid() == 0 and found.st_mode & _FOR_ALL != _FOR_ALL:
            raise PackagesMissing(f"Tools run as another user, who may not read {call.packages}: chmod -R a+rX it.")
        return cls(packages, preload, (found.st_dev, found.st_ino))


class Zygote:
    """One running zygote process, and a few calls it has prepared beforehand.

    A channel is a stream to a supervisor that has forked and isolated a process already, and waits for the request.
    """

    def __init__(self, command: list[str], control: socket.socket, theirs: socket.socket) -> None:
        self._control = control
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._spare: list[socket.socket] = []
        self._busy: set[socket.socket] = set()
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._complaints,
            pass_fds=(theirs.fileno(),),
            start_new_session=True,
            cwd="/",
            env={"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"},
        )

    async def wait_until_ready(self) -> None:
        """Raises ``SandboxUnavailable`` with what the process wrote to its standard error when it does not come up."""
        loop = asyncio.get_running_loop()
        self._control.setblocking(False)
        try:
            async with asyncio.timeout(_READY_S):
                word = await loop.sock_recv(self._control, 16)
        except (TimeoutError, OSError):
            word = b""
        if word != b"ready":
            self._complaints.seek(0)
            said = self._complaints.read(2000).decode(errors="replace").strip()
            raise SandboxUnavailable(said or f"the sandbox's process did not come up within {_READY_S:.0f} s")

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def take_channel(self) -> socket.socket:
        """To be handed to ``give_back``. Raises ``OSError`` when the zygote is gone."""
        channel = self._spare.pop(0) if self._spare else self._open_channel()
        self._busy.add(channel)
        return channel

    def give_back(self, channel: socket.socket) -> None:
        """Hang up: a call that still runs is ended by its supervisor."""
        self._busy.discard(channel)
        channel.close()

    def restock(self) -> None:
        with contextlib.suppress(OSError):  # It is gone: the next call will find out and start another.
            while len(self._spare) < _SPARE_CHANNELS:
                self._spare.append(self._open_channel())

    def discard_spare(self) -> None:
        for channel in self._spare:
            channel.close()
        self._spare.clear()

    def _open_channel(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self._control, [b"call"], [theirs.fileno()])
            except OSError:
                ours.close()
                raise
        ours.setblocking(False)
        return ours

    def close(self) -> None:
        """End the process and every call; those who wait for one read the end of its channel."""
        self.discard_spare()
        for channel in self._busy:
            with contextlib.suppress(OSError):
                channel.shutdown(socket.SHUT_RDWR)
        self._control.close()
        self._complaints.close()
        self.process.send_signal(signal.SIGSTOP)
        for child in _children(self.process.pid):  # bubblewrap's, which while it starts does not yet die with it.
            with contextlib.suppress(OSError):
                os.kill(child, signal.SIGKILL)
        self.process.kill()
        self.process.wait()


class Zygotes:
    """Those that run now, made by ``start``. The one without packages stays, the others end when nobody uses them."""

    def __init__(self, start: Callable[[Contents], Coroutine[Any, Any, Zygote]]) -> None:
        self._start = start
        self._tasks: dict[Contents, asyncio.Task[Zygote]] = {}
        self._calls: Counter[Contents] = Counter()
        self._used_at: dict[Contents, float] = {}
        self._sweep: asyncio.TimerHandle | None = None
        self._closed = False

    @contextlib.contextmanager
    def in_use(self, contents: Contents) -> Iterator[None]:
        """While this is entered, the zygote with these contents is not taken for idle."""
        self._calls[contents] += 1
        try:
            yield
        finally:
            self._calls[contents] -= 1
            if contents.packages:
                self._used_at[contents] = asyncio.get_running_loop().time()
                self._end_idle()

    async def get(self, contents: Contents) -> Zygote:
        """Raises ``SandboxUnavailable`` when it does not come up, or after ``close``."""
        if self._closed:
            raise SandboxUnavailable("the sandbox is closed")
        task = self._tasks.get(contents)
        if task is None or (task.done() and not _lives(task)):
            self._end(contents)
            task = self._tasks[contents] = asyncio.create_task(self._start(contents), name="start zygote")
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise SandboxUnavailable("the sandbox is closed") from None
            raise

    @property
    def plain_is_alive(self) -> bool:
        task = self._tasks.get(Contents())
        return task is not None and task.done() and _lives(task)

    def end(self, contents: Contents, zygote: Zygote) -> None:
        """End this one, with its calls, unless another with the same contents has taken its place."""
        task = self._tasks.get(contents)
        if task is not None and task.done() and task.exception() is None and task.result() is zygote:
            self._end(contents)

    def _end(self, contents: Contents) -> None:
        task = self._tasks.pop(contents, None)
        if task is None:
            return
        if task.done() and not task.cancelled() and task.exception() is None:
            task.result().close()
        task.cancel()

    def close(self) -> None:
        self._closed = True
        if self._sweep:
            self._sweep.cancel()
        for contents in list(self._tasks):
            self._end(contents)

    def _end_idle(self) -> None:
        """End those that nobody used of late, and the least recently used past the number that may stay."""
        loop = asyncio.get_running_loop()
        idle = [contents for contents in self._used_at if not self._calls[contents]]
        too_many = len(self._used_at) - _MOST_WITH_PACKAGES
        for place, contents in enumerate(sorted(idle, key=self._used_at.__getitem__)):
            if place < too_many or self._used_at[contents] <= loop.time() - _IDLE_S:
                self._end(contents)
                del self._used_at[contents], self._calls[contents]
        if self._sweep:
            self._sweep.cancel()
        self._sweep = loop.call_later(_IDLE_S / 4, self._end_idle) if self._used_at and not self._closed else None


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []  # It has ended.


def _lives(task: asyncio.Task[Zygote]) -> bool:
    return not task.cancelled() and task.exception() is None and task.result().alive
