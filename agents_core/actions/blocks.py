"""What a person or a client may do with blocks. Each is one transaction that tells every agent that holds the block."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q

from agents_core.actions import sleeptime
from agents_core.errors import Conflict, NotFound
from agents_core.events.doorbell import ring
from agents_core.events.hub import BLOCKS
from agents_core.events.publish import lock_agents, publish
from agents_core.events.types import BlockChanged
from agents_core.memory import blocks
from agents_core.models import AgentBlock, Author, Block
from agents_core.models.pipeline import run_sync

STOCK_DESCRIPTIONS = {
    "human": "What you know about the person you talk with: name, tastes, plans, whatever helps you to help them.",
    "persona": "Who you are and how you behave, in your own words.",
}


def create(author: Author = Author.API, **fields: Any) -> Block:
    """A new block that no agent holds yet. Raises as ``memory.blocks.create``."""
    with transaction.atomic():
        block = blocks.create(author, **with_stock_description(fields))
        _ring()
    return block


def with_stock_description(fields: Mapping[str, Any]) -> dict[str, Any]:
    description = fields.get("description") or STOCK_DESCRIPTIONS.get(fields.get("label", ""))
    return {**fields, "description": description}


def holders(block_id: str) -> list[str]:
    """The ids of the agents that hold the block."""
    return list(AgentBlock.objects.filter(block=block_id).order_by("agent_id").values_list("agent_id", flat=True))


def modify(
    block_id: str, changes: Mapping[str, Any], author: Author = Author.API, expected_version: int | None = None
) -> Block:
    """The block with ``changes`` made. Raises as ``memory.blocks.write``."""
    with transaction.atomic():
        agent_ids = _lock_holders(block_id)
        before = _told(block_id)
        block = blocks.write(block_id, changes, author, expected_version)
        if (block.version, block.review) != before:
            _tell(agent_ids, block, author, "edited")
    return block


def restore(block_id: str, version: int, author: Author, expected_version: int | None = None) -> Block:
    """The block as it stood at ``version``, as a new version. Raises as ``memory.blocks.restore``."""
    with transaction.atomic():
        agent_ids = _lock_holders(block_id)
        block = blocks.restore(block_id, version, author, expected_version)
        _tell(agent_ids, block, author, "edited")
    return block


def delete(block_id: str, author: Author = Author.API) -> None:
    """Takes the block from every agent that holds it, and its versions with it. Raises ``NotFound``."""
    with transaction.atomic():
        agent_ids = _lock_holders(block_id)
        block = get(block_id)
        _tell(agent_ids, block, author, "detached")
        block.delete()


def attach(agent_id: str, block_id: str, author: Author = Author.API) -> Block:
    """Gives the agent the block, and the agents that tend its memory too; nothing happens when it has it.

    Raises ``NotFound``, ``Conflict`` when the label is taken.
    """
    with transaction.atomic():
        companions = sleeptime.companions(agent_id)
        _lock([agent_id, *companions, *holders(block_id)])
        block = get(block_id)
        taken = AgentBlock.objects.filter(agent=agent_id, label=block.label).first()
        if taken is not None and taken.block_id != block_id:
            raise Conflict(
                f"The agent already has a block labelled {block.label!r}: detach that one first.",
                block_id=taken.block_id,
            )
        if taken is None:
            _give(agent_id, block, author)
        for companion in companions:
            _attach_if_free(companion, block, author)
    return block


def _attach_if_free(agent_id: str, block: Block, author: Author) -> None:
    if not AgentBlock.objects.filter(Q(block=block) | Q(label=block.label), agent=agent_id).exists():
        _give(agent_id, block, author)


def _give(agent_id: str, block: Block, author: Author) -> None:
    AgentBlock.objects.create(agent_id=agent_id, block=block, label=block.label)
    _tell([agent_id], block, author, "attached")
    tell_sharers([block], agent_id, author, "shared")


def detach(agent_id: str, block_id: str, author: Author = Author.API) -> Block:
    """Takes the block from the agent; the block stays. Raises ``NotFound``, also when the agent does not hold it."""
    with transaction.atomic():
        _lock([agent_id, *holders(block_id)])
        links, _ = AgentBlock.objects.filter(agent=agent_id, block=block_id).delete()
        if not links:
            raise NotFound(f"The agent holds no block {block_id}.")
        block = get(block_id)
        _tell([agent_id], block, author, "detached")
        tell_sharers([block], agent_id, author, "unshared")
    return block


def sharers(block_ids: Collection[str], agent_id: str) -> list[str]:
    """The ids of the other agents that hold any of the blocks: those to lock before ``tell_sharers``."""
    links = AgentBlock.objects.filter(block__in=block_ids).exclude(agent=agent_id)
    return list(links.order_by("agent_id").values_list("agent_id", flat=True).distinct())


def tell_sharers(given: Iterable[Block], agent_id: str, author: Author, change: str) -> None:
    """Tells the other agents that hold the blocks that ``agent_id`` got them ("shared") or let them go ("unshared")."""
    by_id = {block.id: block for block in given}
    if not by_id:
        return
    for link in AgentBlock.objects.filter(block__in=by_id).exclude(agent=agent_id).order_by("agent_id", "id"):
        _tell([link.agent_id], by_id[link.block_id], author, change)
    _ring()


def get(block_id: str) -> Block:
    """Raises ``NotFound``."""
    block = Block.objects.filter(pk=block_id).first()
    if block is None:
        raise NotFound(f"There is no block {block_id}.")
    return block


def of_agent(agent_id: str, label: str) -> Block:
    """The agent's block with that label. Raises ``NotFound``."""
    block = Block.objects.filter(agent_links__agent=agent_id, agent_links__label=label).first()
    if block is None:
        raise NotFound(f"The agent has no block labelled {label!r}.")
    return block


def _told(block_id: str) -> tuple[int, bool] | None:
    """What holders are told the change of: the version, and the review, which is in none."""
    return Block.objects.filter(pk=block_id).values_list("version", "review").first()


def _lock_holders(block_id: str) -> list[str]:
    agent_ids = holders(block_id)
    if agent_ids:
        run_sync([lock_agents(agent_ids)])
    return agent_ids


def _lock(agent_ids: Sequence[str]) -> None:
    if len(run_sync([lock_agents(agent_ids)])[0]) != len(set(agent_ids)):
        raise NotFound("Agent not found")


def _tell(agent_ids: Sequence[str], block: Block, author: Author, change: str) -> None:
    for agent_id in agent_ids:
        publish(agent_id, BlockChanged(block.id, block.label, block.version, author, change))
    _ring()


def _ring() -> None:
    """For pages about blocks that no agent may hold."""
    run_sync([ring(BLOCKS)])
