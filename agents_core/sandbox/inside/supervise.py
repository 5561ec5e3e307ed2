"""One call, seen from outside it: start the process, carry its output, hold it to its limits, say how it ended."""

import contextlib
import json
import os
import select
import signal
import socket
import time
from typing import Any

from agents_core.sandbox.inside import harness, usage, wire
from agents_core.sandbox.inside.cage import Cage, limit_open_files
from agents_core.sandbox.inside.door import Door

_TICK_S = 0.05
_REPORT_SLACK_BYTES = 64 * 1024
_REPORT_FD, _SETUP_FD, _ASKS_FD, _EMPTY_FD = 3, 4, 5, 6
OPEN_FILES = 512
"""What the zygote and its supervisors hold themselves to, so that closing "all" descriptors is quick. It also bounds
how many descriptors a user may have on their way in sockets: tools may have 64, and 253 in a last message."""
_ABOVE_ALL = OPEN_FILES - 16


class Stream:
    """The reading end of a pipe: keeps the first ``limit`` bytes, swallows the rest so that the writer never waits."""

    limit = 0

    def __init__(self) -> None:
        self.fd, self.writer = os.pipe()
        os.set_blocking(self.fd, False)
        self.data = bytearray()
        self.overflowed = False

    def drain(self) -> bool:
        """Read what is there. False at the end of the stream."""
        try:
            chunk = os.read(self.fd, 65536)
        except BlockingIOError:
            return True
        room = self.limit - len(self.data)
        self.data += chunk[:room]
        self.overflowed |= len(chunk) > room
        return bool(chunk)

    def finish(self) -> None:
        """Read the rest without waiting for writers that may live on."""
        before = -1
        while not self.overflowed and len(self.data) > before:
            before = len(self.data)
            if not self.drain():
                return


class Supervisor:
    """Runs the one call that arrives on ``channel`` in ``cage``. ``proc`` is a descriptor of /proc."""

    def __init__(self, channel: socket.socket, cage: Cage, proc: int) -> None:
        self.channel = channel
        self.cage = cage
        self.proc = proc
        self.shared_bytes = usage.resident_bytes()
        self.peak_bytes = 0
        self.door: Door | None = None

    def run(self) -> None:
        """Raises ``OSError`` when the machine refuses the cage."""
        self.cage.prepare()
        try:
            self._run()
        finally:
            self.cage.clean()

    def _run(self) -> None:
        self.out, self.err, self.report = Stream(), Stream(), Stream()
        self.streams = {stream.fd: stream for stream in (self.out, self.err, self.report)}
        request_end, request_pipe = os.pipe()
        ready, setup = socket.socketpair()
        self.asks, asking = socket.socketpair()
        theirs = (request_end, self.out.writer, self.err.writer, self.report.writer, setup.detach(), asking.detach())
        self.address_space = usage.address_space_bytes()
        self.child = os.fork()
        if self.child == 0:
            _become_the_tool(self.cage, theirs, self.address_space)
        for fd in theirs:
            os.close(fd)
        try:
            self._pass_request_on(request_pipe)
            said, fds, _, _ = socket.recv_fds(ready, 4096, 1)
        except (EOFError, OSError):  # Nobody asked before the server ended, or the process is dead: _end says how.
            self._end()
            raise
        word = said.decode()
        if not word.startswith("+"):
            self._end()
            raise OSError(word[1:] or "the call's process died while it was set up")
        if fds:
            self.door = Door(fds[0], self.channel)
        self._run_to_the_end(cpu_before=float(word[1:]))

    def _pass_request_on(self, pipe: int) -> None:
        body = wire.receive_request(self.channel)
        request: dict[str, Any] = json.loads(body)
        self.limits = request["limits"]
        self.out.limit = self.err.limit = self.limits["output_bytes"]
        self.report.limit = self.limits["result_bytes"] + _REPORT_SLACK_BYTES
        self.cage.admit(request)
        if request["asks"]:
            socket.send_fds(self.channel, [wire.pack_note(wire.ASKS)], [self.asks.fileno()])
        self.asks.close()
        with open(pipe, "wb") as writer:
            writer.write(body)

    def _run_to_the_end(self, cpu_before: float) -> None:
        started = time.monotonic()
        reason = self._watch(started + self.limits["wall_s"])
        duration_s = time.monotonic() - started
        self._conclude(reason, duration_s, cpu_before)

    def _watch(self, deadline: float) -> str:
        """Wait for the end. Gives the name of the limit that was passed, or nothing."""
        ended = os.pidfd_open(self.child)
        poller = select.poll()
        for fd in (*self.streams, ended, self.channel.fileno(), *([self.door.fd] if self.door else [])):
            poller.register(fd, select.POLLIN)
        next_check = time.monotonic() + _TICK_S
        while True:
            now = time.monotonic()
            if now >= deadline:
                return "wall"
            if now >= next_check:
                if passed := self._limit_passed():
                    return passed
                next_check = time.monotonic() + _TICK_S
            for fd, event in poller.poll(max(0.0, min(deadline, next_check) - now) * 1000 + 1):
                if fd == ended:
                    return ""
                if fd == self.channel.fileno() and not self._hear(poller):
                    return "cancelled"  # The server hung up: nobody waits for the answer.
                if not self._attend_to(fd, event):
                    poller.unregister(fd)

    def _attend_to(self, fd: int, event: int) -> bool:
        """Take what is there. False when nothing more is to be waited for, or not for now."""
        if fd in self.streams:
            return self.streams[fd].drain()
        if self.door and fd == self.door.fd:
            return bool(event & select.POLLIN) and self.door.answer()
        return True

    def _hear(self, poller: select.poll) -> bool:
        """Take the server's word that it has connections in hand. False when it hung up."""
        try:
            taken = len(self.channel.recv(64))
        except ConnectionResetError:  # It hung up without reading all that it was told.
            return False
        if taken and self.door:
            self.door.unconfirmed -= taken
            poller.register(self.door.fd, select.POLLIN)
        return taken > 0

    def _limit_passed(self) -> str:
        if self.report.overflowed:
            return "result"
        now = usage.of_tree(self.proc, self.child, self.shared_bytes)
        self.peak_bytes = max(self.peak_bytes, now.memory_bytes)
        scratch_bytes = self.cage.scratch_bytes(self.proc, now.processes)
        with contextlib.suppress(OSError):  # The server hung up: the next look at the channel tells.
            own_bytes = now.memory_bytes - self.shared_bytes + scratch_bytes
            self.channel.sendall(wire.pack_note(wire.MEMORY, own_bytes))
        if now.cpu_s > self.limits["cpu_s"]:
            return "cpu"
        if (
            now.memory_bytes > self.limits["memory_bytes"] + self.address_space
        ):  # One process alone meets RLIMIT_AS first.
            return "memory"
        if scratch_bytes > self.limits["scratch_bytes"]:
            return "scratch"
        return ""

    def _end(self) -> tuple[int, float, int]:
        """Kill all that is left of the call. Gives exit code, CPU seconds and peak bytes."""
        with contextlib.suppress(ProcessLookupError):  # It is dead already and keeps its number until waited for.
            self.cage.kill(self.child)
        _, status, spent = os.wait4(self.child, 0)
        cpu_s, peak = spent.ru_utime + spent.ru_stime, spent.ru_maxrss * 1024
        while True:
            try:
                _, _, spent = os.wait3(0)  # Orphans that a subreaper inherits.
            except ChildProcessError:
                return os.waitstatus_to_exitcode(status), cpu_s, peak
            cpu_s += spent.ru_utime + spent.ru_stime

    def _conclude(self, reason: str, duration_s: float, cpu_before: float) -> None:
        code, cpu_s, peak = self._end()
        for stream in (self.out, self.err, self.report):
            stream.finish()
        if not reason and code == -signal.SIGKILL and cpu_s >= self.limits["cpu_s"]:
            reason = "cpu"
        if self.report.overflowed:
            reason = "result"
        header = {
            "status": "ended",
            "reason": reason,
            "code": code,
            "duration_ms": duration_s * 1000,
            "cpu_ms": max(0.0, cpu_s - cpu_before) * 1000,
            "peak_memory_bytes": max(peak, self.peak_bytes),
            "output_truncated": self.out.overflowed or self.err.overflowed,
        }
        self._reply(header, bytes(self.out.data), bytes(self.err.data), bytes(self.report.data))

    def _reply(self, header: dict[str, Any], *parts: bytes) -> None:
        self.channel.sendall(wire.pack_reply(header, *parts))
        self.channel.shutdown(socket.SHUT_WR)  # The end of the reply is not to wait for the end of this process.


