"""Every version of an agent's blocks, newest first: what changed, by whom, at which step."""

from typing import Any, ClassVar

from ade.panels.base import Panel
from ade.panels.trace import memory_changes
from agents_core.models import BlockVersion

PAGE = 50


class HistoryPanel(Panel):
    slug = "history"
    title = "Memory history"
    follows: ClassVar = frozenset({"block.changed"})

    def context(self) -> dict[str, Any]:
        versions = BlockVersion.objects.filter(block__agents=self.agent).select_related("block", "step").order_by("-id")
        if (before := self.params.get("before", "")).isdigit():
            versions = versions.filter(id__lt=int(before))
        found = list(versions[: PAGE + 1])
        return {"changes": memory_changes(found[:PAGE]), "next": found[PAGE - 1].id if len(found) > PAGE else None}
