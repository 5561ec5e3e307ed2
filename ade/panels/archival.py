"""Archival memory: browsing it, and searching it with every score shown."""

from typing import Any, ClassVar

from asgiref.sync import async_to_sync

from ade.panels.base import Panel
from agents_core.actions import archives
from agents_core.memory import embedders
from agents_core.memory.archival.base import ArchivalSearch
from agents_core.models import Passage

PAGE = 50


class ArchivalPanel(Panel):
    """``params``: ``q`` the words searched for, ``tag``, ``before`` the passage after which a page begins."""

    slug = "archival"
    title = "Archival"
    follows: ClassVar = frozenset({"passage.changed"})

    def context(self) -> dict[str, Any]:
        query, tag = self.params.get("q", "").strip(), self.params.get("tag", "").strip()
        held = archives.of_agent(self.agent.id)
        handle = (held[0].embedding if held else self.agent.embedding) or embedders.default_handle()
        shared = {"query": query, "tag": tag, "embedding": handle, "words_only": handle == embedders.HASHING}
        if not query:
            return {**shared, **self._browse(tag)}
        search = ArchivalSearch([archive.id for archive in held], query, [tag] if tag else [], limit=PAGE)
        hits, note = async_to_sync(archives.search)(search, handle)
        top = max((hit.bm25 for hit in hits), default=0.0) or 1.0
        return {**shared, "hits": [{"hit": hit, "words": hit.bm25 / top} for hit in hits if hit.returned], "note": note}

    def _browse(self, tag: str) -> dict[str, Any]:
        passages = (
            Passage.objects.filter(archive__agents=self.agent, is_deleted=False)
            .select_related("step")
            .order_by("-created_at", "-id")
        )
        if tag:
            passages = passages.filter(tags__contains=[tag])
        if (
            edge := Passage.objects.filter(id=self.params.get("before", ""))
            .values_list("created_at", flat=True)
            .first()
        ):
            passages = passages.filter(created_at__lt=edge)
        found = list(passages[: PAGE + 1])
        return {"passages": found[:PAGE], "next": found[PAGE - 1].id if len(found) > PAGE else None}
