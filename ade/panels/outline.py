"""The outline of an agent: its memory, its tools, its settings, each a way to the panel that shows it."""

from typing import Any, ClassVar

from django.db.models import Count

from ade.panels.base import Panel
from agents_core.models import AgentBlock, Message, Passage, ToolType

COUNTED = 100_000


class OutlinePanel(Panel):
    slug = "outline"
    title = "Outline"
    follows: ClassVar = frozenset({"block.changed", "passage.changed", "message.created", "agent.changed"})

    def context(self) -> dict[str, Any]:
        return {
            "blocks": self._blocks(),
            "passages": Passage.objects.filter(archive__agents=self.agent, is_deleted=False)[:COUNTED].count(),
            "messages": Message.objects.filter(agent=self.agent)[:COUNTED].count(),
            "tools": self.agent.tools.order_by("agent_links__id"),
            "custom": ToolType.CUSTOM,
        }

    def _blocks(self) -> list[dict[str, Any]]:
        """The blocks in their order; ``holders`` counts the agents that hold each."""
        links = AgentBlock.objects.filter(agent=self.agent).select_related("block").order_by("id")
        ids = [link.block_id for link in links]
        held = AgentBlock.objects.filter(block__in=ids).values("block").annotate(holders=Count("id"))
        holders = {row["block"]: row["holders"] for row in held}
        return [{"block": link.block, "holders": holders[link.block_id]} for link in links]
