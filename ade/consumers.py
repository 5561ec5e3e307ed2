"""The websockets: they follow the event stream, ask the panels that a page shows what changed, and send HTML."""

import asyncio
import json
import logging
from collections.abc import Awaitable
from typing import Any
from urllib.parse import parse_qs, parse_qsl

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from ade.agent_rows import agent_list_fragments
from ade.comparison_page import fork_ids
from ade.comparison_page import live_fragments as comparison_fragments
from ade.group_page import live_fragments as group_fragments
from ade.notices import notices_fragment
from ade.panels.base import bind, holding_for_all
from ade.status import runs_fragment
from ade.tool_page import LIVE_PANEL, live_fragments, live_mark
from agents_core.actions.groups import everybody_in
from agents_core.errors import AgentsError
from agents_core.events.hub import ALL_AGENTS, ANY_AGENT, hub
from agents_core.events.subscribe import follow
from agents_core.events.types import StoredEvent
from agents_core.models import Agent, Comparison, Group

logger = logging.getLogger(__name__)

_JOIN_S = 0.02
_LIST_JOIN_S = 0.15
_BRANCHES_JOIN_S = 0.3
_NOTICES_JOIN_S = 0.5
_LOOK_AGAIN_S = 600.0
_TOO_MANY = 400
"""A page that is this many events behind is quicker loaded anew."""
_MAX_PANELS = 20


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
        self._seq = _number(self.query.get("after"))
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
                await asyncio.sleep(_LIST_JOIN_S)
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


class AgentsConsumer(FollowingConsumer):
    """The socket of the list of agents: rows follow every agent's stream."""

    async def follow(self) -> None:
        filters = {name: values[-1] for name, values in self.query.items()}
        with hub().bell(ANY_AGENT) as bell:
            await hub().ready()
            changed: set[str] | None = None  # the first look finds what happened between loading and listening
            while True:
                fragments = await database_sync_to_async(_rendered_rows, thread_sensitive=False)(changed, filters)
                if fragments:
                    await self.say(fragments=fragments)
                await asyncio.sleep(_LIST_JOIN_S)
                changed = set()
                while not changed:
                    changed = await bell.wait(60.0)


class ToolsConsumer(FollowingConsumer):
    """The socket of a tool's page, which says what tool it shows: its calls by agents, and who holds it.

    What is more than these agents do, such as a case that was saved, comes by htmx: what was drawn before it may arrive
    after it. The page tells that it ``arrived``, and gets everything drawn anew. Drawing and sending are one step, so
    that nothing older follows something newer.
    """

    def __init__(self) -> None:
        super().__init__()
        self._params = ""
        self._told = asyncio.Event()
        self._drawing = asyncio.Lock()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        try:
            told = json.loads(text_data or "")
            params = str(dict(told["panels"]).get(LIVE_PANEL, ""))
            arrived = dict(told.get("arrived", {}))
        except (ValueError, KeyError, TypeError):
            await self.close(code=4400)
            return
        self._params = params
        self._told.set()
        if LIVE_PANEL in arrived:
            await self._draw()

    async def _draw(self) -> None:
        async with self._drawing:
            draw = database_sync_to_async(_rendered_calls, thread_sensitive=False)
            await self.say(fragments=await draw(self._params))

    async def follow(self) -> None:
        shown: tuple[Any, ...] = ()
        with hub().bell(ANY_AGENT) as bell:
            await hub().ready()
            await self._told.wait()
            while True:
                params = self._params
                mark = (params, *await database_sync_to_async(live_mark, thread_sensitive=False)(_tool_of(params)))
                if mark != shown:
                    await self._draw()
                shown = mark
                await asyncio.sleep(_LIST_JOIN_S)
                await bell.wait(60.0)


