"""Compactions: asked for, and the record of all there were."""

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from agents_core.actions import agents, compaction
from agents_core.api.ids import AgentId
from agents_core.api.paging import page
from agents_core.api.reply import reply
from agents_core.api.schemas.compactions import CompactionAnswer, CompactionFilter, CompactionRecord
from agents_core.api.schemas.messages import CompactRequest
from agents_core.models import Eviction

agent_router = Router(tags=["compactions"])


@agent_router.post("/{agent_id}/summarize", response=CompactionAnswer)
async def compact_agent(request: HttpRequest, agent_id: AgentId, body: CompactRequest | None = None) -> HttpResponse:
    return reply(await compacted(agent_id, None, body or CompactRequest()))


async def compacted(agent_id: str, conversation_id: str | None, body: CompactRequest) -> CompactionAnswer:
    """Raises as ``compaction.compact``."""
    done = await compaction.compact(agent_id, conversation_id, body.compaction_settings or {})
    return CompactionAnswer(
        summary=done.summary, num_messages_before=done.messages_before, num_messages_after=done.messages_after
    )


@agent_router.get("/{agent_id}/compactions", response=list[CompactionRecord])
def list_compactions(request: HttpRequest, agent_id: AgentId, query: Query[CompactionFilter]) -> HttpResponse:
    """Those of all threads, unless ``conversation_id`` names one ("default" for the agent's own); the newest first."""
    agents.get(agent_id)
    rows = Eviction.objects.filter(agent=agent_id).select_related("summary")
    if query.conversation_id is not None:
        rows = rows.filter(conversation=None if query.conversation_id == "default" else query.conversation_id)
    return reply([CompactionRecord.of(eviction) for eviction in page(rows, query)])
