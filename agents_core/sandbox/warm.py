"""What both sandboxes share: warm zygotes, many calls at once, and no call that waits for ever."""

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any, ClassVar

from agents_core.sandbox.answers import Answers
from agents_core.sandbox.base import Answer, SandboxCall, SandboxOutcome, SandboxStatus, SandboxUnavailable
from agents_core.sandbox.conversation import Conversation
from agents_core.sandbox.inside import wire
from agents_core.sandbox.interpreter import certificates
from agents_core.sandbox.outcome import mib, outcome_of
from agents_core.sandbox.proxy import ADDRESS, Proxy, Route, public_route
from agents_core.sandbox.zygotes import Contents, Zygote, Zygotes

_GRACE_S = 5.0
_TRIES = 4
"""As many as supervisors may be prepared beforehand and have died with what killed one, and two more."""


class WarmSandbox:
    """A sandbox whose calls are forks of a zygote. Started by the first call or ``warm()``; started anew when it died.

    ``concurrency`` calls run at once, others wait their turn; their waiting is not counted in ``wall_s``. Together they
    use at most ``memory_bytes``, unless told otherwise half of what the machine has: past it, the one that uses the most
    is ended. ``route`` says where a name that a tool may reach leads to. ``reason`` and ``advice`` are told by
    ``status()``.
    """

    name: ClassVar[str]
    preloads: ClassVar[bool]
    """Whether packages may be imported before a call's own walls stand."""

    def __init__(
        self,
        *,
        concurrency: int = 8,
        memory_bytes: int = 0,
        route: Route = public_route,
        reason: str = "",
        advice: str = "",
    ) -> None:
        self._turns = asyncio.Semaphore(concurrency)
        self._memory_bytes = memory_bytes or _machine_memory_bytes() // 2
        self._zygotes = Zygotes(self._start)
        self._conversations: set[Conversation] = set()
        self._route = route
        self._reason = reason
        self._advice = advice

    def _command(self, control: int, contents: Contents) -> list[str]:
        """The program that becomes the zygote."""
        raise NotImplementedError

    @contextlib.contextmanager
    def _turn(self) -> Iterator[dict[str, Any]]:
        """What the supervisor must know of this call beside the call: ``uid`` and ``processes_before``."""
        raise NotImplementedError

    async def call(self, call: SandboxCall, answer: Answer | None = None) -> SandboxOutcome:
        """As ``Sandbox.call``; also raises ``TypeError`` if ``args`` are no JSON data."""
        contents = Contents.of(call, preload=call.preload if self.preloads else ())
        async with self._turns, Proxy(call.hosts, self._route) as proxy, Answers(answer) as answers:
            with self._turn() as turn, self._zygotes.in_use(contents):
                shown = replace(call, env=_environment(call), packages="", preload=())
                request = wire.pack_request(asdict(shown) | turn | {"asks": answer is not None})
                conversation = Conversation(self._hold_to_memory, proxy.serve, answers.serve)
                zygote = await self._zygotes.get(contents)
                try:
                    async with asyncio.timeout(call.limits.wall_s + _GRACE_S):
                        await self._converse(contents, request, conversation)
                except TimeoutError:  # Its supervisor should have answered: it is stuck beyond mending.
                    self._zygotes.end(contents, zygote)
        return outcome_of(bytes(conversation.reply), call.limits, conversation.stopped)

    async def warm(self) -> None:
        """Start now what the first call would start. Raises ``SandboxUnavailable``."""
        await self._zygotes.get(Contents())

    def status(self) -> SandboxStatus:
        warm = self._zygotes.plain_is_alive
        return SandboxStatus(self.name, available=True, warm=warm, reason=self._reason, advice=self._advice)

    async def aclose(self) -> None:
        """End the zygotes and with them every call; they get the status ``killed``."""
        self._zygotes.close()

    async def _start(self, contents: Contents) -> Zygote:
        """Raises ``SandboxUnavailable``. A package that ends or holds up the process is left to the calls to import."""
        if contents.preload:
            with contextlib.suppress(SandboxUnavailable):
                return await self._start_one(contents)
        return await self._start_one(contents._replace(preload=()))

    async def _start_one(self, contents: Contents) -> Zygote:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                zygote = Zygote(self._command(theirs.fileno(), contents), ours, theirs)
            except BaseException:
                ours.close()
                raise
        try:
            await zygote.wait_until_ready()
        except BaseException:
            zygote.close()
            raise
        return zygote

    async def _converse(self, contents: Contents, request: bytes, conversation: Conversation) -> None:
        zygote, channel = await self._send(contents, request)
        self._conversations.add(conversation)
        try:
            await conversation.listen(channel)
        finally:
            self._conversations.discard(conversation)
            zygote.give_back(channel)
        if not conversation.reply:
            zygote.discard_spare()  # What killed one may have killed them all.
        zygote.restock()

    async def _send(self, contents: Contents, request: bytes) -> tuple[Zygote, socket.socket]:
        """Hand ``request`` to a supervisor; to another if that one is dead: none begins before it has it whole."""
        loop = asyncio.get_running_loop()
        for _ in range(_TRIES):
            zygote = await self._zygotes.get(contents)
            try:
                channel = zygote.take_channel()
            except OSError:
                self._zygotes.end(contents, zygote)
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

    def _hold_to_memory(self) -> None:
        """End the call that uses the most when all together use too much; one at a time, as it takes a moment."""
        together = sum(one.memory_bytes for one in self._conversations)
        if together > self._memory_bytes and not any(one.stopped for one in self._conversations):
            largest = max(self._conversations, key=lambda one: one.memory_bytes)
            largest.stop(
                f"Killed: the tools running now used more than {mib(self._memory_bytes)} of memory together, "
                "and this one the most."
            )


def zygote_arguments(control: int, contents: Contents, **configuration: Any) -> str:
    """``configuration`` must say where the packages are inside, as ``packages``."""
    return json.dumps({"control": control, "become": None, "preload": contents.preload, **configuration})


def is_root() -> bool:
    return os.geteuid() == 0


def _environment(call: SandboxCall) -> dict[str, str]:
    """What the call sees beside the four names every call has; its own values come before ours."""
    ours = {}
    if call.packages:
        ours["OMP_NUM_THREADS"] = "1"  # A pool of threads, one a processor, would use up the call's memory and threads.
    if call.hosts:
        ours |= dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), ADDRESS)
        ours |= {name: str(certificates()) for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")}
    return ours | call.env


def _machine_memory_bytes() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
