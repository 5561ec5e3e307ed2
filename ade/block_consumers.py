"""The websockets of the pages of blocks by themselves, which are no one agent's."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from channels.db import database_sync_to_async

from ade.block_page import list_fragments, list_mark, page_fragments, page_mark
from ade.following import FollowingConsumer
from ade.fragments import Fragment
from agents_core.events.hub import ANY_AGENT, BLOCKS, hub

_JOIN_S = 0.15


class _MarkedConsumer(FollowingConsumer):
    """Draws what the page shows whenever its mark has changed. The page tells what it shows as an agent's does; another choice of the
    person's is drawn at once, for it may have come from before the last change."""

    panel: ClassVar[str]
    panel_id: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self._params: str | None = None
        self._told = asyncio.Event()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        try:
            told = str(dict(json.loads(text_data or "")["panels"]).get(self.panel, ""))
        except (ValueError, KeyError, TypeError):
            await self.close(code=4400)
            return
        before, self._params = self._params, told
        self._told.set()
        if before not in (None, told):
            await self._draw()

    async def follow(self) -> None:
        shown: tuple[Any, ...] | None = None
        with hub().bell(ANY_AGENT, BLOCKS) as bell:
            await hub().ready()
            await self._told.wait()
            while True:
                mark = await database_sync_to_async(self.mark, thread_sensitive=False)()
                if mark != shown:
                    await self._draw()
                shown = mark
                await asyncio.sleep(_JOIN_S)
                await bell.wait(60.0)

    async def _draw(self) -> None:
        drawn = await database_sync_to_async(self._rendered, thread_sensitive=False)(self._params or "")
        await self.say(fragments=drawn)

    def _rendered(self, params: str) -> list[dict[str, Any]]:
        """The fragments, the panel's own for these ``params`` alone."""
        own = {"panel": self.panel, "params": params}
        found = self.fragments(dict(parse_qsl(params)))
        return [{**fragment.rendered(), **(own if fragment.dom_id == self.panel_id else {})} for fragment in found]

    def mark(self) -> tuple[Any, ...]:
        raise NotImplementedError

    def fragments(self, params: Mapping[str, str]) -> Sequence[Fragment]:
        raise NotImplementedError


class BlocksConsumer(_MarkedConsumer):
    """The socket of the list of blocks."""

    panel = "blocks"
    panel_id = "block-list"

    def mark(self) -> tuple[Any, ...]:
        return list_mark()

    def fragments(self, params: Mapping[str, str]) -> Sequence[Fragment]:
        return list_fragments(params)


class BlockConsumer(_MarkedConsumer):
    """The socket of the page of one block."""

    panel = "blame"
    panel_id = "panel-blame"

    @property
    def _block_id(self) -> str:
        return str(self.scope["url_route"]["kwargs"]["block_id"])

    def mark(self) -> tuple[Any, ...]:
        return page_mark(self._block_id)

    def fragments(self, params: Mapping[str, str]) -> Sequence[Fragment]:
        return page_fragments(self._block_id, params)
