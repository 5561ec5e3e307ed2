"""Compacting a thread because somebody asked for it. A worker does it, as a run of the thread, after those that wait before it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg.errors import SerializationFailure

from agents_core.actions.messages import outcome
from agents_core.errors import Conflict, NotFound, Refused, Unavailable
from agents_core.events.hub import hub
from agents_core.events.publish import Publication
from agents_core.events.types import RunCreated
from agents_core.models import ACTIVE, Eviction, new_id, pipeline
from agents_core.models.pipeline import Statement, json
from agents_core.queue.tasks import defer_run
from agents_core.runtime.compaction import SUMMARY_PREFIX
from agents_core.runtime.compaction_run import NOTHING_TO_COMPACT
from agents_core.runtime.compaction_settings import merged
from agents_core.runtime.state import StoredMessage

_POLL_S = 5.0
_INSERT = """
WITH queued AS (
    INSERT INTO run (id, agent_id, conversation_id, status, request, background, metadata, attempts, cancel_requested, first_seq)
    SELECT %s, agent.id, %s, 'created', %s::jsonb || coalesce((SELECT jsonb_build_object('override_model', conversation.model)
        FROM conversation WHERE conversation.id = %s AND conversation.model IS NOT NULL), '{}'), true, '{}', 0, false, agent.event_seq
    FROM agent WHERE agent.id = %s RETURNING id
)
SELECT ensure(EXISTS (SELECT 1 FROM queued), 'agent not found')
"""


class NothingToCompact(Refused):
    """The thread holds too few messages for a summary to make them fewer."""

    code = NOTHING_TO_COMPACT


class CompactionFailed(Unavailable):
    """The run that was to compact did not."""

    code = "compaction_failed"


@dataclass(frozen=True, slots=True)
class Compacted:
    """The summary in plain words, and the messages of the context before and after, the system message among them."""

    summary: str
    messages_before: int
    messages_after: int


async def compact(agent_id: str, conversation_id: str | None, settings: Mapping[str, Any]) -> Compacted:
    """Queues the compaction of a thread and waits for it. ``settings`` go over the agent's own this once.

    Raises ``NotFound`` for the agent, ``InvalidInput`` for the settings, ``NothingToCompact``, ``Conflict`` when it was cancelled,
    ``CompactionFailed``.
    """
    merged({}, settings)
    run_id = new_id("run")
    with hub().bell(run_id) as bell:
        await hub().ready()
        await queue_compaction(agent_id, conversation_id, settings, run_id)
        while True:
            await bell.wait(_POLL_S)
            ended = await outcome(run_id)
            if ended.status not in ACTIVE:
                break
    if ended.status == "completed":
        return await _compacted(run_id)
    raise _refusal(ended.status, ended.error or {})


async def queue_compaction(
    agent_id: str, conversation_id: str | None, settings: Mapping[str, Any], run_id: str
) -> None:
    """Queues the run alone. Raises ``NotFound``."""
    publication = Publication(agent_id, run_id)
    publication.add(RunCreated())
    row = (run_id, conversation_id, json({"compaction": dict(settings)}), conversation_id, agent_id)
    try:
        await pipeline.run(
            [publication.statement(), Statement(_INSERT, row), defer_run(agent_id, run_id, conversation_id)]
        )
    except SerializationFailure:
        raise NotFound("Agent not found") from None


async def _compacted(run_id: str) -> Compacted:
    eviction = await Eviction.objects.select_related("summary").aget(run=run_id)
    summary = eviction.summary
    text = StoredMessage(summary.id, summary.role, summary.content).text if summary else ""
    return Compacted(text.removeprefix(SUMMARY_PREFIX), eviction.messages_before, eviction.messages_after)


def _refusal(status: str, error: Mapping[str, Any]) -> Exception:
    if error.get("code") == NOTHING_TO_COMPACT:
        return NothingToCompact(error["message"])
    if status == "cancelled":
        return Conflict("The compaction was cancelled before it was done.")
    return CompactionFailed(f"The context was not compacted: {error.get('message') or 'the run failed'}.")
