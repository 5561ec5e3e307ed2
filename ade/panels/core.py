"""Core memory: the blocks as editors. A save carries the version it was made from, so nobody is overwritten unseen."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db.models import F
from django.utils.translation import gettext_noop

from ade.address import query
from ade.fragments import Fragment
from ade.panels.base import Panel
from ade.proposals import ProposalView, waiting
from agents_core.events.types import AgentChanged, BlockChanged, GroupChanged, ProposalChanged, StoredEvent
from agents_core.llm import tokens
from agents_core.memory.render import BlockFacts, block_text, numbers_lines
from agents_core.memory.undo import Neighbours, neighbours
from agents_core.models import Agent, AgentBlock, Block, BlockVersion

UNDOABLE = 50
"""Versions that undo and redo look back on."""

_LINE_CHARS = 64
_ROWS = (4, 18)
_NOWHERE = Neighbours(None, None)


@dataclass(frozen=True, slots=True)
class BlockCard:
    """A block as its editor shows it: for ``agent``, or by itself when that is None. ``tokens`` is what a step pays for it."""

    block: Block
    agent: Agent | None
    holders: Sequence[Agent] = ()
    neighbours: Neighbours = _NOWHERE
    proposals: Sequence[ProposalView] = ()

    @property
    def dom_id(self) -> str:
        return f"editor-{self.block.id}"

    @property
    def address(self) -> str:
        return f"/agents/{self.agent.id}/blocks/{self.block.id}" if self.agent else f"/blocks/{self.block.id}"

    @property
    def tokens(self) -> int:
        block = self.block
        facts = BlockFacts(block.id, block.label, block.value, block.limit, block.description, block.read_only)
        numbered = self.agent and numbers_lines(self.agent.agent_type, self.agent.model.partition("/")[0])
        return tokens.count(block_text(facts, bool(numbered)))

    @property
    def rows(self) -> int:
        """Lines of the text box: as many as the text needs, within reason."""
        needed = sum(1 + len(line) // _LINE_CHARS for line in self.block.value.split("\n"))
        return min(max(needed, _ROWS[0]), _ROWS[1])


def cards(blocks: Sequence[Block], agent: Agent | None = None) -> list[BlockCard]:
    """The cards of ``blocks``, in their order, in a fixed number of queries."""
    holders: dict[str, list[Agent]] = defaultdict(list)
    for link in AgentBlock.objects.filter(block__in=blocks).select_related("agent").order_by("agent__name", "id"):
        holders[link.block_id].append(link.agent)
    history, proposed = _history(blocks), waiting(blocks)
    return [
        BlockCard(block, agent, holders[block.id], neighbours(history[block.id]), proposed.get(block.id, ()))
        for block in blocks
    ]


def _history(blocks: Sequence[Block]) -> dict[str, list[tuple[int, Hashable]]]:
    newest = BlockVersion.objects.filter(block__in=blocks, version__gt=F("block__version") - UNDOABLE)
    rows = newest.order_by("version").values_list(
        "block_id", "version", "label", "value", "description", "limit", "read_only"
    )
    history: dict[str, list[tuple[int, Hashable]]] = defaultdict(list)
    for block_id, version, *content in rows:
        history[block_id].append((version, tuple(content)))
    return history


def held_blocks(agent: Agent) -> list[Block]:
    """The agent's blocks, in the order in which it got them."""
    return [link.block for link in AgentBlock.objects.filter(agent=agent).select_related("block").order_by("id")]


def chosen_block(blocks: Sequence[Block], name: str) -> Block | None:
    """The block whose id or label ``name`` is."""
    return next((block for block in blocks if name in (block.id, block.label)), None)


class CorePanel(Panel):
    """``params``: ``block``, an id or a label, is shown alone. ``page``: drawn for the memory page, one block with tabs."""

    slug = "core"
    title = gettext_noop("Core memory")
    follows: ClassVar = frozenset({"block.changed", "block.proposal"})

    def context(self) -> dict[str, Any]:
        blocks = held_blocks(self.agent)
        chosen = self._chosen(blocks)
        own = {"block": chosen.id} if chosen else {}
        return {
            "blocks": blocks,
            "chosen": chosen,
            "cards": cards([chosen] if chosen else blocks, self.agent),
            "on_page": self._on_page,
            "params": query(
                {**self.params, **own} if chosen else {"page": self.params.get("page", "")}, ("block", "page")
            ),
        }

    @property
    def _on_page(self) -> bool:
        return bool(self.params.get("page"))

    def _chosen(self, blocks: Sequence[Block]) -> Block | None:
        named = chosen_block(blocks, self.params.get("block", ""))
        return named or (blocks[0] if self._on_page and blocks else None)

    def fragments(self, events: Sequence[StoredEvent]) -> list[Fragment]:
        """The cards of blocks that were edited or have proposals; all of it when one came, went or is no longer called so."""
        changes = [event.event for event in events if isinstance(event.event, (BlockChanged, ProposalChanged))]
        if any(_concerns(event) for event in events):
            return [self.whole()]
        if not changes:
            return []
        blocks = held_blocks(self.agent)
        chosen = self._chosen(blocks)
        is_lost = bool(self.params.get("block")) and chosen is None
        if self._on_page or is_lost or any(map(_came_or_went, changes)):
            return [self.whole()]
        edited = {change.block_id for change in changes}
        shown = [block for block in ([chosen] if chosen else blocks) if block.id in edited]
        return [_card_fragment(card) for card in cards(shown, self.agent)]


def _concerns(event: StoredEvent) -> bool:
    """Whether the agent has another name, or another model, which may see its blocks in another form; or whether an agent came or went that
    shares its blocks to tend them."""
    changed = set(event.event.fields) if isinstance(event.event, AgentChanged) else set()
    return bool(changed & {"name", "model", "agent_type", "enable_sleeptime"}) or isinstance(event.event, GroupChanged)


def _came_or_went(event: BlockChanged | ProposalChanged) -> bool:
    return isinstance(event, BlockChanged) and event.change in ("attached", "detached")


def _card_fragment(card: BlockCard) -> Fragment:
    return Fragment(card.dom_id, "ade/partials/_block_editor.html", {"card": card, "agent": card.agent})
