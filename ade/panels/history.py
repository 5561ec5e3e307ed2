"""Every version of an agent's blocks, newest first: what changed, by whom, at which step."""

from typing import Any, ClassVar

from django.utils.translation import gettext_noop

from ade.address import query
from ade.panels.base import Panel
from ade.versions import version_views
from agents_core.models import BlockVersion

PAGE = 50


class HistoryPanel(Panel):
    """``params``: ``history_before`` is the row before which a page begins."""

    slug = "history"
    title = gettext_noop("Memory history")
    follows: ClassVar = frozenset({"block.changed"})

    def context(self) -> dict[str, Any]:
        versions = BlockVersion.objects.filter(block__agents=self.agent).order_by("-id")
        if (before := self.params.get("history_before", "")).isdecimal():
            versions = versions.filter(id__lt=int(before[:18]))
        found = version_views(versions[: PAGE + 1])
        return {
            "versions": found[:PAGE],
            "older": query({}, ("history_before",), history_before=found[PAGE - 1].version.pk)
            if len(found) > PAGE
            else "",
            "newest": "",
            "is_first": not before,
            "params": query(self.params, ("history_before",)),
        }
