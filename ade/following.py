"""The websocket that all others are made from: it follows something, and says what it finds."""

import asyncio
import json
import logging
from collections.abc import Awaitable
from typing import Any
from urllib.parse import parse_qs

from channels.generic.websocket import AsyncWebsocketConsumer

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

    async def say(self, **message: Any) -> None:
        await self.send(text_data=json.dumps(message))


def number(values: list[str] | None) -> int:
    return int(values[0]) if values and values[0].isdigit() else 0
