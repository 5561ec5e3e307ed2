"""A websocket as an open page has it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from asgiref.testing import ApplicationCommunicator
from channels.generic.websocket import AsyncWebsocketConsumer

PATIENCE_S = 20


class Page:
    """What an open page says and hears."""

    def __init__(self, communicator: ApplicationCommunicator) -> None:
        self._communicator = communicator

    async def tell(self, panels: dict[str, str], **arrived: int) -> None:
        await self.say(json.dumps({"panels": panels, "arrived": arrived}))

    async def say(self, text: str) -> None:
        await self._communicator.send_input({"type": "websocket.receive", "text": text})

    async def hear(self) -> dict[str, Any]:
        sent = await self._communicator.receive_output(timeout=PATIENCE_S)
        assert sent["type"] == "websocket.send", sent
        message: dict[str, Any] = json.loads(sent["text"])
        return message

    async def hear_close(self) -> int:
        sent = await self._communicator.receive_output(timeout=PATIENCE_S)
        assert sent["type"] == "websocket.close", sent
        code: int = sent["code"]
        return code

    async def drawn(self) -> list[tuple[str, str]]:
        """The panels of the next message, each with what it was drawn for."""
        return [(each["panel"], each["params"]) for each in (await self.hear())["fragments"]]


@asynccontextmanager
async def opened(
    consumer: type[AsyncWebsocketConsumer], path: str, query: str = "", **kwargs: str
) -> AsyncIterator[Page]:
    """``kwargs``: what the address gives the consumer."""
    scope = {
        "type": "websocket",
        "path": path,
        "query_string": query.encode(),
        "url_route": {"kwargs": kwargs},
    }
    communicator = ApplicationCommunicator(consumer.as_asgi(), scope)
    await communicator.send_input({"type": "websocket.connect"})
    assert (await communicator.receive_output(timeout=PATIENCE_S))["type"] == "websocket.accept"
    yield Page(communicator)
    await communicator.send_input({"type": "websocket.disconnect", "code": 1000})
    await communicator.wait(timeout=PATIENCE_S)
