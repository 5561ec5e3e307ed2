"""What a person or a client may do with archives and their passages. Each is one transaction with its events."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from asgiref.sync import sync_to_async
from django.db import IntegrityError, transaction

from agents_core.errors import AgentsError, NotFound, Refused
from agents_core.events.publish import lock_agents, publish
from agents_core.events.types import AgentChanged, PassageChanged
from agents_core.llm.base import Embedder
from agents_core.memory.archival import ARCHIVAL_BACKENDS
from agents_core.memory.archival.base import ArchivalBackend, ArchivalSearch, Hit, PassageDraft, embedded
from agents_core.memory.embedders import default_handle, embed_query, embedder
from agents_core.models import Agent, AgentArchive, Archive, MemorySearch, Passage, pipeline
from agents_core.models.pipeline import run_sync

TEXT_LIMIT_CHARS = 40_000
"""A passage is one thing to remember; longer texts are files."""


def backend() -> ArchivalBackend:
    loaded: ArchivalBackend = ARCHIVAL_BACKENDS.load("pgvector")()
    return loaded


# --- archives -----------------------------------------------------------------------------------------------------


def create(name: str, description: str | None = None, embedding: str | None = None) -> Archive:
    return Archive.objects.create(name=name, description=description, embedding=embedding or default_handle())


def get(archive_id: str) -> Archive:
    """Raises ``NotFound``."""
    archive = Archive.objects.filter(pk=archive_id).first()
    if archive is None:
        raise NotFound(f"There is no archive {archive_id}.")
    return archive


def modify(archive_id: str, changes: Mapping[str, Any]) -> Archive:
    archive = get(archive_id)
    for name, value in changes.items():
        setattr(archive, name, value)
    archive.save(update_fields=list(changes))
    return archive


def delete(archive_id: str) -> None:
    """Deletes the archive with all its passages. Raises ``NotFound``."""
    with transaction.atomic():
        agent_ids = _lock_holders(archive_id)
        get(archive_id).delete()
        for agent_id in agent_ids:
            publish(agent_id, AgentChanged(["archives"]))


def attach(agent_id: str, archive_id: str) -> None:
    """Gives the agent the archive; nothing happens when it has it. Raises ``NotFound``."""
    with transaction.atomic():
        _lock(agent_id)
        _, made = AgentArchive.objects.get_or_create(agent_id=agent_id, archive=get(archive_id))
        if made:
            publish(agent_id, AgentChanged(["archives"]))


def detach(agent_id: str, archive_id: str) -> None:
    """Takes the archive from the agent. Raises ``NotFound``, also when the agent does not hold it."""
    with transaction.atomic():
        _lock(agent_id)
        links, _ = AgentArchive.objects.filter(agent=agent_id, archive=archive_id).delete()
        if not links:
            raise NotFound(f"The agent holds no archive {archive_id}.")
        publish(agent_id, AgentChanged(["archives"]))


def _lock(agent_id: str) -> None:
    if not run_sync([lock_agents([agent_id])])[0]:
        raise NotFound("Agent not found")


def _holders(archive_id: str) -> list[str]:
    return list(AgentArchive.objects.filter(archive=archive_id).order_by("agent_id").values_list("agent_id", flat=True))


def _lock_holders(archive_id: str) -> list[str]:
    agent_ids = _holders(archive_id)
    if agent_ids:
        run_sync([lock_agents(agent_ids)])
    return agent_ids


def of_agent(agent_id: str) -> list[Archive]:
    """The agent's archives, in the order in which it got them. Raises ``NotFound`` without the agent."""
    archives = list(Archive.objects.filter(agent_links__agent=agent_id).order_by("agent_links__id"))
    if not archives and not Agent.objects.filter(pk=agent_id).exists():
        raise NotFound("Agent not found")
    return archives


def own_archive(agent_id: str) -> Archive:
    """The archive that the agent writes to, made at first use. Raises ``NotFound``; ``Refused`` when it holds several."""
    with transaction.atomic():
        _lock(agent_id)
        held = of_agent(agent_id)
        if len(held) > 1:
            raise Refused("The agent holds more than one archive: say which one, through /v1/archives/{id}/passages.")
        if held:
            return held[0]
        agent = Agent.objects.get(pk=agent_id)
        archive = Archive.objects.create(name=f"{agent.name}'s Archive", embedding=agent.embedding or default_handle())
        AgentArchive.objects.create(agent=agent, archive=archive)
        publish(agent_id, AgentChanged(["archives"]))
        return archive


# --- passages -----------------------------------------------------------------------------------------------------


