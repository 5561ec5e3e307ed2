"""The pages of blocks by themselves: the list of all, and one with its holders and its history. Both follow what is changed by others."""

from collections.abc import Mapping
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Max, Q, QuerySet, Sum

from ade.address import query, text
from ade.block_looks import look
from ade.fragments import Fragment
from ade.panels.core import cards
from agents_core.models import AgentBlock, Block, BlockProposal

PAGE = 50


def searched(words: str) -> "QuerySet[Block]":
    """Blocks that hold all of ``words`` in label, description or text."""
    found = Block.objects.filter(hidden=False)
    for word in words.split():
        found = found.filter(Q(label__icontains=word) | Q(value__icontains=word) | Q(description__icontains=word))
    return found


def list_context(params: Mapping[str, str]) -> dict[str, Any]:
    """A page of the blocks with the words ``q``, those that several agents hold first."""
    words = text(params, "q")
    found = searched(words).annotate(holders=Count("agent_links")).order_by("-holders", "label", "id")
    page = Paginator(found, PAGE).get_page(params.get("page"))
    return {"page": page, "words": words, "params": query({"q": words, "page": str(page.number)}, ("q", "page"))}


def list_mark() -> tuple[Any, ...]:
    """Changes when a block does, or who holds it."""
    blocks = Block.objects.aggregate(Count("pk"), Sum("version"))
    links = AgentBlock.objects.aggregate(Count("pk"), Max("pk"))
    return (*blocks.values(), *links.values())


def list_fragments(params: Mapping[str, str]) -> list[Fragment]:
    return [Fragment("block-list", "ade/partials/_block_list.html", list_context(params))]


def page_context(block: Block, params: Mapping[str, str]) -> dict[str, Any]:
    """The page of one block; ``params`` as ``block_looks.look`` takes them."""
    found = look(block, params)
    address = f"/blocks/{block.id}"
    place = {"params": found["own_params"], "look_at": f"{address}/look?", "page_at": f"{address}?"}
    return {**found, **place, "card": cards([block])[0]}


def page_mark(block_id: str) -> tuple[Any, ...]:
    """Changes when the block does, what is proposed for it, or who holds it; empty when it is gone."""
    block = Block.objects.filter(id=block_id).values_list("version", "review").first()
    if block is None:
        return ()
    proposals = BlockProposal.objects.filter(block=block_id).order_by("id").values_list("id", "status", "value")
    holders = AgentBlock.objects.filter(block=block_id).order_by("id").values_list("agent__name", flat=True)
    return (*block, *proposals, *holders)


def page_fragments(block_id: str, params: Mapping[str, str]) -> list[Fragment]:
    """The nodes of the page as they are now; word of it when the block is gone."""
    block = Block.objects.filter(id=block_id).first()
    if block is None:
        return [Fragment(f"editor-{block_id}", "ade/partials/_block_gone.html", {"block_id": block_id})]
    context = page_context(block, params)
    return [
        Fragment(context["card"].dom_id, "ade/partials/_block_editor.html", context),
        Fragment("block-holders", "ade/partials/_block_holders.html", context),
        Fragment("panel-blame", "ade/partials/_block_look.html", context),
    ]
