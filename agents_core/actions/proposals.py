"""What sleep-time agents propose for blocks under review, and what a person decides about it."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from agents_core.actions.blocks import get, holders
from agents_core.errors import Conflict, NotFound
from agents_core.events.publish import lock_agents, publish
from agents_core.events.types import BlockChanged, ProposalChanged
from agents_core.memory import blocks
from agents_core.memory.merge import Choice, merge
from agents_core.models import Author, Block, BlockProposal, BlockVersion, ProposalStatus
from agents_core.models.pipeline import run_sync


class ProposalDecided(Conflict):
    """The proposal was accepted, declined or outdated before."""

    code = "proposal_decided"


class ProposalConflict(Conflict):
    """The block was changed since in the same words as the proposal changes."""

    code = "proposal_conflict"


def of_block(block_id: str) -> QuerySet[BlockProposal]:
    """The proposals for a block, newest first. Raises ``NotFound`` for the block."""
    get(block_id)
    return BlockProposal.objects.filter(block=block_id).order_by("-created_at", "id")


def accept(block_id: str, proposal_id: str, choices: Sequence[Choice | None] = (), seen: int | None = None) -> Block:
    """The block with the proposal's changes made, merged with what was changed since it was made; its author is the sleep-time agent.

    ``choices``: what is taken of each hunk between the block ("theirs") and the proposal ("mine"), in order, made when the block was at
    version ``seen``.

    Raises ``NotFound``, ``ProposalDecided``, ``ProposalConflict`` (data: ``block_id``, ``base_version``, ``version``), ``BlockLimitError``.
    """
    with transaction.atomic():
        agent_ids = _lock(block_id)
        block = Block.objects.select_for_update().get(pk=block_id)
        proposal = _pending(block_id, proposal_id)
        before = block.version
        own = (proposal.agent_id, proposal.step_id, proposal.tool_call_id)
        block = blocks.write(
            block_id, {"value": _merged(block, proposal, choices, seen)}, Author.SLEEPTIME, before, *own
        )
        _decide(proposal, ProposalStatus.ACCEPTED)
        for agent_id in agent_ids:
            if block.version != before:
                publish(agent_id, BlockChanged(block.id, block.label, block.version, Author.SLEEPTIME))
            publish(agent_id, ProposalChanged(proposal.id, block.id, block.label, proposal.status))
    return block


def decline(block_id: str, proposal_id: str) -> BlockProposal:
    """The proposal, declined; the block stays as it is. Raises ``NotFound``, ``ProposalDecided``."""
    with transaction.atomic():
        agent_ids = _lock(block_id)
        proposal = _pending(block_id, proposal_id)
        _decide(proposal, ProposalStatus.DECLINED)
        block = get(block_id)
        for agent_id in agent_ids:
            publish(agent_id, ProposalChanged(proposal.id, block.id, block.label, proposal.status))
    return proposal


def _merged(block: Block, proposal: BlockProposal, choices: Sequence[Choice | None], seen: int | None) -> str:
    base = BlockVersion.objects.get(block=block, version=proposal.base_version)
    facts = {"block_id": block.id, "base_version": proposal.base_version, "version": block.version}
    if choices and seen != block.version:
        raise ProposalConflict(
            f"Block {block.label!r} was changed since you chose: it is at version {block.version}. Look at it and choose again.",
            **facts,
        )
    value = merge(base.value, block.value, proposal.value, choices)
    if value is None:
        raise ProposalConflict(
            f"Block {block.label!r} was changed in the same words since this was proposed (it was made from version "
            f"{proposal.base_version}, the block is at {block.version}). Choose between them at each place, or decline it.",
            **facts,
        )
    return value


def _pending(block_id: str, proposal_id: str) -> BlockProposal:
    proposal = BlockProposal.objects.select_for_update().filter(block=block_id, pk=proposal_id).first()
    if proposal is None:
        raise NotFound(f"Block {block_id} has no proposal {proposal_id}.")
    if proposal.status != ProposalStatus.PENDING:
        raise ProposalDecided(f"This proposal is {proposal.status} already.")
    return proposal


def _decide(proposal: BlockProposal, status: ProposalStatus) -> None:
    proposal.status, proposal.decided_at = status, timezone.now()
    proposal.save(update_fields=["status", "decided_at"])


def _lock(block_id: str) -> list[str]:
    get(block_id)
    agent_ids = holders(block_id)
    if agent_ids:
        run_sync([lock_agents(agent_ids)])
    return agent_ids