class GroupConsumer(FollowingConsumer):
    """The socket of a group's page: what its agents say in it, whichever of them it is. What was sent as it is now is not sent again."""

    async def follow(self) -> None:
        group_id = str(self.scope["url_route"]["kwargs"]["group_id"])
        sent: dict[str, dict[str, Any]] = {}
        with hub().bell(ANY_AGENT) as bell:
            await hub().ready()
            while True:
                agent_ids, drawn = await database_sync_to_async(_rendered_group, thread_sensitive=False)(group_id)
                if fragments := [each for each in drawn if sent.get(each["id"]) != each]:
                    await self.say(fragments=fragments)
                sent = {each["id"]: each for each in drawn}
                await asyncio.sleep(_LIST_JOIN_S)
                while not agent_ids & await bell.wait(60.0):
                    pass


class ComparisonConsumer(FollowingConsumer):
    """The socket of a comparison's page, which says what two branches it shows: all of them while they run. What was sent as it is now
    is not sent again."""

    def __init__(self) -> None:
        super().__init__()
        self._params = ""
        self._told = asyncio.Event()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        try:
            self._params = str(dict(json.loads(text_data or "")["panels"]).get("comparison", ""))
        except (ValueError, KeyError, TypeError):
            await self.close(code=4400)
            return
        self._told.set()

    async def follow(self) -> None:
        comparison_id = str(self.scope["url_route"]["kwargs"]["comparison_id"])
        sent: dict[str, dict[str, Any]] = {}
        with hub().bell(ANY_AGENT) as bell:
            await hub().ready()
            await self._told.wait()
            while True:
                draw = database_sync_to_async(_rendered_comparison, thread_sensitive=False)
                forks, drawn = await draw(comparison_id, self._params)
                if fragments := [each for each in drawn if sent.get(each["id"]) != each]:
                    await self.say(fragments=fragments)
                sent = {each["id"]: each for each in drawn}
                await asyncio.sleep(_BRANCHES_JOIN_S)
                while not forks & await bell.wait(60.0):
                    pass


def _rendered_comparison(comparison_id: str, params: str) -> tuple[set[str], list[dict[str, Any]]]:
    """The agents that live in its branches, and its page's fragments; nothing of one that does not exist."""
    comparison = Comparison.objects.select_related("agent").filter(pk=comparison_id).first()
    if comparison is None:
        return set(), []
    told = {"panel": "comparison", "params": params}
    fragments = comparison_fragments(comparison, dict(parse_qsl(params)))
    return fork_ids(comparison_id), [{**fragment.rendered(), **told} for fragment in fragments]


class NoticesConsumer(FollowingConsumer):
    """The socket that every page has: what happens elsewhere, sent anew when it is other than what was sent last."""

    async def follow(self) -> None:
        sent: dict[str, Any] = {}
        with hub().bell(ANY_AGENT) as bell:
            await hub().ready()
            while True:
                drawn = await database_sync_to_async(_rendered_notices, thread_sensitive=False)()
                if drawn != sent:
                    await self.say(fragments=[drawn])
                sent = drawn
                await asyncio.sleep(_NOTICES_JOIN_S)
                await bell.wait(60.0)


def _rendered_notices() -> dict[str, Any]:
    return notices_fragment().rendered()


def _rendered_group(group_id: str) -> tuple[set[str], list[dict[str, Any]]]:
    """The agents of the group, and its page's fragments; nothing of one that does not exist."""
    group = Group.objects.filter(pk=group_id).first()
    if group is None:
        return set(), []
    return set(everybody_in(group_id)), [fragment.rendered() for fragment in group_fragments(group)]


def _tool_of(params: str) -> str:
    return dict(parse_qsl(params)).get("tool", "")


def _rendered_calls(params: str) -> list[dict[str, Any]]:
    drawn = live_fragments(_tool_of(params))
    return [{**fragment.rendered(), "panel": LIVE_PANEL, "params": params} for fragment in drawn]


def _rendered_rows(changed: set[str] | None, filters: dict[str, str]) -> list[dict[str, Any]]:
    return [fragment.rendered() for fragment in [*agent_list_fragments(changed, filters), runs_fragment()]]


def _number(values: list[str] | None) -> int:
    return int(values[0]) if values and values[0].isdigit() else 0
