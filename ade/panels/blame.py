"""One block of the agent looked into (ade/block_looks.py): beside its editor on the memory page, in the drawer of the workspace."""

from typing import Any, ClassVar

from django.utils.translation import gettext_noop

from ade.address import query
from ade.block_looks import VIEWS, look, view_of
from ade.panels.base import Panel
from ade.panels.core import chosen_block, held_blocks


class BlamePanel(Panel):
    """``params``: ``block``, an id or a label, else the first; ``page``: drawn for the memory page, whose address follows; and those of
    ``block_looks.look``."""

    slug = "blame"
    title = gettext_noop("Blame")
    follows: ClassVar = frozenset({"block.changed", "block.proposal", "agent.changed"})

    def context(self) -> dict[str, Any]:
        blocks = held_blocks(self.agent)
        block = chosen_block(blocks, self.params.get("block", "")) or next(iter(blocks), None)
        if block is None:
            return {"view": view_of(self.params), "views": VIEWS, "params": query(self.params, ("page",))}
        found = look(block, self.params, blocks)
        page = self.params.get("page", "")
        place = query({"page": page, "block": block.id}, ("page", "block"))
        return {
            **found,
            "blocks": [] if page else blocks,
            "params": f"{place}&{found['own_params']}",
            "look_at": f"/agents/{self.agent.id}/panels/blame?{place}",
            "page_at": f"/agents/{self.agent.id}/memory?block={block.id}" if page else "",
        }
