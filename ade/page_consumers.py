"""The websockets of lists, tools, groups, comparisons and notices: each draws its page anew, or what changed of it, when its bell rings."""

import asyncio
import json
from typing import Any
from urllib.parse import parse_qsl

from channels.db import database_sync_to_async

from ade.agent_rows import agent_list_fragments
from ade.comparison_page import fork_ids
from ade.comparison_page import live_fragments as comparison_fragments
from ade.following import FollowingConsumer
from ade.group_page import live_fragments as group_fragments
from ade.notices import notices_fragment
from ade.status import runs_fragment
from ade.tool_page import LIVE_PANEL, live_fragments, live_mark
from agents_core.actions.groups import everybody_in
from agents_core.events.hub import ANY_AGENT, hub
from agents_core.models import Comparison, Group

_LIST_JOIN_S = 0.15
_BRANCHES_JOIN_S = 0.3
_NOTICES_JOIN_S = 0.5


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
