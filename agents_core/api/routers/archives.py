"""Archival memory: archives, their passages, and the passages of an agent."""

from typing import Any
from zoneinfo import ZoneInfo

from asgiref.sync import sync_to_async
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from agents_core.actions import agents, archives
from agents_core.api.agent_states import asked, states
from agents_core.api.ids import AgentId, ArchiveId, PassageId
from agents_core.api.paging import Cursor, Sort, page
from agents_core.api.reply import done, reply
from agents_core.api.schemas.agents import AgentFilter, AgentState
from agents_core.api.schemas.archives import (
    AgentPassageSearch,
    ArchiveCreate,
    ArchiveFilter,
    ArchiveResponse,
    ArchiveUpdate,
    PassageBatch,
    PassageCreate,
    PassageList,
    PassageResponse,
    PassageSearch,
    PassageUpdate,
    aware,
)
from agents_core.errors import InvalidInput
from agents_core.memory.archival.base import ArchivalSearch, Hit
from agents_core.models import Agent, Archive, Passage

router = Router(tags=["archives"])
agent_router = Router(tags=["archival memory"])
passages_router = Router(tags=["passages"])

_DEFAULT_TOP_K = 5


@router.get("/", response=list[ArchiveResponse])
def list_archives(request: HttpRequest, query: Query[ArchiveFilter]) -> HttpResponse:
    rows = Archive.objects.filter(folder=None)
    if query.name is not None:
        rows = rows.filter(name=query.name)
    if query.agent_id is not None:
        rows = rows.filter(agent_links__agent=query.agent_id)
    return reply([ArchiveResponse.of(archive) for archive in page(rows, query, Sort(strict=True))])


@router.post("/", response=ArchiveResponse)
def create_archive(request: HttpRequest, body: ArchiveCreate) -> HttpResponse:
    embedding = body.embedding or (body.embedding_config or {}).get("handle")
    return reply(ArchiveResponse.of(archives.create(body.name, body.description, embedding)))


@router.get("/{archive_id}", response=ArchiveResponse)
def retrieve_archive(request: HttpRequest, archive_id: ArchiveId) -> HttpResponse:
    return reply(ArchiveResponse.of(archives.get(archive_id)))


@router.patch("/{archive_id}", response=ArchiveResponse)
def modify_archive(request: HttpRequest, archive_id: ArchiveId, body: ArchiveUpdate) -> HttpResponse:
    return reply(ArchiveResponse.of(archives.modify(archive_id, body.given())))


@router.delete("/{archive_id}")
def delete_archive(request: HttpRequest, archive_id: ArchiveId) -> HttpResponse:
    archives.delete(archive_id)
    return HttpResponse(status=204)


@router.get("/{archive_id}/agents", response=list[AgentState])
def list_agents_of_archive(request: HttpRequest, archive_id: ArchiveId, query: Query[AgentFilter]) -> HttpResponse:
    archives.get(archive_id)
    holders = page(Agent.objects.filter(archive_links__archive=archive_id), query)
    return reply(states(holders, asked(query)))


@router.post("/{archive_id}/passages", response=PassageResponse)
async def create_archive_passage(request: HttpRequest, archive_id: ArchiveId, body: PassageCreate) -> HttpResponse:
    archive = await sync_to_async(archives.get)(archive_id)
    [passage] = await archives.insert(archive, [body.draft(archive_id)])
    return reply(PassageResponse.of(passage))


@router.post("/{archive_id}/passages/batch", response=list[PassageResponse])
async def create_archive_passages(request: HttpRequest, archive_id: ArchiveId, body: PassageBatch) -> HttpResponse:
    archive = await sync_to_async(archives.get)(archive_id)
    made = await archives.insert(archive, [passage.draft(archive_id) for passage in body.passages])
    return reply([PassageResponse.of(passage) for passage in made])


@router.get("/{archive_id}/passages", response=list[PassageResponse])
def list_archive_passages(request: HttpRequest, archive_id: ArchiveId, query: Query[PassageList]) -> HttpResponse:
    return reply(_listed([archives.get(archive_id)], query))


@router.delete("/{archive_id}/passages/{passage_id}")
def delete_archive_passage(request: HttpRequest, archive_id: ArchiveId, passage_id: PassageId) -> HttpResponse:
    archives.delete_passage(passage_id, [archive_id])
    return HttpResponse(status=204)


# --- an agent's archival memory -----------------------------------------------------------------------------------


@agent_router.patch("/{agent_id}/archives/attach/{archive_id}")
def attach_archive(request: HttpRequest, agent_id: AgentId, archive_id: ArchiveId) -> HttpResponse:
    archives.attach(agent_id, archive_id)
    return reply(None)


@agent_router.patch("/{agent_id}/archives/detach/{archive_id}")
def detach_archive(request: HttpRequest, agent_id: AgentId, archive_id: ArchiveId) -> HttpResponse:
    archives.detach(agent_id, archive_id)
    return reply(None)


@agent_router.post("/{agent_id}/archival-memory", response=list[PassageResponse])
async def create_passage(request: HttpRequest, agent_id: AgentId, body: PassageCreate) -> HttpResponse:
    archive = await sync_to_async(archives.own_archive)(agent_id)
    made = await archives.insert(archive, [body.draft(archive.id)])
    return reply([PassageResponse.of(passage) for passage in made])


