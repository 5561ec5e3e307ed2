"""Archival and recall memory as the tools of a running agent use them, each search written to the record."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any

from agents_core.errors import AgentsError
from agents_core.events.types import AgentChanged, PassageChanged
from agents_core.llm.base import Embedder
from agents_core.memory import embedders, recall
from agents_core.memory.archival.base import ArchivalSearch, Hit, PassageDraft, embedded
from agents_core.memory.archival.listing import listed
from agents_core.memory.archival.pgvector import PgvectorBackend
from agents_core.memory.recall.turns import spoken_text
from agents_core.models import WAITING, Message, new_id, pipeline
from agents_core.models.pipeline import Statement, json
from agents_core.runtime.indexing import agent_embedder
from agents_core.runtime.state import Turn
from agents_core.tools.base import ToolContext, ToolError

_NEW_ARCHIVE = """
WITH made AS (INSERT INTO archive (id, name, embedding, metadata) VALUES (%s, %s, %s, '{}') RETURNING id)
INSERT INTO agent_archive (agent_id, archive_id) SELECT %s, id FROM made
"""
_HAS_NONE = (
    "SELECT ensure(NOT EXISTS (SELECT 1 FROM agent_archive WHERE agent_id = %s), 'an archive was made meanwhile')"
)
_LABEL_TAKEN = """
SELECT 1 FROM agent_block AS held JOIN agent_block AS other ON other.agent_id = held.agent_id
WHERE held.block_id = %s AND other.label = %s AND other.block_id <> %s LIMIT 1
"""
_FOLDERS = """
SELECT archive.id, embedding FROM agent_folder JOIN folder ON folder.id = folder_id JOIN archive ON archive.id = archive_id
WHERE agent_id = %s
"""
_FILE_NAMES = "SELECT file.id, folder.name || '/' || file.name FROM file JOIN folder ON folder.id = folder_id WHERE file.id = ANY(%s)"
_RECORD_SEARCH = """
INSERT INTO memory_search (agent_id, step_id, tool_call_id, store, query, filters, embedding_model, candidates, duration_ms)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