async def insert(archive: Archive, drafts: Sequence[PassageDraft]) -> list[Passage]:
    """Stores the drafts with their vectors and tells the holders of the archive.

    A passage whose vector cannot be made now is stored without and found by its words. Raises ``Refused`` for a text that is too long.
    """
    if long := next((draft for draft in drafts if len(draft.text) > TEXT_LIMIT_CHARS), None):
        raise Refused(f"A passage may have {TEXT_LIMIT_CHARS:,} characters, and this has {len(long.text):,}: split it.")
    with_vectors = await _embedded(drafts, _embedder(archive.embedding))
    return await sync_to_async(_store)(archive.id, with_vectors)


def _embedder(handle: str | None) -> Embedder | None:
    return embedder(handle) if handle else None


async def _embedded(drafts: Sequence[PassageDraft], chosen: Embedder | None) -> list[PassageDraft]:
    if chosen is None:
        return list(drafts)
    try:
        return await embedded(drafts, chosen)
    except AgentsError:
        return list(drafts)


def _store(archive_id: str, drafts: Sequence[PassageDraft]) -> list[Passage]:
    with transaction.atomic():
        agent_ids = _lock_holders(archive_id)
        run_sync(backend().insert_statements(drafts))
        _tell(agent_ids, archive_id, [draft.id for draft in drafts], "created")
        return in_order([draft.id for draft in drafts])


def in_order(passage_ids: Sequence[str]) -> list[Passage]:
    found = Passage.objects.in_bulk(passage_ids)
    return [found[passage_id] for passage_id in passage_ids if passage_id in found]


def _tell(agent_ids: Sequence[str], archive_id: str, passage_ids: Sequence[str], change: str) -> None:
    for agent_id in agent_ids:
        publish(agent_id, *(PassageChanged(passage_id, archive_id, change) for passage_id in passage_ids))


def delete_passage(passage_id: str, archive_ids: Sequence[str]) -> None:
    """Takes a passage of one of these archives out of every search. Raises ``NotFound``."""
    with transaction.atomic():
        passage = Passage.objects.filter(pk=passage_id, archive__in=archive_ids, is_deleted=False).first()
        if passage is None:
            raise NotFound(f"There is no passage {passage_id} here.")
        agent_ids = _lock_holders(passage.archive_id)
        run_sync(backend().delete_statements([passage_id]))
        _tell(agent_ids, passage.archive_id, [passage_id], "deleted")


async def edit_passage(passage_id: str, archive_ids: Sequence[str], changes: Mapping[str, Any]) -> Passage:
    """A passage of one of these archives with another text, author, tags or metadata. Raises ``NotFound``, ``InvalidInput``."""
    passage = (
        await Passage.objects.select_related("archive")
        .filter(pk=passage_id, archive__in=archive_ids, is_deleted=False)
        .afirst()
    )
    if passage is None:
        raise NotFound(f"There is no passage {passage_id} here.")
    kept = {name: getattr(passage, name) for name in ("text", "author", "tags", "metadata", "created_at", "id")}
    draft = PassageDraft(archive_id=passage.archive_id, **kept | dict(changes))
    [draft] = await _embedded([draft], _embedder(passage.archive.embedding))
    return await sync_to_async(_rewrite)(draft)


def _rewrite(draft: PassageDraft) -> Passage:
    with transaction.atomic():
        agent_ids = _lock_holders(draft.archive_id)
        run_sync(backend().edit_statements([draft]))
        _tell(agent_ids, draft.archive_id, [draft.id], "edited")
        return in_order([draft.id])[0]


# --- searching ----------------------------------------------------------------------------------------------------


async def search(
    wanted: ArchivalSearch, embedding: str | None, agent_id: str | None = None
) -> tuple[list[Hit], str | None]:
    """All candidates, best first, and a note when words alone decided. Recorded as a search of ``agent_id``, if given."""
    started = time.perf_counter()
    vector = await embed_query(wanted.query, _embedder(embedding))
    chosen = backend()
    hits = chosen.hits(wanted, (await pipeline.run([chosen.search_statement(wanted, vector)]))[0])
    if agent_id is not None:
        await _record(agent_id, wanted, vector.model, hits, (time.perf_counter() - started) * 1000)
    return hits, vector.note


async def _record(
    agent_id: str, wanted: ArchivalSearch, model: str | None, hits: Sequence[Hit], duration_ms: float
) -> None:
    filters = {
        "tags": list(wanted.tags),
        "tag_match_mode": wanted.tag_match_mode,
        "start": wanted.start and wanted.start.isoformat(),
        "end": wanted.end and wanted.end.isoformat(),
        "limit": wanted.limit,
    }
    try:
        await MemorySearch.objects.acreate(
            agent_id=agent_id,
            store="archival",
            query=wanted.query,
            filters=filters,
            embedding_model=model,
            candidates=[hit.candidate() for hit in hits],
            duration_ms=duration_ms,
        )
    except IntegrityError:
        return  # The agent was deleted meanwhile.
