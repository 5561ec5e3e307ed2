"""The websockets that all others are made from: they follow something, and say what they find."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from agents_core.events.hub import ANY_AGENT, hub

logger = logging.getLogger(__name__)


class FollowingConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels has no types
    """A socket that sends what a task of its own finds, until it is closed."""

    _task: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        await self.accept()
        self._task = asyncio.create_task(self._guarded())

    async def disconnect(self, code: int) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _guarded(self) -> None:
        try:
            await self.follow()
        except Exception:  # the border of a websocket: the page connects again from where it was
            logger.exception("A websocket failed")
            await self.close(code=1011)

    def follow(self) -> Awaitable[None]:
        raise NotImplementedError

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(self.scope["query_string"].decode())

    def first(self, name: str) -> str:
        """What the socket's address says for ``name``."""
        return self.query.get(name, [""])[0]

    async def say(self, **message: Any) -> None:
        await self.send(text_data=json.dumps(message))


_LOOK_AGAIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Drawing:
    """A page as it is now. It is drawn again when one of the ``agents`` rings, with none named any agent, and after ``again_s`` seconds."""

    fragments: list[dict[str, Any]]
    agents: Collection[str] = ()
    again_s: float = _LOOK_AGAIN_S


class DrawingConsumer(FollowingConsumer):
    """A socket that draws its page again and again, ``join_s`` seconds apart at least. What was sent as it is now is not sent again."""

    join_s = 0.15

    def draw(self) -> Drawing | None:
        """None when what the page is about is not there, which the page is told."""
        raise NotImplementedError

    async def follow(self) -> None:
        sent: dict[str, dict[str, Any]] = {}
        with hub().bell(ANY_AGENT) as bell:
            await hub().ready()
            while drawing := await database_sync_to_async(self.draw, thread_sensitive=False)():
                if fragments := [each for each in drawing.fragments if sent.get(each["id"]) != each]:
                    await self.say(fragments=fragments)
                sent = {each["id"]: each for each in drawing.fragments}
                await asyncio.sleep(self.join_s)
                while (rung := await bell.wait(drawing.again_s)) and drawing.agents:
                    if not rung.isdisjoint(drawing.agents):
                        break
        await self.say(gone=True)

    @property
    def named(self) -> dict[str, str]:
        """The ids in the socket's address."""
        return {name: str(value) for name, value in self.scope["url_route"]["kwargs"].items()}


def number(values: list[str] | None) -> int:
    return int(values[0]) if values and values[0].isdigit() else 0
