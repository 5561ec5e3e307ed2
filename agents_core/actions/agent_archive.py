"""The archival memory of an agent as a tool reads it outside any turn. What it reads is not recorded as a search of the agent."""

from typing import Any
from zoneinfo import ZoneInfo

from agents_core.actions import archives
from agents_core.memory.archival.base import ArchivalSearch
from agents_core.memory.archival.listing import listed
from agents_core.models import Agent, Archive
from agents_core.sandbox.base import Answer
from agents_core.tools.archive_questions import PassageListing, PassageQuery, answers_of
from agents_core.tools.base import moment_of


class _Archive:
    """Empty where there is no agent of that id: a mock agent has no archival memory."""

    def __init__(self, agent_id: str) -> None:
        self._agent_id = agent_id

    async def listed(self, wanted: PassageListing) -> list[dict[str, Any]]:
        held = [archive.id for archive in await self._held()]
        return await listed(held, wanted.search or "", wanted.limit, ascending=wanted.ascending)

    async def found(self, wanted: PassageQuery) -> list[dict[str, Any]]:
        held = await self._held()
        if not held:
            return []
        zone = ZoneInfo((await Agent.objects.only("timezone").aget(id=self._agent_id)).timezone)
        search = ArchivalSearch(
            [archive.id for archive in held],
            wanted.query,
            wanted.tags or (),
            wanted.tag_match_mode,
            moment_of(wanted.start_datetime, zone),
            moment_of(wanted.end_datetime, zone, end_of_day=True),
            wanted.top_k or 10,
        )
        hits, _ = await archives.search(search, held[0].embedding)
        return [
            {
                "id": hit.id,
                "timestamp": hit.created_at.astimezone(zone).isoformat(timespec="seconds"),
                "content": hit.text,
                "tags": hit.tags,
            }
            for hit in hits
            if hit.returned
        ]

    async def _held(self) -> list[Archive]:
        held = Archive.objects.filter(agent_links__agent=self._agent_id).order_by("agent_links__id")
        return [archive async for archive in held]


def archive_answers(agent_id: str) -> Answer:
    """Answers what a tool asks of that agent's archival memory."""
    return answers_of(_Archive(agent_id))
