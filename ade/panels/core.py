"""Core memory: the blocks as editors. A save carries the version it was made from, so nobody is overwritten unseen."""

from typing import Any, ClassVar

from django.db.models import Count

from ade.panels.base import Panel
from agents_core.llm import tokens
from agents_core.memory.undo import neighbours
from agents_core.models import AgentBlock, BlockVersion


class CorePanel(Panel):
    """``params``: ``block`` is the label of the block to show alone."""

    slug = "core"
    title = "Core memory"
    follows: ClassVar = frozenset({"block.changed"})

    def context(self) -> dict[str, Any]:
        links = AgentBlock.objects.filter(agent=self.agent).select_related("block").order_by("id")
        if label := self.params.get("block"):
            links = links.filter(label=label)
        blocks = [link.block for link in links]
        held = AgentBlock.objects.filter(block__in=blocks).values("block").annotate(count=Count("id"))
        holders = {row["block"]: row["count"] for row in held}
        history: dict[str, list[tuple[int, Any]]] = {block.id: [] for block in blocks}
        for version in BlockVersion.objects.filter(block__in=blocks).order_by("version"):
            history[version.block_id].append((version.version, version.value))
        return {
            "label": label,
            "blocks": [
                {
                    "block": block,
                    "tokens": tokens.count(block.value),
                    "holders": holders[block.id],
                    "neighbours": neighbours(history[block.id]),
                }
                for block in blocks
            ],
        }
