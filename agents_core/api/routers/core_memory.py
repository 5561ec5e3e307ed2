"""The blocks that an agent holds."""

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from agents_core.actions import agents, blocks
from agents_core.api.agent_states import EVERYTHING, state
from agents_core.api.ids import AgentId, BlockId
from agents_core.api.paging import page
from agents_core.api.reply import reply
from agents_core.api.schemas.agents import AgentState
from agents_core.api.schemas.blocks import BlockResponse, BlockUpdate, HeldBlockCursor
from agents_core.models import Block

router = Router(tags=["core memory"])


@router.get("/{agent_id}/core-memory/blocks", response=list[BlockResponse])
def list_core_memory_blocks(request: HttpRequest, agent_id: AgentId, query: Query[HeldBlockCursor]) -> HttpResponse:
    agents.get(agent_id)
    held = Block.objects.filter(agent_links__agent=agent_id)
    return reply([BlockResponse.of(block) for block in page(held, query)])


@router.get("/{agent_id}/core-memory")
def retrieve_core_memory(request: HttpRequest, agent_id: AgentId) -> HttpResponse:
    return reply(state(agents.get(agent_id), frozenset({"blocks"})).memory)


@router.patch("/{agent_id}/core-memory/blocks/attach/{block_id}", response=AgentState)
def attach_core_memory_block(request: HttpRequest, agent_id: AgentId, block_id: BlockId) -> HttpResponse:
    blocks.attach(agent_id, block_id)
    return reply(state(agents.get(agent_id), EVERYTHING))


@router.patch("/{agent_id}/core-memory/blocks/detach/{block_id}", response=AgentState)
def detach_core_memory_block(request: HttpRequest, agent_id: AgentId, block_id: BlockId) -> HttpResponse:
    blocks.detach(agent_id, block_id)
    return reply(state(agents.get(agent_id), EVERYTHING))


# A label may hold slashes, so these addresses come after all others.


@router.get("/{agent_id}/core-memory/blocks/{path:block_label}", response=BlockResponse)
def retrieve_core_memory_block(request: HttpRequest, agent_id: AgentId, block_label: str) -> HttpResponse:
    return reply(BlockResponse.of(blocks.of_agent(agent_id, block_label)))


@router.patch("/{agent_id}/core-memory/blocks/{path:block_label}", response=BlockResponse)
def modify_core_memory_block(
    request: HttpRequest, agent_id: AgentId, block_label: str, body: BlockUpdate
) -> HttpResponse:
    block = blocks.of_agent(agent_id, block_label)
    return reply(BlockResponse.of(blocks.modify(block.id, body.given())))
