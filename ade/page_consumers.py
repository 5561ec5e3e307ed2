"""The websockets of lists, tools, groups, comparisons and notices: each draws its page anew, or what changed, when its bell rings."""

import asyncio
import json
from typing import Any
from urllib.parse import parse_qsl

from channels.db import database_sync_to_async

from ade.agent_rows import agent_list_fragments
from ade.batch_page import list_fragments as batch_list_fragments
from ade.batch_page import live_fragments as batch_fragments
from ade.batch_page import page_context
from ade.comparison_page import fork_ids
from ade.comparison_page import live_fragments as comparison_fragments
from ade.following import Drawing, DrawingConsumer, FollowingConsumer
from ade.group_page import list_fragments as group_list_fragments
from ade.group_page import live_fragments as group_fragments
from ade.notices import notices_fragment
from ade.status import runs_fragment
from ade.tool_page import LIVE_PANEL, live_fragments, live_mark
from agents_core.actions.groups import everybody_in
from agents_core.events.hub import ANY_AGENT, hub
from agents_core.models import ACTIVE, Batch, Comparison, Group, Run

_LIST_JOIN_S = 0.15
_BATCH_JOIN_S = 1.0
_UNSETTLED_S, _SETTLED_S = 2.0, 60.0


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


class GroupsConsumer(DrawingConsumer):
    """The socket of the list of groups."""

    def draw(self) -> Drawing:
        return Drawing([fragment.rendered() for fragment in group_list_fragments(self.first("page"))])


class GroupConsumer(DrawingConsumer):
    """The socket of a group's page: what its agents say in it, whichever of them it is, and what becomes of the group."""

    def draw(self) -> Drawing | None:
        group = Group.objects.select_related("manager").filter(pk=self.named["group_id"]).first()
        if group is None:
            return None
        return Drawing([fragment.rendered() for fragment in group_fragments(group)], everybody_in(group.id))


class BatchesConsumer(DrawingConsumer):
    """The socket of the list of batches. One that has settled is not drawn again; that it has rings for nobody, so others are looked at."""

    join_s = _BATCH_JOIN_S

    def __init__(self) -> None:
        super().__init__()
        self._settled: set[str] = set()

    def draw(self) -> Drawing:
        fragments = batch_list_fragments(self.first("page"), self._settled)
        is_moving = any(fragment.target for fragment in fragments)
        return Drawing(
            [fragment.rendered() for fragment in fragments], again_s=_UNSETTLED_S if is_moving else _SETTLED_S
        )


class BatchConsumer(DrawingConsumer):
    """The socket of a batch's page. That a batch has ended, and been told, rings for nobody: it is looked at until then."""

    join_s = _BATCH_JOIN_S

    def draw(self) -> Drawing | None:
        batch = Batch.objects.filter(pk=self.named["batch_id"]).first()
        if batch is None:
            return None
        context = page_context(batch, self.first("state"), self.first("page"))
        agents = set(Run.objects.filter(batch=batch, status__in=ACTIVE).values_list("agent", flat=True).distinct())
        again_s = _SETTLED_S if context["view"].is_settled else _UNSETTLED_S
        return Drawing([each.rendered() for each in batch_fragments(context)], agents or {batch.id}, again_s)


class ComparisonConsumer(DrawingConsumer):
    """The socket of a comparison's page, which says what two branches it shows: all of them while they run."""

    join_s = 0.3

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
        await self._told.wait()
        await super().follow()

    def draw(self) -> Drawing | None:
        params = self._params
        comparison = Comparison.objects.select_related("agent").filter(pk=self.named["comparison_id"]).first()
        if comparison is None:
            return None
        fragments = comparison_fragments(comparison, dict(parse_qsl(params)))
        told = {"panel": "comparison", "params": params}
        return Drawing([{**fragment.rendered(), **told} for fragment in fragments], fork_ids(comparison.id))


class NoticesConsumer(DrawingConsumer):
    """The socket that every page has: what happens elsewhere."""

    join_s = 0.5

    def draw(self) -> Drawing:
        return Drawing([notices_fragment().rendered()])


def _tool_of(params: str) -> str:
    return dict(parse_qsl(params)).get("tool", "")


def _rendered_calls(params: str) -> list[dict[str, Any]]:
    drawn = live_fragments(_tool_of(params))
    return [{**fragment.rendered(), "panel": LIVE_PANEL, "params": params} for fragment in drawn]


def _rendered_rows(changed: set[str] | None, filters: dict[str, str]) -> list[dict[str, Any]]:
    return [fragment.rendered() for fragment in [*agent_list_fragments(changed, filters), runs_fragment()]]
