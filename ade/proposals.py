"""Proposals for blocks under review as people see them: what accepting one would change, or why it cannot be accepted."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from ade.hunks import HunkView, hunk_views
from agents_core.memory.causes import Cause, causes
from agents_core.memory.merge import hunks, merge
from agents_core.models import Block, BlockProposal, BlockVersion, ProposalStatus
from agents_core.record.diff import Change, diff_words

_AROUND_CHARS = 60


@dataclass(frozen=True, slots=True)
class ProposalView:
    """``changes`` tell the way from the version that the proposal was made from to its text; for one that waits and can be accepted, from
    the text that stands now to what would stand then.

    ``clashing``: what was changed since in the same words, in the block; then ``hunks`` are the places to choose at before it can be
    accepted. ``over_chars``: by how much the block would be over its limit.
    """

    proposal: BlockProposal
    changes: list[Change]
    clashing: list[Change]
    over_chars: int = 0
    cause: Cause | None = None
    hunks: Sequence[HunkView] = ()

    @property
    def dom_id(self) -> str:
        return f"proposal-{self.proposal.id}"

    @property
    def mark(self) -> str:
        """Other hunks have other names in the page, so that what was chosen is not carried over."""
        return f"{self.proposal.id}-{self.proposal.block.version}"

    @property
    def is_pending(self) -> bool:
        return self.proposal.status == ProposalStatus.PENDING

    @property
    def can_be_accepted(self) -> bool:
        return self.over_chars <= 0

    @property
    def changes_nothing(self) -> bool:
        return all(change.op == "same" for change in self.changes)


def waiting(blocks: Iterable[Block]) -> Mapping[str, list[ProposalView]]:
    """The proposals that wait for a person, by the ids of their blocks, oldest first, in a fixed number of queries."""
    pending = BlockProposal.objects.filter(block__in=list(blocks), status=ProposalStatus.PENDING)
    found = _with_bases(pending.order_by("created_at", "id"))
    why = causes(proposal.step for proposal, _ in found)
    by_block: dict[str, list[ProposalView]] = defaultdict(list)
    for proposal, base in found:
        by_block[proposal.block_id].append(_pending_view(proposal, base, why.get(proposal.step_id or "")))
    return by_block


def history(block: Block, most: int) -> list[ProposalView]:
    """The newest proposals for a block, decided or not, in two queries."""
    newest = BlockProposal.objects.filter(block=block).order_by("-created_at", "id")[:most]
    return [_made_view(proposal, base) for proposal, base in _with_bases(newest)]


def _with_bases(proposals: "QuerySet[BlockProposal]") -> list[tuple[BlockProposal, str]]:
    """The proposals, each with the text that it was made from."""
    found = list(proposals.select_related("block", "agent", "step"))
    versions = BlockVersion.objects.filter(
        block__in={proposal.block_id for proposal in found}, version__in={proposal.base_version for proposal in found}
    )
    bases = {(row.block_id, row.version): row.value for row in (versions if found else ())}
    return [(proposal, bases.get((proposal.block_id, proposal.base_version), "")) for proposal in found]


def _made_view(proposal: BlockProposal, base: str) -> ProposalView:
    return ProposalView(proposal, diff_words(base, proposal.value, around=_AROUND_CHARS), [])


def _pending_view(proposal: BlockProposal, base: str, cause: Cause | None) -> ProposalView:
    block = proposal.block
    merged = merge(base, block.value, proposal.value)
    if merged is None:
        since = diff_words(base, block.value, around=_AROUND_CHARS)
        changes = diff_words(base, proposal.value, around=_AROUND_CHARS)
        places = hunk_views(hunks(base, block.value, proposal.value), {})
        return ProposalView(proposal, changes, since, cause=cause, hunks=places)
    changes = diff_words(block.value, merged, around=_AROUND_CHARS)
    return ProposalView(proposal, changes, [], len(merged) - block.limit, cause)
