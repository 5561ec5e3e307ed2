"""Agents with the relations asked for, read in a few queries however many agents there are."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg

from agents_core.actions.messages import MESSAGE_COLUMNS
from agents_core.actions.new_agent import MadeAgent
from agents_core.api.schemas.agents import AgentState, Included, Memory
from agents_core.api.schemas.archives import ORGANIZATION
from agents_core.api.schemas.blocks import BlockResponse
from agents_core.api.schemas.configs import agent_llm_config, embedding_config
from agents_core.api.schemas.folders import FolderResponse
from agents_core.api.schemas.groups import GroupResponse, group_responses, managed_groups
from agents_core.api.schemas.tools import ToolResponse
from agents_core.api.wire import Shown, expand, view_of
from agents_core.models import (
    WAITING,
    Agent,
    AgentBlock,
    AgentFolder,
    AgentTool,
    AgentVariable,
    Message,
    Role,
    ToolCall,
    ToolCallStatus,
)
from agents_core.models.sealed import unseal
from agents_core.runtime.compaction_settings import CompactionSettings

EVERYTHING = frozenset({"blocks", "tools", "secrets", "sources", "managed_group"})

_LEGACY = {"memory": "blocks", "tool_exec_environment_variables": "secrets", "multi_agent_group": "managed_group"}

_OWN = (
    "id",
    "name",
    "agent_type",
    "description",
    "system",
    "tags",
    "metadata",
    "timezone",
    "tool_rules",
    "model",
    "model_settings",
    "embedding",
    "budgets",
    "response_format",
    "message_buffer_autoclear",
    "enable_sleeptime",
    "max_files_open",
    "per_file_view_window_char_limit",
    "last_run_completion",
    "last_run_duration_ms",
    "last_stop_reason",
    "hidden",
    "created_at",
    "updated_at",
)


def asked(query: Included) -> frozenset[str]:
    """The relations that a query asks for, under this module's names."""
    named = [name.removeprefix("agent.") for name in query.include or []]
    return frozenset(_LEGACY.get(name, name) for name in [*named, *(query.include_relationships or [])])


def states(agents: Sequence[Agent], relations: frozenset[str] = frozenset()) -> list[AgentState]:
    ids = [agent.id for agent in agents]
    context = _context(ids)
    blocks = _blocks(ids) if "blocks" in relations else {}
    tools = _tools(ids) if "tools" in relations else {}
    secrets = _secrets(ids) if "secrets" in relations else {}
    sources = _sources(ids) if "sources" in relations else {}
    managed = managed_groups(ids) if "managed_group" in relations else {}
    approvals = _approvals(agents) if "pending_approval" in relations else {}
    return [
        _state(
            agent,
            context.get(agent.id, []),
            blocks.get(agent.id, []),
            tools.get(agent.id, []),
            secrets.get(agent.id, []),
            managed.get(agent.id),
            approvals.get(agent.id),
            sources.get(agent.id),
        )
        for agent in agents
    ]


def state(agent: Agent, relations: frozenset[str] = EVERYTHING) -> AgentState:
    return states([agent], relations)[0]


def state_of_made(made: MadeAgent) -> AgentState:
    """The whole state of an agent that was just made, without reading it again."""
    blocks = [BlockResponse.of(block) for block in made.blocks]
    tools = [ToolResponse.of(tool) for tool in made.tools]
    secrets = [_secret(variable) for variable in made.variables]
    group = group_responses([made.managed_group])[0] if made.managed_group else None
    return _state(made.agent, made.message_ids, blocks, tools, secrets, group)


def _state(
    agent: Agent,
    message_ids: list[str],
    blocks: list[BlockResponse],
    tools: list[ToolResponse],
    secrets: list[dict[str, Any]],
    managed_group: GroupResponse | None = None,
    pending_approval: Shown | None = None,
    sources: list[FolderResponse] | None = None,
) -> AgentState:
    return AgentState.model_construct(
        **{name: getattr(agent, name) for name in _OWN},
        message_ids=message_ids,
        blocks=blocks,
        memory=Memory.model_construct(agent_type=agent.agent_type, blocks=blocks, file_blocks=[]),
        tools=tools,
        secrets=secrets,
        pending_approval=pending_approval,
        tool_exec_environment_variables=secrets,
        llm_config=agent_llm_config(agent),
        embedding_config=embedding_config(agent.embedding),
        compaction_settings=CompactionSettings.of(agent.compaction_settings).shown,
        sources=sources or [],
        identities=[],
        identity_ids=[],
        managed_group=managed_group,
        multi_agent_group=managed_group,
    )


def _context(agent_ids: Sequence[str]) -> dict[str, list[str]]:
    rows = (
        Message.objects.filter(agent__in=agent_ids, conversation=None, context_position__gt=WAITING)
        .order_by()
        .values_list("agent_id")
        .annotate(ids=ArrayAgg("id", order_by=("context_position", "seq")))
    )
    return dict(rows)


def _approvals(agents: Sequence[Agent]) -> dict[str, Shown]:
    """What each agent waits for in its default thread, as the message that asks for it."""
    steps = ToolCall.objects.filter(agent__in=agents, status=ToolCallStatus.AWAITING, step__conversation=None)
    rows = Message.objects.filter(step__in=steps.values("step"), role=Role.ASSISTANT).values(*MESSAGE_COLUMNS)
    kinds = {agent.id: agent.agent_type for agent in agents}
    return {
        row["agent_id"]: shown
        for row in rows
        for shown in expand(row, view_of(kinds[row["agent_id"]]))
        if shown["message_type"] == "approval_request_message"
    }


def _grouped(pairs: Iterable[tuple[str, Any]]) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = defaultdict(list)
    for agent_id, value in pairs:
        groups[agent_id].append(value)
    return groups


def _blocks(agent_ids: Sequence[str]) -> dict[str, list[BlockResponse]]:
    links = AgentBlock.objects.filter(agent__in=agent_ids).select_related("block").order_by("id")
    return _grouped((link.agent_id, BlockResponse.of(link.block)) for link in links)


def _tools(agent_ids: Sequence[str]) -> dict[str, list[ToolResponse]]:
    links = AgentTool.objects.filter(agent__in=agent_ids).select_related("tool").order_by("id")
    return _grouped((link.agent_id, ToolResponse.of(link.tool)) for link in links)


def _secrets(agent_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    variables = AgentVariable.objects.filter(agent__in=agent_ids).order_by("key")
    return _grouped((variable.agent_id, _secret(variable)) for variable in variables)


def _sources(agent_ids: Sequence[str]) -> dict[str, list[FolderResponse]]:
    links = AgentFolder.objects.filter(agent__in=agent_ids).select_related("folder__archive").order_by("id")
    return _grouped((link.agent_id, FolderResponse.of(link.folder)) for link in links)


def _secret(variable: AgentVariable) -> dict[str, Any]:
    return {
        "id": variable.id,
        "key": variable.key,
        "value": unseal(variable.sealed),
        "description": variable.description,
        "organization_id": ORGANIZATION,
        "value_enc": None,
        "agent_id": variable.agent_id,
        "created_at": None,
        "updated_at": None,
        "created_by_id": None,
        "last_updated_by_id": None,
    }
