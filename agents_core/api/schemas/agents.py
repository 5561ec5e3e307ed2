"""Agents on the wire (contract: wire, section 5)."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from agents_core.api.paging import Cursor
from agents_core.api.schemas.blocks import AgentInclude, BlockLimit, BlockResponse
from agents_core.api.schemas.common import Answer, Body
from agents_core.api.schemas.groups import GroupResponse
from agents_core.api.schemas.tools import ToolResponse

ContextWindow = Annotated[int, Field(ge=1024, le=100_000_000)]
SmallCount = Annotated[int, Field(ge=1, le=1000)]
Int32 = Annotated[int, Field(ge=1, le=2_147_483_647)]
Kind = Literal[
    "memgpt_agent",
    "memgpt_v2_agent",
    "letta_v1_agent",
    "react_agent",
    "workflow_agent",
    "split_thread_agent",
    "sleeptime_agent",
    "voice_convo_agent",
    "voice_sleeptime_agent",
]


class Memory(Answer):
    agent_type: str
    git_enabled: bool = False
    blocks: list[BlockResponse]
    file_blocks: list[Any] = Field(default_factory=list)
    prompt_template: str = ""


class AgentState(Answer):
    """Relations that were not asked for are empty. ``compaction_settings`` are shown with their defaults, and with ``recompile``, which
    is this product's own: "immediate" or "compaction" (agents_core.runtime.compaction_settings)."""

    id: str
    name: str
    agent_type: str
    description: str | None
    system: str
    tags: list[str]
    metadata: dict[str, Any]
    timezone: str
    message_ids: list[str]
    tool_rules: list[dict[str, Any]]
    tools: list[ToolResponse]
    blocks: list[BlockResponse]
    memory: Memory
    sources: list[Any] = Field(default_factory=list)
    identities: list[Any] = Field(default_factory=list)
    identity_ids: list[str] = Field(default_factory=list)
    secrets: list[dict[str, Any]]
    tool_exec_environment_variables: list[dict[str, Any]]
    model: str
    model_settings: dict[str, Any]
    embedding: str | None
    llm_config: dict[str, Any]
    embedding_config: dict[str, Any] | None
    compaction_settings: dict[str, Any]
    budgets: dict[str, float]
    response_format: dict[str, Any] | None
    message_buffer_autoclear: bool
    enable_sleeptime: bool
    managed_group: GroupResponse | None = None
    multi_agent_group: GroupResponse | None = None
    pending_approval: dict[str, Any] | None = None
    max_files_open: int
    per_file_view_window_char_limit: int
    last_run_completion: datetime | None
    last_run_duration_ms: int | None
    last_stop_reason: str | None
    hidden: bool
    project_id: str | None = None
    template_id: str | None = None
    base_template_id: str | None = None
    deployment_id: str | None = None
    entity_id: str | None = None
    created_by_id: str | None = None
    last_updated_by_id: str | None = None
    created_at: datetime
    updated_at: datetime


class BlockIn(Body):
    label: str = Field(min_length=1)
    value: str | None = None
    limit: BlockLimit | None = None
    description: str | None = None
    read_only: bool | None = None
    review: bool | None = None
    metadata: dict[str, Any] | None = None
    tags: list[str] | None = None
    hidden: bool | None = None


class OpeningIn(Body):
    role: Literal["user", "system", "assistant"]
    content: str | list[dict[str, Any]]

    @property
    def text(self) -> str:
        if isinstance(self.content, str):
            return self.content
        return "".join(str(part.get("text", "")) for part in self.content)


class _AgentFields(Body):
    """Fields that a new agent and a change of one share. Null leaves the default, or what is there."""

    name: str | None = Field(None, min_length=1)
    description: str | None = None
    system: str | None = None
    model: str | None = None
    model_settings: dict[str, Any] | None = None
    embedding: str | None = None
    llm_config: dict[str, Any] | None = None
    context_window_limit: ContextWindow | None = None
    max_tokens: Int32 | None = None
    parallel_tool_calls: bool | None = None
    tags: list[str] | None = None
    metadata: dict[str, Any] | None = None
    timezone: str | None = None
    tool_rules: list[dict[str, Any]] | None = None
    tool_ids: list[str] | None = None
    block_ids: list[str] | None = None
    secrets: dict[str, str] | None = None
    tool_exec_environment_variables: dict[str, str] | None = None
    compaction_settings: dict[str, Any] | None = None
    budgets: dict[str, Any] | None = None
    response_format: dict[str, Any] | None = None
    message_buffer_autoclear: bool | None = None
    enable_sleeptime: bool | None = None
    max_files_open: SmallCount | None = None
    per_file_view_window_char_limit: Int32 | None = None
    folder_ids: list[str] | None = None
    source_ids: list[str] | None = None
    identity_ids: list[str] | None = None

    def settings(self) -> dict[str, Any]:
        """``model_settings`` with what older clients say beside it."""
        given = dict(self.model_settings or {})
        if self.max_tokens is not None:
            given["max_output_tokens"] = self.max_tokens
        if self.parallel_tool_calls is not None:
            given["parallel_tool_calls"] = self.parallel_tool_calls
        thinking = (self.llm_config or {}).get("put_inner_thoughts_in_kwargs")
        if thinking is not None:
            given["put_inner_thoughts_in_kwargs"] = bool(thinking)
        return given

    def handle(self) -> str | None:
        """The model, also from an older client's ``llm_config``."""
        config = self.llm_config or {}
        return self.model or config.get("handle") or None

    def variables(self) -> dict[str, str] | None:
        return self.secrets if self.secrets is not None else self.tool_exec_environment_variables

    def folders(self) -> list[str] | None:
        """The ids of the folders, also by their older name."""
        return self.folder_ids if self.folder_ids is not None else self.source_ids

    def unsupported(self) -> list[str]:
        """The fields that ask for what this server does not have."""
        return ["identity_ids"] if self.identity_ids else []


class AgentCreate(_AgentFields):
    agent_type: Kind = "letta_v1_agent"
    memory_blocks: list[BlockIn] | None = None
    tools: list[str] | None = None
    include_base_tools: bool | None = None
    include_base_tool_rules: bool | None = None
    include_multi_agent_tools: bool | None = None
    initial_message_sequence: list[OpeningIn] | None = None
    hidden: bool | None = None


class AgentUpdate(_AgentFields):
    message_ids: list[str] | None = None
    last_run_completion: datetime | None = None
    last_run_duration_ms: int | None = None
    last_stop_reason: str | None = None


class Included(Body):
    include: list[AgentInclude] | None = None
    include_relationships: list[str] | None = None


class AgentFilter(Cursor, Included):
    sort_by: Literal["created_at", "updated_at", "last_run_completion"] | None = None
    ascending: bool | None = None
    name: str | None = None
    tags: list[str] | None = None
    match_all_tags: bool = False
    query_text: str | None = None
    last_stop_reason: str | None = None
    show_hidden_agents: bool = False


class TagFilter(Cursor):
    order: Literal["asc", "desc"] = "asc"
    name: str | None = None
    query_text: str | None = None
