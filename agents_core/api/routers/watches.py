"""Watches of an agent, what they were at its steps, and the step at which an expression became true: beyond the V1 API."""

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from agents_core.actions import agents, conversations, watches
from agents_core.api.ids import AgentId, WatchId
from agents_core.api.reply import reply
from agents_core.api.schemas.watches import (
    BisectQuery,
    ReadingsQuery,
    WatchCreate,
    WatchModify,
    WatchResponse,
    bisect_answer,
    readings_answer,
)
from agents_core.errors import NotFound
from agents_core.record.expressions import parse

router = Router(tags=["watches"])


@router.get("/{agent_id}/watches", response=list[WatchResponse])
def list_watches(request: HttpRequest, agent_id: AgentId) -> HttpResponse:
    return reply([WatchResponse.of(watch) for watch in watches.of_agent(agents.get(agent_id).id)])


@router.post("/{agent_id}/watches", response=WatchResponse)
def create_watch(request: HttpRequest, agent_id: AgentId, body: WatchCreate) -> HttpResponse:
    return reply(WatchResponse.of(watches.create(agent_id, body.expression, body.name, everywhere=body.everywhere)))


@router.get("/{agent_id}/watches/{watch_id}", response=WatchResponse)
def retrieve_watch(request: HttpRequest, agent_id: AgentId, watch_id: WatchId) -> HttpResponse:
    return reply(WatchResponse.of(watches.get(agent_id, watch_id)))


@router.patch("/{agent_id}/watches/{watch_id}", response=WatchResponse)
def modify_watch(request: HttpRequest, agent_id: AgentId, watch_id: WatchId, body: WatchModify) -> HttpResponse:
    return reply(WatchResponse.of(watches.modify(agent_id, watch_id, expression=body.expression, name=body.name)))


@router.delete("/{agent_id}/watches/{watch_id}")
def delete_watch(request: HttpRequest, agent_id: AgentId, watch_id: WatchId) -> HttpResponse:
    watches.delete(agent_id, watch_id)
    return reply({"success": True})


@router.get("/{agent_id}/watches/{watch_id}/values")
def list_values(
    request: HttpRequest, agent_id: AgentId, watch_id: WatchId, query: Query[ReadingsQuery]
) -> HttpResponse:
    watch = watches.get(agent_id, watch_id)
    _check_thread(agent_id, query.conversation_id)
    [series], is_whole = watches.series_of(agent_id, [parse(watch.expression)], query.conversation_id)
    return reply(readings_answer(series, is_whole, query))


@router.get("/{agent_id}/bisect")
def bisect(request: HttpRequest, agent_id: AgentId, query: Query[BisectQuery]) -> HttpResponse:
    agents.get(agent_id)
    _check_thread(agent_id, query.conversation_id)
    return reply(bisect_answer(watches.bisect(agent_id, query.expression, query.conversation_id), query.limit))


def _check_thread(agent_id: str, conversation_id: str | None) -> None:
    """Raises ``NotFound`` for a conversation that is not the agent's."""
    if conversation_id is not None and conversations.get(conversation_id).agent_id != agent_id:
        raise NotFound(f"The agent has no conversation {conversation_id}.")
