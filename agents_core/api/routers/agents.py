"""Agents: create, list, retrieve, change, delete; their prompt and context."""

from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from agents_core.actions import agents, folders
from agents_core.actions.context import overview
from agents_core.actions.deletions import delete_agent as delete_with_history
from agents_core.actions.new_agent import NewAgent
from agents_core.actions.openings import Opening
from agents_core.api.agent_states import EVERYTHING, asked, state, state_of_made, states
from agents_core.api.ids import AgentId
from agents_core.api.paging import Sort, page
from agents_core.api.reply import done, reply
from agents_core.api.schemas.agents import AgentCreate, AgentFilter, AgentState, AgentUpdate, Included
from agents_core.api.schemas.archives import aware
from agents_core.api.schemas.messages import ResetRequest
from agents_core.errors import Refused
from agents_core.models import Agent

router = Router(tags=["agents"])

_LEGACY_SETTINGS = {"max_tokens", "parallel_tool_calls", "llm_config", "tool_exec_environment_variables"}


@router.post("/", response=AgentState)
def create_agent(request: HttpRequest, body: AgentCreate) -> HttpResponse:
    _refuse_unsupported(body)
    with transaction.atomic():
        made = agents.make(_new_agent(body))
        if folder_ids := body.folders():
            folders.replace(made.agent.id, folder_ids)
            return reply(state(agents.get(made.agent.id), EVERYTHING))
    return reply(state_of_made(made))


def _refuse_unsupported(body: AgentCreate | AgentUpdate) -> None:
    if names := body.unsupported():
        raise Refused(f"This server has no identities yet: leave out {', '.join(names)}.")


def _new_agent(body: AgentCreate) -> NewAgent:
    same = (
        "name description system embedding block_ids tools tool_ids tool_rules tags metadata timezone response_format"
        " compaction_settings budgets message_buffer_autoclear enable_sleeptime max_files_open per_file_view_window_char_limit"
        " include_base_tools include_base_tool_rules include_multi_agent_tools hidden agent_type"
    )
    given: dict[str, Any] = {name: value for name in same.split() if (value := getattr(body, name)) is not None}
    opening = body.initial_message_sequence
    return NewAgent(
        **given,
        model=body.handle(),
        model_settings=body.settings(),
        context_window=body.context_window_limit or (body.llm_config or {}).get("context_window"),
        memory_blocks=[block.given() for block in body.memory_blocks or []],
        secrets=body.variables() or {},
        opening=None if opening is None else [Opening(item.role, item.text) for item in opening],
    )


@router.get("/", response=list[AgentState])
def list_agents(request: HttpRequest, query: Query[AgentFilter]) -> HttpResponse:
    if query.ascending is not None:
        query.order = "asc" if query.ascending else "desc"
    column: str = query.sort_by or query.order_by
    rows = _filtered(query)
    if column == "last_run_completion":
        column = "sort_key"
        rows = rows.annotate(sort_key=Coalesce(F("last_run_completion"), Value(_NEVER)))
    return reply(states(page(rows, query, Sort(column)), asked(query)))


_NEVER = "0001-01-01T00:00:00+00:00"


def _filtered(query: AgentFilter) -> "QuerySet[Agent]":
    rows = Agent.objects.all()
    if not query.show_hidden_agents:
        rows = rows.filter(hidden=False)
    if query.name is not None:
        rows = rows.filter(name=query.name)
    if query.query_text:
        rows = rows.filter(Q(name__icontains=query.query_text) | Q(description__icontains=query.query_text))
    if query.tags:
        rows = rows.filter(tags__contains=query.tags) if query.match_all_tags else rows.filter(tags__overlap=query.tags)
    if query.last_stop_reason is not None:
        rows = rows.filter(last_stop_reason=query.last_stop_reason)
    return rows


@router.get("/count", response=int)
def count_agents(request: HttpRequest) -> HttpResponse:
    return reply(Agent.objects.filter(hidden=False).count())


@router.get("/{agent_id}", response=AgentState)
def retrieve_agent(request: HttpRequest, agent_id: AgentId, query: Query[Included]) -> HttpResponse:
    return reply(state(agents.get(agent_id), asked(query)))


@router.patch("/{agent_id}", response=AgentState)
def modify_agent(request: HttpRequest, agent_id: AgentId, body: AgentUpdate) -> HttpResponse:
    _refuse_unsupported(body)
    changes: dict[str, Any] = {
        name: value
        for name, value in body.given().items()
        if name not in {*_LEGACY_SETTINGS, "folder_ids", "source_ids", "identity_ids"}
    }
    if settings := body.settings():
        changes["model_settings"] = settings
    if handle := body.handle():
        changes["model"] = handle
    if window := changes.pop("context_window_limit", None):
        changes["context_window"] = window
    if (variables := body.variables()) is not None:
        changes["secrets"] = variables
    if body.last_run_completion is not None:
        changes["last_run_completion"] = aware(body.last_run_completion)
    with transaction.atomic():
        if (folder_ids := body.folders()) is not None:
            folders.replace(agent_id, folder_ids)
        agent = agents.modify(agent_id, changes)
    return reply(state(agent, EVERYTHING))


@router.delete("/{agent_id}")
def delete_agent(request: HttpRequest, agent_id: AgentId) -> HttpResponse:
    delete_with_history(agent_id)
    return done(f"Agent {agent_id} deleted")


@router.post("/{agent_id}/recompile", response=str)
def recompile_agent(
    request: HttpRequest, agent_id: AgentId, dry_run: bool = False, update_timestamp: bool = False
) -> HttpResponse:
    return reply(agents.recompile_prompt(agent_id, dry_run=dry_run))


@router.patch("/{agent_id}/reset-messages", response=AgentState)
def reset_messages(request: HttpRequest, agent_id: AgentId, body: ResetRequest) -> HttpResponse:
    return reply(state(agents.reset_messages(agent_id, open_anew=body.add_default_initial_messages), EVERYTHING))


@router.get("/{agent_id}/context")
def retrieve_context(request: HttpRequest, agent_id: AgentId, conversation_id: str | None = None) -> HttpResponse:
    thread = None if conversation_id == "default" else conversation_id
    return reply(overview(agent_id, thread))
