"""Searching messages over one agent or all (contract: wire, section 15)."""

import time
from datetime import datetime
from typing import Any

from asgiref.sync import sync_to_async

from agents_core.actions.agents import get
from agents_core.api.schemas.archives import aware
from agents_core.api.schemas.messages import MessageSearch
from agents_core.memory.embedders import embedder
from agents_core.memory.recall import MessageHit, RecallSearch, search
from agents_core.models import Agent, MemorySearch

_AGENTS_SEARCHED = 100

_TYPES = {
    "user": "user_message",
    "assistant": "assistant_message",
    "system": "system_message",
    "tool": "assistant_message",
}


async def found_messages(body: MessageSearch) -> list[dict[str, Any]]:
    """The best rows first. Without an agent, the agents that were active last are searched. Raises ``NotFound`` for the agent."""
    agents = await sync_to_async(_agents)(body.agent_id)
    hits = [(agent.id, hit) for agent in agents for hit in await _search(agent, body)]
    hits.sort(key=lambda pair: -pair[1].score)
    return [_row(agent_id, hit) for agent_id, hit in hits[: body.limit]]


def _agents(agent_id: str | None) -> list[Agent]:
    return (
        [get(agent_id)]
        if agent_id
        else list(Agent.objects.filter(hidden=False).order_by("-updated_at")[:_AGENTS_SEARCHED])
    )


async def _search(agent: Agent, body: MessageSearch) -> list[MessageHit]:
    wanted = RecallSearch(
        agent.id,
        body.query,
        conversation_id=body.conversation_id,
        start=aware(body.start_date),
        end=aware(body.end_date),
        limit=body.limit,
    )
    started = time.perf_counter()
    result = await search(wanted, embedder(agent.embedding) if agent.embedding else None)
    if body.agent_id:
        await MemorySearch.objects.acreate(
            agent=agent,
            store="recall",
            query=body.query,
            filters={"conversation_id": body.conversation_id, "start": _iso(wanted.start), "end": _iso(wanted.end)},
            embedding_model=result.model,
            candidates=[hit.candidate() for hit in result.hits],
            duration_ms=(time.perf_counter() - started) * 1000,
        )
    return [hit for hit in result.hits if hit.returned]


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _row(agent_id: str, hit: MessageHit) -> dict[str, Any]:
    return {
        "message_type": _TYPES.get(hit.role, "user_message"),
        "content": hit.text,
        "message_id": hit.id,
        "agent_id": agent_id,
        "conversation_id": hit.conversation_id,
        "created_at": hit.created_at,
    }
