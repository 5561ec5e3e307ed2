"""The websocket of an agent's pages: it follows the event stream, asks the panels that the page shows what changed, and sends HTML."""

import asyncio
import json
import logging
from typing import Any
from urllib.parse import parse_qsl

from channels.db import database_sync_to_async

from ade.following import FollowingConsumer, number
from ade.panels.base import bind, holding_for_all
from ade.status import runs_fragment
from agents_core.errors import AgentsError
from agents_core.events.hub import ALL_AGENTS, hub
from agents_core.events.subscribe import follow
from agents_core.events.types import StoredEvent
from agents_core.models import Agent

logger = logging.getLogger(__name__)

_JOIN_S = 0.02
_ALL_AGENTS_JOIN_S = 0.15
_LOOK_AGAIN_S = 600.0
_TOO_MANY = 400
"""A page that is this many events behind is quicker loaded anew."""
_MAX_PANELS = 20


class AgentConsumer(FollowingConsumer):
    """The socket of an agent's pages. The page says which panels it shows and how: ``{"panels": {"context": "step=14", …}}``.

    Each fragment carries its panel and those words, so that the page can drop what was drawn for something it has left
    since. ``arrived`` tells of panels that came by themselves meanwhile, each with the number of the newest event it may
    hold: one that is behind the stream is drawn anew. Drawing and sending are one step, so that nothing older follows
    something newer.
    """

    def __init__(self) -> None:
        super().__init__()
        self._panels: dict[str, str] = {}
        self._told = asyncio.Event()
        self._seq = 0
        self._drawing = asyncio.Lock()

    async def connect(self) -> None:
        self._seq = number(self.query.get("after"))
        await super().connect()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        try:
            told = json.loads(text_data or "")
            panels = {str(slug): str(params) for slug, params in list(dict(told["panels"]).items())[:_MAX_PANELS]}
            arrived = {str(slug): int(seq) for slug, seq in dict(told.get("arrived", {})).items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            await self.close(code=4400)
            return
        async with self._drawing:
            behind = {slug: panels[slug] for slug in panels if self._is_behind(slug, panels[slug], arrived.get(slug))}
            self._panels = panels
            self._told.set()
            if behind:
                await self.say(fragments=await self._drawn(behind))

    def _is_behind(self, slug: str, params: str, arrived: int | None) -> bool:
        """Whether a panel that the page shows may lack an event that was sent already."""
        if arrived is not None:
            return arrived < self._seq
        return self._told.is_set() and self._panels.get(slug) != params

    async def follow(self) -> None:
        await self._told.wait()
        async with asyncio.TaskGroup() as tasks:
            beside = tasks.create_task(self._follow_all_agents())
            await self._follow_agent()
            beside.cancel()

    async def _follow_agent(self) -> None:
        if await self._is_gone():
            return
        async for batch in follow(self._agent_id, self._seq):
            if not batch:
                if await self._is_gone():
                    return
                continue
            async with self._drawing:
                self._seq = batch[-1].seq
                if len(batch) >= _TOO_MANY:
                    await self.say(reload=True, seq=self._seq)
                    continue
                await self.say(seq=self._seq, fragments=await self._drawn(self._panels, batch))
            await asyncio.sleep(_JOIN_S)

    async def _follow_all_agents(self) -> None:
        """Draws the panels that show what holds for all agents whenever that changes, and once for what changed before it listened."""
        with hub().bell(ALL_AGENTS) as bell:
            await hub().ready()
            while True:
                async with self._drawing:
                    if panels := holding_for_all(self._panels):
                        await self.say(fragments=await self._drawn(panels))
                await asyncio.sleep(_ALL_AGENTS_JOIN_S)
                await bell.wait(_LOOK_AGAIN_S)

    async def _is_gone(self) -> bool:
        """Whether the agent was deleted, which its stream cannot tell: it went with it. The page is told then."""
        if await Agent.objects.filter(id=self._agent_id).aexists():
            return False
        await self.say(gone=True)
        return True

    @property
    def _agent_id(self) -> str:
        return str(self.scope["url_route"]["kwargs"]["agent_id"])

    async def _drawn(self, panels: dict[str, str], events: list[StoredEvent] | None = None) -> list[dict[str, Any]]:
        draw = database_sync_to_async(_draw_panels, thread_sensitive=False)
        return list(await draw(self._agent_id, panels, events))


def _draw_panels(agent_id: str, panels: dict[str, str], events: list[StoredEvent] | None) -> list[dict[str, Any]]:
    """What ``events`` changed in the panels; without events the whole panels."""
    agent = Agent.objects.filter(id=agent_id).first()
    if agent is None:
        return []
    runs_moved = any(event.event.type.startswith("run.") for event in events or ())
    drawn = [runs_fragment().rendered()] if runs_moved else []
    for slug, params in panels.items():
        try:
            panel = bind(slug, agent, dict(parse_qsl(params)))
            fragments = [panel.whole()] if events is None else panel.fragments(events)
            drawn += [{**fragment.rendered(), "panel": slug, "params": params} for fragment in fragments]
        except AgentsError as error:  # parameters that no longer fit, such as a step of a deleted run
            logger.info("Panel %s of %s was not drawn: %s", slug, agent_id, error)
    return drawn
