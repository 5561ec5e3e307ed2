"""One block looked into: who wrote each sentence, its versions, what is certainly wrong with it, and what was proposed for it."""

from collections.abc import Sequence
from typing import Any, ClassVar

from ade.address import query
from ade.panels.base import Panel
from ade.panels.core import chosen_block, held_blocks
from ade.proposals import history
from ade.versions import version_views
from agents_core.memory.blame import blame
from agents_core.memory.findings import Finding, findings
from agents_core.models import Block, BlockVersion

BLAMED_VERSIONS = 200
"""The newest that blame walks through: what is older is blamed on the first of them."""

PAGE = 50
VIEWS = ("blame", "versions", "findings", "proposals")


class BlamePanel(Panel):
    """``params``: ``block``, an id or a label, else the first; ``view`` of ``VIEWS``;
    ``versions_before`` is the version before which a page begins."""

    slug = "blame"
    title = "Blame"
    follows: ClassVar = frozenset({"block.changed", "block.proposal"})

    def context(self) -> dict[str, Any]:
        blocks = held_blocks(self.agent)
        block = chosen_block(blocks, self.params.get("block", "")) or next(iter(blocks), None)
        view = self.params["view"] if self.params.get("view") in VIEWS else VIEWS[0]
        if block is None:
            return {"view": view, "views": VIEWS}
        found = _findings(block, blocks)
        return {
            "block": block,
            "view": view,
            "params": query({**self.params, "block": block.id, "view": view}, ("block", "view", "versions_before")),
            "counts": {"versions": block.version, "findings": len(found), "proposals": block.proposals.count()},
            "findings": found,
            "views": VIEWS,
            **self._shown(block, view),
        }

    def _shown(self, block: Block, view: str) -> dict[str, Any]:
        match view:
            case "blame":
                return {"sentences": _sentences(block)}
            case "versions":
                return self._versions(block)
            case "proposals":
                return {"proposals": history(block, PAGE)}
        return {}

    def _versions(self, block: Block) -> dict[str, Any]:
        versions = BlockVersion.objects.filter(block=block).order_by("-version")
        if (before := self.params.get("versions_before", "")).isdecimal():
            versions = versions.filter(version__lt=int(before[:9]))
        found = version_views(versions[: PAGE + 1])
        return {"versions": found[:PAGE], "older": found[PAGE - 1].version.version if len(found) > PAGE else None}


def _sentences(block: Block) -> list[dict[str, Any]]:
    newest = BlockVersion.objects.filter(block=block).select_related("step", "agent").order_by("-version")
    versions = {version.version: version for version in reversed(list(newest[:BLAMED_VERSIONS]))}
    first = min(versions)
    return [
        {
            "version": versions[sentence.version],
            "sentence": sentence,
            "or_before": sentence.version == first and first > 1,
        }
        for sentence in blame((number, version.value) for number, version in versions.items())
        if sentence.text.strip()
    ]


def _findings(block: Block, blocks: Sequence[Block]) -> list[Finding]:
    others = {other.label: other.value for other in blocks if other.id != block.id}
    return findings(block.label, block.value, block.limit, others)
