"""The folders of an agent, and which of their files it has open."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_noop

from ade.fragments import Fragment
from ade.panels.base import Panel
from agents_core.events.types import AgentChanged, StoredEvent
from agents_core.models import AgentFile, Folder

SHOWN = 200
_CONCERNS = {"files", "folders", "max_files_open", "per_file_view_window_char_limit"}


class FilesPanel(Panel):
    slug = "files"
    title = gettext_noop("Files")

    def context(self) -> dict[str, Any]:
        links = AgentFile.objects.filter(agent=self.agent).select_related("file__folder")
        return {
            "folders": Folder.objects.filter(agent_links__agent=self.agent).order_by("agent_links__id"),
            "opened": links.filter(is_open=True).order_by("-last_accessed_at", "id"),
            "closed": links.filter(is_open=False).order_by("file__folder__name", "file__name", "id")[:SHOWN],
            "others": Folder.objects.exclude(agent_links__agent=self.agent).order_by("name", "id")[:SHOWN],
            "max_open": self.agent.max_files_open,
        }

    def fragments(self, events: Sequence[StoredEvent]) -> list[Fragment]:
        changed = {name for each in events if isinstance(each.event, AgentChanged) for name in each.event.fields}
        return [self.whole()] if changed & _CONCERNS else []
