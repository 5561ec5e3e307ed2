"""One listener per process, which wakes every subscriber of an agent in that process."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

from psycopg import OperationalError

from agents_core.events.doorbell import rings

logger = logging.getLogger(__name__)

ANY_AGENT = "*"
_RECONNECT_S = 1.0


class Bell:
    """What one subscriber waits on. ``rung`` gathers the ids of the agents that were rung for since it was last taken."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._rung: set[str] = set()

    def ring(self, agent_id: str | None) -> None:
        if agent_id is not None:
            self._rung.add(agent_id)
        self._event.set()

    async def wait(self, timeout_s: float) -> set[str]:
        """The ids rung for, after the first ring or ``timeout_s``; empty when the time ran out or the listener reconnected."""
        try:
            await asyncio.wait_for(self._event.wait(), timeout_s)
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
    def bell(self, agent_id: str) -> Iterator[Bell]:
        """A bell for one agent, or for every one with ``ANY_AGENT``, for the length of a ``with`` block."""
        if self._listener is None or self._listener.done():
            self._listener = asyncio.get_running_loop().create_task(self._listen(), name="events hub")
        bell = Bell()
        self._bells[agent_id].add(bell)
        try:
            yield bell
        finally:
            self._bells[agent_id].discard(bell)
            if not self._bells[agent_id]:
                del self._bells[agent_id]

    async def ready(self) -> None:
        """Returns once rings are heard."""
        await self._listening.wait()

    async def _listen(self) -> None:
        while True:
            try:
                async for agent_id in rings():
                    self._listening.set()
                    self._wake(agent_id)
            except OperationalError as error:
                logger.warning("The event listener lost the database and connects again: %s", error)
                self._listening.clear()
            await asyncio.sleep(_RECONNECT_S)

    def _wake(self, agent_id: str | None) -> None:
        if agent_id is None:
            for bell in [bell for bells in self._bells.values() for bell in bells]:
                bell.ring(None)
            return
        for bell in [*self._bells.get(agent_id, ()), *self._bells.get(ANY_AGENT, ())]:
            bell.ring(agent_id)


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """The hub of the running event loop."""
    return _hubs.setdefault(asyncio.get_running_loop(), Hub())
