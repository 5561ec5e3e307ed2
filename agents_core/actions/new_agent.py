"""What an agent is made from, and what comes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agents_core.actions.openings import Opening
from agents_core.models import Agent, AgentKind, AgentVariable, Block, Group, Tool


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAgent:
    """What an agent is made from; whatever is left out gets the default of its kind.

    ``context_window`` in tokens. ``memory_blocks``: fields of new blocks. ``tools``: names, ``tool_ids``: ids, both beside the kind's own
    unless ``include_base_tools`` is false. ``include_base_tool_rules`` None: as its kind has it. ``secrets``: variables for its
    tools. ``opening``: messages that its history begins with; None for those of its kind.
    """

    name: str | None = None
    agent_type: str = AgentKind.V1
    description: str | None = None
    system: str | None = None
    model: str | None = None
    embedding: str | None = None
    model_settings: Mapping[str, Any] = field(default_factory=dict)
    context_window: int | None = None
    memory_blocks: Sequence[Mapping[str, Any]] = ()
    block_ids: Sequence[str] = ()
    tools: Sequence[str] = ()
    tool_ids: Sequence[str] = ()
    tool_rules: Sequence[Mapping[str, Any]] = ()
    include_base_tools: bool = True
    include_multi_agent_tools: bool = False
    include_base_tool_rules: bool | None = None
    secrets: Mapping[str, str] = field(default_factory=dict)
    opening: Sequence[Opening] | None = None
    tags: Sequence[str] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    timezone: str = "UTC"
    response_format: Mapping[str, Any] | None = None
    compaction_settings: Mapping[str, Any] = field(default_factory=dict)
    budgets: Mapping[str, Any] = field(default_factory=dict)
    message_buffer_autoclear: bool | None = None
    enable_sleeptime: bool = False
    max_files_open: int | None = None
    per_file_view_window_char_limit: int | None = None
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class MadeAgent:
    """A new agent and what it was given; ``message_ids`` are of its context, the system message first."""

    agent: Agent
    blocks: list[Block]
    tools: list[Tool]
    variables: list[AgentVariable]
    message_ids: list[str]
    managed_group: Group | None = None
