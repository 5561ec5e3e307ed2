"""Blocks, whoever holds them."""

from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from agents_core.actions import blocks, proposals
from agents_core.api.agent_states import asked, states
from agents_core.api.ids import BlockId, ProposalId
from agents_core.api.paging import page
from agents_core.api.reply import reply
from agents_core.api.schemas.agents import AgentFilter, AgentState
from agents_core.api.schemas.blocks import (
    BlockCreate,
    BlockFilter,
    BlockResponse,
    BlockUpdate,
    ProposalFilter,
    ProposalResponse,
)
from agents_core.models import Agent, Author, Block

router = Router(tags=["blocks"])

_SEARCHED = {"label_search": "label", "description_search": "description", "value_search": "value"}


@router.get("/", response=list[BlockResponse])
def list_blocks(request: HttpRequest, query: Query[BlockFilter]) -> HttpResponse:
    return reply([BlockResponse.of(block) for block in page(_filtered(query), query)])


def _filtered(query: BlockFilter) -> "QuerySet[Block]":
    rows = Block.objects.all() if query.show_hidden_blocks else Block.objects.filter(hidden=False)
    if query.label is not None:
        rows = rows.filter(label=query.label)
    if query.name is not None:
        rows = rows.filter(template_name=query.name)
    if query.templates_only:
        rows = rows.filter(is_template=True)
    for parameter, column in _SEARCHED.items():
        if text := getattr(query, parameter):
            rows = rows.filter(**{f"{column}__icontains": text})
    if query.tags:
        rows = rows.filter(tags__contains=query.tags) if query.match_all_tags else rows.filter(tags__overlap=query.tags)
    return _by_holders(rows, query)


def _by_holders(rows: "QuerySet[Block]", query: BlockFilter) -> "QuerySet[Block]":
    chosen = Q()
    if query.connected_to_agents_count_gt is not None:
        chosen &= Q(held_by__gt=query.connected_to_agents_count_gt)
    if query.connected_to_agents_count_lt is not None:
        chosen &= Q(held_by__lt=query.connected_to_agents_count_lt)
    if query.connected_to_agents_count_eq:
        chosen &= Q(held_by__in=query.connected_to_agents_count_eq)
    return rows.annotate(held_by=Count("agent_links")).filter(chosen) if chosen else rows


@router.post("/", response=BlockResponse)
def create_block(request: HttpRequest, body: BlockCreate) -> HttpResponse:
    return reply(BlockResponse.of(blocks.create(Author.API, **body.given())))


@router.get("/count", response=int)
def count_blocks(request: HttpRequest) -> HttpResponse:
    return reply(Block.objects.filter(hidden=False).count())


@router.get("/{block_id}", response=BlockResponse)
def retrieve_block(request: HttpRequest, block_id: BlockId) -> HttpResponse:
    return reply(BlockResponse.of(blocks.get(block_id)))


@router.patch("/{block_id}", response=BlockResponse)
def modify_block(request: HttpRequest, block_id: BlockId, body: BlockUpdate) -> HttpResponse:
    return reply(BlockResponse.of(blocks.modify(block_id, body.given())))


@router.delete("/{block_id}")
def delete_block(request: HttpRequest, block_id: BlockId) -> HttpResponse:
    blocks.delete(block_id)
    return reply(None)


@router.get("/{block_id}/agents", response=list[AgentState])
def list_agents_of_block(request: HttpRequest, block_id: BlockId, query: Query[AgentFilter]) -> HttpResponse:
    blocks.get(block_id)
    holders = page(Agent.objects.filter(block_links__block=block_id), query)
    return reply(states(holders, asked(query)))


@router.get("/{block_id}/proposals", response=list[ProposalResponse])
def list_proposals(request: HttpRequest, block_id: BlockId, query: Query[ProposalFilter]) -> HttpResponse:
    rows = proposals.of_block(block_id)
    if query.status is not None:
        rows = rows.filter(status=query.status)
    return reply([ProposalResponse.of(proposal) for proposal in page(rows, query)])


@router.post("/{block_id}/proposals/{proposal_id}/accept", response=BlockResponse)
def accept_proposal(request: HttpRequest, block_id: BlockId, proposal_id: ProposalId) -> HttpResponse:
    return reply(BlockResponse.of(proposals.accept(block_id, proposal_id)))


@router.post("/{block_id}/proposals/{proposal_id}/decline", response=ProposalResponse)
def decline_proposal(request: HttpRequest, block_id: BlockId, proposal_id: ProposalId) -> HttpResponse:
    return reply(ProposalResponse.of(proposals.decline(block_id, proposal_id)))
