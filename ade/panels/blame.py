"""Who wrote each sentence of a block, at which step; and what is certainly wrong with it."""

from typing import Any, ClassVar

from ade.panels.base import Panel
from agents_core.memory.blame import blame
from agents_core.memory.findings import findings
from agents_core.models import AgentBlock, BlockVersion


class BlamePanel(Panel):
    """``params``: ``block`` is the label of the block; the agent's first without it."""

    slug = "blame"
    title = "Blame"
    follows: ClassVar = frozenset({"block.changed"})

    def context(self) -> dict[str, Any]:
        links = list(AgentBlock.objects.filter(agent=self.agent).select_related("block").order_by("id"))
        chosen = next((link for link in links if link.label == self.params.get("block")), links[0] if links else None)
        if chosen is None:
            return {}
        block = chosen.block
        versions = {
            v.version: v for v in BlockVersion.objects.filter(block=block).select_related("step").order_by("version")
        }
        sentences = blame([(number, version.value) for number, version in versions.items()])
        others = {link.label: link.block.value for link in links if link.block_id != block.id}
        return {
            "block": block,
            "sentences": [{"version": versions[sentence.version], "spans": sentence.spans} for sentence in sentences],
            "findings": findings(block.label, block.value, block.limit, others),
            "count": len(versions),
        }
