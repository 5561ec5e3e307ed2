"""Blocks on the wire (contract: wire, section 5)."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from agents_core.api.paging import AscendingCursor, Cursor, Order
from agents_core.api.schemas.common import Answer, Body
from agents_core.models import Block, BlockProposal, ProposalStatus

LARGEST_LIMIT = 10_000_000

BlockLimit = Annotated[int, Field(ge=1, le=LARGEST_LIMIT)]


class BlockResponse(Answer):
    id: str
    label: str
    value: str
    limit: int
    description: str | None
    read_only: bool
    review: bool
    metadata: dict[str, Any]
    tags: list[str]
    hidden: bool
    is_template: bool
    template_name: str | None
    template_id: str | None = None
    base_template_id: str | None = None
    deployment_id: str | None = None
    entity_id: str | None = None
    project_id: str | None = None
    preserve_on_migration: bool | None = None
    created_by_id: str | None = None
    last_updated_by_id: str | None = None

    @classmethod
    def of(cls, block: Block) -> "BlockResponse":
        return cls.model_construct(**{name: getattr(block, name) for name in _STORED})


_STORED = (
    "id",
    "label",
    "value",
    "limit",
    "description",
    "read_only",
    "review",
    "metadata",
    "tags",
    "hidden",
    "is_template",
    "template_name",
)


class BlockUpdate(Body):
    """Null leaves a field as it is."""

    label: str | None = Field(None, min_length=1)
    value: str | None = None
    limit: BlockLimit | None = None
    description: str | None = None
    read_only: bool | None = None
    review: bool | None = None
    metadata: dict[str, Any] | None = None
    tags: list[str] | None = None
    hidden: bool | None = None
    is_template: bool | None = None
    template_name: str | None = None


class BlockCreate(BlockUpdate):
    label: str = Field(min_length=1)


class ProposalResponse(Answer):
    """What a sleep-time agent proposes for a block under review."""

    id: str
    block_id: str
    base_version: int
    value: str
    agent_id: str | None
    step_id: str | None
    tool_call_id: str | None
    status: str
    created_at: datetime
    decided_at: datetime | None

    @classmethod
    def of(cls, proposal: BlockProposal) -> "ProposalResponse":
        return cls.model_construct(**{name: getattr(proposal, name) for name in cls.model_fields})


class ProposalFilter(Cursor):
    status: ProposalStatus | None = None


class BlockCursor(AscendingCursor):
    limit: int = Field(50, ge=1, le=1000)


class HeldBlockCursor(BlockCursor):
    """Of the blocks of one agent."""

    limit: int = Field(100, ge=1, le=1000)
    order: Order = "desc"


class BlockFilter(BlockCursor):
    label: str | None = None
    label_search: str | None = None
    description_search: str | None = None
    value_search: str | None = None
    name: str | None = None
    templates_only: bool = False
    tags: list[str] | None = None
    match_all_tags: bool = False
    connected_to_agents_count_gt: int | None = None
    connected_to_agents_count_lt: int | None = None
    connected_to_agents_count_eq: list[int] | None = None
    show_hidden_blocks: bool = False


AgentInclude = Literal[
    "agent.blocks",
    "agent.identities",
    "agent.managed_group",
    "agent.pending_approval",
    "agent.secrets",
    "agent.sources",
    "agent.tags",
    "agent.tools",
]
