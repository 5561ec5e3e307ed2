"""One listener per process, which wakes whoever waits for an agent's events or a run's end in that process."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

from psycopg import Error

from agents_core.events.doorbell import rings

logger = logging.getLogger(__name__)

ANY_AGENT = "*"
BLOCKS = "blocks"
"""Rung for when people or programs change blocks, which need not be any agent's."""
ALL_AGENTS = "all agents"
"""Rung for when what holds for all agents changes: a watch or a breakpoint of all."""
_RECONNECT_S = 1.0


class Bell:
    """What one subscriber waits on. It gathers the ids that were rung for until they are taken."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._rung: set[str] = set()

    def ring(self, rung_for: str | None) -> None:
        if rung_for is not None:
            self._rung.add(rung_for)
        self._event.set()

    async def wait(self, timeout_s: float) -> set[str]:
        """The ids rung for, after the first ring or ``timeout_s``; empty when the time ran out or the listener reconnected."""
        try:
            # asyncio.wait_for of Python 3.11 loses a cancellation that comes with a ring.
            async with asyncio.timeout(timeout_s):
                await self._event.wait()
        except TimeoutError:
            return set()
        self._event.clear()
        rung, self._rung = self._rung, set()
        return rung


class Hub:
    """The bells of one event loop and the task that rings them."""

    def __init__(self) -> None:
        self._bells: dict[str, set[Bell]] = defaultdict(set)
        self._listener: asyncio.Task[None] | None = None
        self._listening = asyncio.Event()

    @contextmanager
    def bell(self, *rung_for: str) -> Iterator[Bell]:
        """A bell for agents, the ends of runs, ``BLOCKS``, ``ALL_AGENTS``, or with ``ANY_AGENT`` for every agent, for a ``with`` block."""
        if self._listener is None or self._listener.done():
            self._listener = asyncio.get_running_loop().create_task(self._listen(), name="events hub")
        bell = Bell()
        for name in rung_for:
            self._bells[name].add(bell)
        try:
            yield bell
        finally:
            for name in rung_for:
                self._bells[name].discard(bell)
                if not self._bells[name]:
                    del self._bells[name]

    async def ready(self) -> None:
        """Returns once rings are heard."""
        await self._listening.wait()

    async def _listen(self) -> None:
        while True:
            try:
                async for rung_for in rings():
                    self._listening.set()
                    self._wake(rung_for)
            except Error as error:
                logger.warning("The event listener lost the database and connects again: %s", error)
                self._listening.clear()
            await asyncio.sleep(_RECONNECT_S)

    def _wake(self, rung_for: str | None) -> None:
        if rung_for is None:
            for bell in [bell for bells in self._bells.values() for bell in bells]:
                bell.ring(None)
            return
        everybody = self._bells.get(ANY_AGENT, ()) if rung_for.startswith("agent-") else ()
        for bell in [*self._bells.get(rung_for, ()), *everybody]:
            bell.ring(rung_for)


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """The hub of the running event loop."""
    return _hubs.setdefault(asyncio.get_running_loop(), Hub())
