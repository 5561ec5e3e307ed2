"""What both sandboxes share: one warm zygote, many calls at once, and no call that waits for ever."""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from typing import IO, Any, ClassVar

from agents_core.sandbox.base import SandboxCall, SandboxOutcome, SandboxStatus, SandboxUnavailable
from agents_core.sandbox.inside import wire
from agents_core.sandbox.outcome import outcome_of

_READY_S = 20.0
_GRACE_S = 5.0
_SPARE_CHANNELS = 2
_CHUNK_BYTES = 256 * 1024


class Zygote:
    """One running zygote process, and a few calls it has prepared beforehand.

    A channel is a stream to a supervisor that has forked and isolated a process already, and waits for the request.
    """

    def __init__(self, process: subprocess.Popen[bytes], control: socket.socket, complaints: IO[bytes]) -> None:
        self.process = process
        self._control = control
        self._complaints = complaints
        self._spare: list[socket.socket] = []
        self._busy: set[socket.socket] = set()

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    async def wait_until_ready(self) -> None:
        """Raises ``SandboxUnavailable`` with what the process wrote to its standard error when it does not come up."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_READY_S):
                word = await loop.sock_recv(self._control, 16)
        except (TimeoutError, OSError):
            word = b""
        if word != b"ready":
            self.close()
            self._complaints.seek(0)
            said = self._complaints.read(2000).decode(errors="replace").strip()
            raise SandboxUnavailable(said or f"the sandbox's process did not come up within {_READY_S:.0f} s")

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
            channel.shutdown(socket.SHUT_RDWR)
        self._control.close()
        self.process.kill()
        self.process.wait()


class WarmSandbox:
    """A sandbox whose calls are forks of a zygote. Started by the first call or ``warm()``; started anew when it died.

    ``concurrency`` calls run at once, others wait their turn; their waiting is not counted in ``wall_s``. Together they
    use at most ``concurrency * (memory_bytes + scratch_bytes)``. ``reason`` and ``advice`` are told by ``status()``.
    """

    name: ClassVar[str]

    def __init__(self, *, concurrency: int = 8, reason: str = "", advice: str = "") -> None:
        self._turns = asyncio.Semaphore(concurrency)
        self._starting = asyncio.Lock()
        self._zygote: Zygote | None = None
        self._closed = False
        self._reason = reason
        self._advice = advice

    def _command(self, control: int) -> tuple[list[str], dict[str, Any]]:
        """The program that becomes the zygote, and further arguments for ``Popen``."""
        raise NotImplementedError

    @contextlib.contextmanager
    def _turn(self) -> Iterator[dict[str, Any]]:
        """What the supervisor must know of this call beside the call: ``uid`` and ``processes_before``."""
        raise NotImplementedError

    async def call(self, call: SandboxCall) -> SandboxOutcome:
        """Raises ``SandboxUnavailable`` if the machine cannot isolate, ``TypeError`` if ``args`` are no JSON data."""
        async with self._turns:
            with self._turn() as turn:
                request = wire.pack_request(asdict(call) | turn)
                reply = bytearray()
                try:
                    async with asyncio.timeout(call.limits.wall_s + _GRACE_S):
                        await self._exchange(request, reply)
                except TimeoutError:
                    self._drop()  # Its supervisor should have answered: something is stuck beyond mending.
        return outcome_of(bytes(reply), call.limits)

    async def warm(self) -> None:
        """Start now what the first call would start. Raises ``SandboxUnavailable``."""
        await self._running()

    def status(self) -> SandboxStatus:
        warm = self._zygote is not None and self._zygote.alive
        return SandboxStatus(self.name, available=True, warm=warm, reason=self._reason, advice=self._advice)

    async def aclose(self) -> None:
        """End the zygote and with it every call; they get the status ``killed``."""
        self._closed = True
        self._drop()

    async def _running(self) -> Zygote:
        async with self._starting:
            if self._closed:
                raise SandboxUnavailable("the sandbox is closed")
            if self._zygote is None or not self._zygote.alive:
                self._drop()
                self._zygote = self._start()
                await self._zygote.wait_until_ready()
            return self._zygote

    def _start(self) -> Zygote:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command, further = self._command(theirs.fileno())
        complaints = tempfile.TemporaryFile()  # noqa: SIM115 - read when the process fails, closed with the object
        with theirs:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=complaints,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
                cwd="/",
                env={"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"},
                **further,
            )
        ours.setblocking(False)
        return Zygote(process, ours, complaints)

    async def _exchange(self, request: bytes, reply: bytearray) -> None:
        loop = asyncio.get_running_loop()
        zygote, channel = await self._send(request)
        try:
            while chunk := await loop.sock_recv(channel, _CHUNK_BYTES):
                reply += chunk
        except ConnectionError:
            reply.clear()  # The supervisor died with the request half read.
        finally:
            zygote.give_back(channel)
        if not reply:
            zygote.discard_spare()  # What killed one may have killed them all.
        zygote.restock()

    async def _send(self, request: bytes) -> tuple[Zygote, socket.socket]:
        """Hand ``request`` to a supervisor; to another if that one is dead: none begins before it has it whole."""
        loop = asyncio.get_running_loop()
        for _ in range(_SPARE_CHANNELS + 2):
            zygote = await self._running()
            try:
                channel = zygote.take_channel()
            except OSError:
                self._drop()
                continue
            try:
                await loop.sock_sendall(channel, request)
                return zygote, channel
            except OSError:
                zygote.give_back(channel)
            except BaseException:
                zygote.give_back(channel)
                raise
        raise SandboxUnavailable("the sandbox's processes die as fast as they are started")

    def _drop(self) -> None:
        if self._zygote is not None:
            self._zygote.close()
            self._zygote = None


def zygote_arguments(control: int, **configuration: Any) -> str:
    return json.dumps({"control": control, "become": None, **configuration})


def is_root() -> bool:
    return os.geteuid() == 0