def _become_the_tool(cage: Cage, ends: tuple[int, ...], address_space: int) -> None:
    """Wait for the request, shut the walls, say so, run the tool, end. Never returns."""
    try:
        _keep_only(ends)
        os.setsid()
        cage.begin()
        harness.furnish()
        request = _read_request()
        questions = cage.enter(request | {"address_space": address_space})
        _say_ready(questions)
        limit_open_files()  # With the tool's own limit, what other tools have on their way could stop ours.
    except BaseException as error:
        os.write(_SETUP_FD, f"-{error}".encode())
        os._exit(1)
    try:
        harness.run(request, _REPORT_FD, _ASKS_FD, cage.scratch)
    finally:
        os._exit(1)


def _say_ready(questions: tuple[int, ...]) -> None:
    """Hand the supervisor the descriptor through which the filter asks for sockets, if there is one."""
    with socket.socket(fileno=os.dup(_SETUP_FD)) as setup:
        socket.send_fds(setup, [f"+{time.process_time()}".encode()], questions)
    for fd in (_SETUP_FD, *questions):
        os.close(fd)


def _read_request() -> dict[str, Any]:
    with open(0, "rb", closefd=False) as reader:
        request: dict[str, Any] = json.load(reader)
    os.dup2(_EMPTY_FD, 0)
    os.close(_EMPTY_FD)
    return request


def _keep_only(ends: tuple[int, ...]) -> None:
    """Standard input is the request, 1 and 2 the output, 3 the report, 4 the setup, 5 the questions; every other descriptor is closed.

    Among them is the channel to the server: with it the tool could answer in another's name.
    """
    empty = os.open("/dev/null", os.O_RDONLY)
    high = [os.dup2(fd, _ABOVE_ALL + i) for i, fd in enumerate((*ends, empty))]
    for target, fd in enumerate(high):
        os.dup2(fd, target, inheritable=target < _REPORT_FD)
    os.closerange(len(high), OPEN_FILES)