@agent_router.get("/{agent_id}/archival-memory", response=list[PassageResponse])
def list_passages(request: HttpRequest, agent_id: AgentId, query: Query[PassageList]) -> HttpResponse:
    return reply(_listed(archives.of_agent(agent_id), query))


def _listed(held: list[Archive], query: PassageList) -> list[PassageResponse]:
    """Cursors are chronological whatever the order: ``after`` is newer."""
    rows = Passage.objects.filter(archive__in=held, is_deleted=False).defer("embedding", "indexed_text")
    if query.search:
        rows = rows.filter(text__icontains=query.search)
    newer, older = (query.after, query.before) if query.ascending else (query.before, query.after)
    cursor = Cursor(after=newer, before=older, limit=query.limit, order="asc" if query.ascending else "desc")
    return [PassageResponse.of(passage) for passage in page(rows, cursor)]


@agent_router.get("/{agent_id}/archival-memory/search")
async def search_archival_memory(
    request: HttpRequest, agent_id: AgentId, query: Query[AgentPassageSearch]
) -> HttpResponse:
    held = await sync_to_async(archives.of_agent)(agent_id)
    zone = ZoneInfo((await sync_to_async(agents.get)(agent_id)).timezone)
    if not query.query.strip() or not held:
        return reply({"results": [], "count": 0})
    wanted = ArchivalSearch(
        [archive.id for archive in held],
        query.query,
        tags=query.tags or [],
        tag_match_mode=query.tag_match_mode,
        start=aware(query.start_datetime),
        end=aware(query.end_datetime),
        limit=query.top_k or _DEFAULT_TOP_K,
    )
    hits, _ = await archives.search(wanted, held[0].embedding, agent_id)
    results = [_agent_hit(hit, zone) for hit in hits if hit.returned]
    return reply({"results": results, "count": len(results)})


def _agent_hit(hit: Hit, zone: ZoneInfo) -> dict[str, Any]:
    relevance = {"score": hit.score, "cosine": hit.cosine, "bm25": hit.bm25, "prior": hit.prior}
    at = hit.created_at.astimezone(zone).isoformat()
    return {"id": hit.id, "timestamp": at, "content": hit.text, "tags": hit.tags, "relevance": relevance}


@agent_router.patch("/{agent_id}/archival-memory/{memory_id}", response=list[PassageResponse])
async def modify_passage(request: HttpRequest, agent_id: AgentId, memory_id: str, body: PassageUpdate) -> HttpResponse:
    held = await sync_to_async(archives.of_agent)(agent_id)
    passage = await archives.edit_passage(memory_id, [archive.id for archive in held], body.given())
    return reply([PassageResponse.of(passage)])


@agent_router.delete("/{agent_id}/archival-memory/{memory_id}")
def delete_passage(request: HttpRequest, agent_id: AgentId, memory_id: str) -> HttpResponse:
    archives.delete_passage(memory_id, [archive.id for archive in archives.of_agent(agent_id)])
    return done(f"Memory {memory_id} deleted")


# --- searching everywhere -----------------------------------------------------------------------------------------


@passages_router.post("/search")
async def search_passages(request: HttpRequest, body: PassageSearch) -> HttpResponse:
    held = await sync_to_async(_archives_asked)(body)
    if not held:
        return reply([])
    if not (body.query or "").strip():
        return reply(await sync_to_async(_filtered)(held, body))
    wanted = ArchivalSearch(
        [archive.id for archive in held],
        body.query or "",
        tags=body.tags or [],
        tag_match_mode=body.tag_match_mode,
        start=aware(body.start_date),
        end=aware(body.end_date),
        limit=body.limit,
    )
    hits, _ = await archives.search(wanted, held[0].embedding, body.agent_id)
    return reply([_hit(hit) for hit in hits if hit.returned])


def _archives_asked(body: PassageSearch) -> list[Archive]:
    if body.agent_id and body.archive_id:
        raise InvalidInput("Give agent_id or archive_id, not both.")
    if body.archive_id:
        return [archives.get(body.archive_id)]
    if body.agent_id:
        return archives.of_agent(body.agent_id)
    return list(Archive.objects.filter(folder=None).order_by("created_at", "pk"))


def _filtered(held: list[Archive], body: PassageSearch) -> list[dict[str, Any]]:
    rows: QuerySet[Passage] = Passage.objects.filter(archive__in=held, is_deleted=False).defer("embedding")
    if body.tags:
        rows = (
            rows.filter(tags__contains=body.tags)
            if body.tag_match_mode == "all"
            else rows.filter(tags__overlap=body.tags)
        )
    if start := aware(body.start_date):
        rows = rows.filter(created_at__gte=start)
    if end := aware(body.end_date):
        rows = rows.filter(created_at__lte=end)
    nothing = {"combined_score": 0.0, "vector_rank": None, "fts_rank": None}
    found = rows.order_by("-created_at", "-pk")[: body.limit]
    return [{"passage": PassageResponse.of(passage), "score": 0.0, "metadata": nothing} for passage in found]


def _hit(hit: Hit) -> dict[str, Any]:
    scores = {
        "combined_score": hit.score,
        "vector_rank": None,
        "fts_rank": None,
        "cosine": hit.cosine,
        "bm25": hit.bm25,
    }
    return {"passage": PassageResponse.of(hit), "score": hit.score, "metadata": scores}