class AgentMemory:
    """What ``ToolContext.memory`` promises, for the agent of a turn."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._backend = PgvectorBackend()

    def transcript(self) -> Sequence[str]:
        return self._turn.request.get("transcript_lines") or ()

    async def label_taken(self, block_id: str, label: str) -> bool:
        return bool((await pipeline.run([Statement(_LABEL_TAKEN, (block_id, label, block_id))]))[0])

    async def insert_passage(self, context: ToolContext, text: str, tags: Sequence[str]) -> None:
        draft = PassageDraft(
            self._archive_id(context), text, self._turn.agent.name, list(dict.fromkeys(tags)), step_id=context.step_id
        )
        with suppress(AgentsError):  # Found by its words until it is embedded again.
            [draft] = await embedded([draft], await self._embedder())
        context.statements += self._backend.insert_statements([draft])
        context.events.append(PassageChanged(draft.id, draft.archive_id, "created"))

    def _archive_id(self, context: ToolContext) -> str:
        if not self._turn.archive_ids:
            agent = self._turn.agent
            archive_id = new_id("archive")
            handle = agent.embedding or embedders.default_handle()
            context.statements.append(Statement(_HAS_NONE, (agent.id,)))
            context.statements.append(
                Statement(_NEW_ARCHIVE, (archive_id, f"{agent.name}'s Archive", handle, agent.id))
            )
            context.events.append(AgentChanged(["archives"]))
            self._turn.archive_ids.append(archive_id)
        return self._turn.archive_ids[0]

    async def search_passages(
        self,
        context: ToolContext,
        query: str,
        *,
        tags: Sequence[str],
        match_all_tags: bool,
        limit: int,
        start: datetime | None,
        end: datetime | None,
    ) -> list[dict[str, Any]]:
        started = perf_counter()
        search = ArchivalSearch(
            self._turn.archive_ids, query, tags, "all" if match_all_tags else "any", start, end, limit
        )
        vector = await embedders.embed_query(query, await self._embedder())
        hits = self._backend.hits(search, (await pipeline.run([self._backend.search_statement(search, vector)]))[0])
        filters = {"tags": list(tags), "start": _iso(start), "end": _iso(end), "note": vector.note}
        self._record(context, "archival", query, filters, vector.model, [hit.candidate() for hit in hits], started)
        return [
            {
                "id": hit.id,
                "timestamp": hit.created_at.astimezone(context.timezone).isoformat(timespec="seconds"),
                "content": hit.text,
                "tags": hit.tags,
            }
            for hit in hits
            if hit.returned
        ]

    async def list_passages(self, search: str, limit: int, *, ascending: bool) -> list[dict[str, Any]]:
        return await listed(self._turn.archive_ids, search, limit, ascending=ascending)

    async def search_files(self, context: ToolContext, query: str, limit: int) -> list[dict[str, Any]]:
        started = perf_counter()
        archives: dict[str, str] = dict((await pipeline.run([Statement(_FOLDERS, (self._turn.agent.id,))]))[0])
        if not archives:
            raise ToolError("No folder is attached to you, so there are no files to search.")
        hits: list[Hit] = []
        for handle in dict.fromkeys(archives.values()):
            searched = [archive_id for archive_id, embedding in archives.items() if embedding == handle]
            search = ArchivalSearch(searched, query, limit=limit)
            vector = await embedders.embed_query(query, await agent_embedder(handle))
            hits += self._backend.hits(
                search, (await pipeline.run([self._backend.search_statement(search, vector)]))[0]
            )
        best = sorted((hit for hit in hits if hit.returned), key=lambda hit: -hit.score)[:limit]
        candidates = [hit.candidate() for hit in hits]
        self._record(
            context, "files", query, {"limit": limit}, ", ".join(sorted(set(archives.values()))), candidates, started
        )
        names: dict[str, str] = dict(
            (await pipeline.run([Statement(_FILE_NAMES, ([hit.metadata["file_id"] for hit in best],))]))[0]
        )
        return [
            {"file_name": names[hit.metadata["file_id"]], "line": hit.metadata["line"], "text": hit.text}
            for hit in best
            if hit.metadata["file_id"] in names
        ]

    async def search_messages(
        self,
        context: ToolContext,
        query: str,
        *,
        roles: Sequence[str],
        limit: int,
        offset: int,
        start: datetime | None,
        end: datetime | None,
    ) -> list[dict[str, Any]]:
        if not query.strip():
            listing = recall.Listing(self._turn.agent.id, roles=roles or ("user", "assistant"), start=start, end=end)
            return [
                _listed(message, context) async for message in recall.list_messages(listing)[offset : offset + limit]
            ]
        started = perf_counter()
        asking = {
            message.id for message in self._turn.messages if message.position in (WAITING, self._turn.started_seq)
        }
        search = recall.RecallSearch(
            self._turn.agent.id, query, roles=roles, start=start, end=end, limit=limit + len(asking), offset=offset
        )
        found = await recall.search(search, await self._embedder())
        hits = [hit for hit in found.hits if hit.id not in asking]  # the question would answer itself
        filters = {"roles": list(roles), "start": _iso(start), "end": _iso(end), "note": found.note}
        self._record(context, "recall", query, filters, found.model, [hit.candidate() for hit in hits], started)
        return [_recalled(hit.created_at, hit.role, hit.text, context) for hit in hits if hit.returned][:limit]

    async def _embedder(self) -> Embedder:
        return await agent_embedder(self._turn.agent.embedding)

    def _record(
        self,
        context: ToolContext,
        store: str,
        query: str,
        filters: dict[str, Any],
        model: str | None,
        candidates: list[Any],
        started: float,
    ) -> None:
        context.statements.append(
            Statement(
                _RECORD_SEARCH,
                (
                    context.agent_id,
                    context.step_id,
                    context.call_id,
                    store,
                    query,
                    json(filters),
                    model,
                    json(candidates),
                    (perf_counter() - started) * 1000,
                ),
            )
        )


def _listed(message: Message, context: ToolContext) -> dict[str, Any]:
    text = spoken_text(message.role, message.content, message.tool_calls)
    return _recalled(message.created_at, message.role, text, context)


def _recalled(created_at: datetime, role: str, text: str, context: ToolContext) -> dict[str, Any]:
    return {
        "timestamp": created_at.astimezone(context.timezone).isoformat(timespec="seconds"),
        "time_ago": time_ago(datetime.now(UTC) - created_at),
        "role": role,
        "content": text,
    }


def time_ago(span: timedelta) -> str:
    """A span as a person would say it shortly: 40s ago, 5m ago, 3h ago, 12d ago."""
    seconds = int(span.total_seconds())
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length}{unit} ago"
    return f"{max(seconds, 0)}s ago"


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
