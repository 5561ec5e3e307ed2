"""The outline of an agent: its memory, its tools, its groups, its settings, each a way to the panel that shows it."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ade.fragments import Fragment
from ade.group_page import groups_of
from ade.panels.base import Panel
from ade.panels.settings import SECTIONS
from ade.tending import tending
from agents_core.events.types import StoredEvent
from agents_core.models import Agent, AgentBlock, AgentFile, Folder, Message, Passage, ProposalStatus, ToolType

COUNTED = 10_000
"""More are told as "10,000+": counting all would take longer the more there are."""

_TURNED = frozenset({"run.ended", "sleeptime.called"})
_COUNTS = {"message.created": "messages", "passage.changed": "passages"}


def asking(agent: Agent) -> set[str]:
    """The names of the tools whose calls wait for a person."""
    return {str(rule["tool_name"]) for rule in agent.tool_rules if rule["type"] == "requires_approval"}


class OutlinePanel(Panel):
    slug = "outline"
    title = gettext_noop("Outline")
    follows: ClassVar = frozenset({"block.changed", "block.proposal", "agent.changed", "group.changed"})

    def context(self) -> dict[str, Any]:
        return {
            "blocks": self._blocks(),
            "counted": COUNTED,
            "passages": self.count("passages"),
            "messages": self.count("messages"),
            "tools": self.agent.tools.order_by("agent_links__id"),
            "asking": asking(self.agent),
            "archives": self.agent.archives.order_by("agent_links__id"),
            "folders": Folder.objects.filter(agent_links__agent=self.agent).order_by("agent_links__id"),
            "open_files": AgentFile.objects.filter(agent=self.agent, is_open=True).count(),
            "sections": {name: _(section.title) for name, section in SECTIONS.items()},
            "tending": tending(self.agent),
            "groups": groups_of(self.agent),
            "custom": ToolType.CUSTOM,
            "mcp": ToolType.MCP,
        }

    def _blocks(self) -> list[dict[str, Any]]:
        """The blocks in their order; ``holders`` counts the agents that hold each, ``waiting`` the proposals for it."""
        links = AgentBlock.objects.filter(agent=self.agent).select_related("block").order_by("id")
        pending = Q(block__proposals__status=ProposalStatus.PENDING)
        held = links.annotate(
            holders=Count("block__agent_links", distinct=True),
            waiting=Count("block__proposals", filter=pending, distinct=True),
        )
        return [{"block": link.block, "holders": link.holders, "waiting": link.waiting} for link in held]

    def count(self, what: str) -> int:
        """Passages or messages, up to one more than ``COUNTED``."""
        rows: QuerySet[Passage] | QuerySet[Message] = Message.objects.filter(agent=self.agent, abandoned=False)
        if what == "passages":
            rows = Passage.objects.filter(archive__agents=self.agent, is_deleted=False)
        return rows.order_by()[: COUNTED + 1].count()

    def fragments(self, events: Sequence[StoredEvent]) -> list[Fragment]:
        """All of it when a block, tool or archive changed, else only what counts."""
        types = {event.event.type for event in events}
        if types & self.follows:
            return [self.whole()]
        counts = [self._count(what) for event_type, what in _COUNTS.items() if event_type in types]
        return [*counts, *([self._next_call()] if types & _TURNED else [])]

    def _next_call(self) -> Fragment:
        context = {"agent": self.agent, "tending": tending(self.agent)}
        return Fragment("nav-sleeptime", "ade/partials/_outline_sleeptime.html", context)

    def _count(self, what: str) -> Fragment:
        context = {"what": what, "count": self.count(what), "counted": COUNTED}
        return Fragment(f"count-{what}", "ade/partials/_outline_count.html", context)
