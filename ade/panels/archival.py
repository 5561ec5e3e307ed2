"""Archival memory: browsing it, and searching it with every score shown."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

from asgiref.sync import async_to_sync
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_noop

from ade.address import period, query, text
from ade.fragments import Fragment
from ade.panels.base import Panel
from agents_core.actions import archives
from agents_core.events.types import AgentChanged, StoredEvent, ToolReturned
from agents_core.memory import embedders
from agents_core.memory.archival.base import ArchivalSearch, Hit
from agents_core.memory.archival.retrievals import Retrievals, retrievals
from agents_core.models import Archive, Passage

PAGE = 50
PARAMS = ("q", "tag", "since", "until", "archive", "passages_before", "passage")


@dataclass(frozen=True, slots=True)
class PassageView:
    """A passage, why a search found it (``words``: its bm25 as a share of the highest), and how often agents got it."""

    passage: Passage
    hit: Hit | None = None
    words: float = 0.0
    retrieved: Retrievals | None = None


class ArchivalPanel(Panel):
    """``params``: ``q`` the words searched for; ``tag``, ``since``, ``until`` (days) and ``archive`` (id) narrow it;
    ``passages_before`` is the passage after which a page begins; ``passage`` is shown alone."""

    slug = "archival"
    title = gettext_noop("Archival")
    follows: ClassVar = frozenset({"passage.changed"})

    @cached_property
    def held(self) -> list[Archive]:
        return archives.of_agent(self.agent.id)

    @property
    def _archive_ids(self) -> list[str]:
        """Those looked at: the chosen one, or all."""
        chosen = self.params.get("archive")
        return [archive.id for archive in self.held if chosen in (None, "", archive.id)]

    def context(self) -> dict[str, Any]:
        handle = (self.held[0].embedding if self.held else self.agent.embedding) or embedders.default_handle()
        words, chosen = text(self.params, "q"), text(self.params, "passage")
        found = self._alone(chosen) if chosen else self._search(words, handle) if words else self._browse()
        return {
            "query": words,
            "tag": text(self.params, "tag"),
            "since": self.params.get("since", ""),
            "until": self.params.get("until", ""),
            "archives": self.held,
            "archive_id": self.params.get("archive", ""),
            "embedding": handle,
            "words_only": handle == embedders.HASHING,
            "params": query(self.params, PARAMS),
            "newest": query(self.params, PARAMS, passages_before=None, passage=None),
            "narrowed": bool(query(self.params, ("tag", "since", "until", "archive", "passage"))),
            "chosen_passage": chosen,
            **found,
        }

    def _search(self, words: str, handle: str) -> dict[str, Any]:
        tag = text(self.params, "tag")
        start, end = period(self.params, self.agent.timezone)
        search = ArchivalSearch(self._archive_ids, words, [tag] if tag else [], start=start, end=end, limit=PAGE)
        hits, note = async_to_sync(archives.search)(search, handle)
        highest = max((hit.bm25 for hit in hits), default=0.0) or 1.0
        rows = Passage.objects.select_related("step").in_bulk([hit.id for hit in hits if hit.returned])
        views = [PassageView(rows[hit.id], hit, hit.bm25 / highest) for hit in hits if hit.id in rows]
        return {"views": self._with_retrievals(views), "note": note}

    def _alone(self, passage_id: str) -> dict[str, Any]:
        held = Passage.objects.filter(archive__in=self._archive_ids, is_deleted=False).select_related("step")
        views = [PassageView(passage) for passage in held.filter(id=passage_id)]
        return {"views": self._with_retrievals(views), "is_first": False}

    def _browse(self) -> dict[str, Any]:
        found = list(self._page()[: PAGE + 1])
        views = self._with_retrievals([PassageView(passage) for passage in found[:PAGE]])
        older = query(self.params, PARAMS, passages_before=found[PAGE - 1].id) if len(found) > PAGE else None
        return {"views": views, "older": older, "is_first": not self.params.get("passages_before")}

    def _page(self) -> "QuerySet[Passage]":
        """The newest first, from where the page begins: the index of an archive is in this order."""
        passages = Passage.objects.filter(archive__in=self._archive_ids, is_deleted=False).select_related("step")
        if tag := text(self.params, "tag"):
            passages = passages.filter(tags__contains=[tag])
        start, end = period(self.params, self.agent.timezone)
        if start:
            passages = passages.filter(created_at__gte=start)
        if end:
            passages = passages.filter(created_at__lte=end)
        last = Passage.objects.filter(archive__in=self._archive_ids, id=text(self.params, "passages_before"))
        edge = last.values_list("created_at", "id").first()
        if edge:
            before = Q(created_at__lt=edge[0]) | Q(created_at=edge[0], id__lt=edge[1])
            passages = passages.filter(before, created_at__lte=edge[0])
        return passages.order_by("-created_at", "-id")

    def _with_retrievals(self, views: Sequence[PassageView]) -> list[PassageView]:
        times = retrievals(self.agent.id, [view.passage.id for view in views])
        return [replace(view, retrieved=times.get(view.passage.id)) for view in views]

    def fragments(self, events: Sequence[StoredEvent]) -> list[Fragment]:
        if any(_concerns(event) for event in events):
            return [self.whole()]
        return []


def passage_view(agent_id: str, passage: Passage) -> PassageView:
    """A passage outside any search."""
    return PassageView(passage, retrieved=retrievals(agent_id, [passage.id]).get(passage.id))


def _concerns(event: StoredEvent) -> bool:
    match event.event:
        case AgentChanged(fields):
            return bool({"archives", "embedding", "timezone", "name"} & set(fields))
        case ToolReturned(name="archival_memory_search"):
            return True
    return event.event.type in ArchivalPanel.follows
