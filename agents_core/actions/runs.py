"""Stopping runs, and reading how they went."""

from collections.abc import Sequence

from django.db import transaction

from agents_core.actions.approvals import abandon
from agents_core.actions.pauses import resume
from agents_core.errors import Conflict, NotFound
from agents_core.events.publish import Publication
from agents_core.events.types import RunCancelRequested, RunEnded
from agents_core.models import Agent, Pause, Run, pipeline
from agents_core.models.pipeline import Statement
from agents_core.queue.tasks import tell_end
from agents_core.runtime.ending import reopen_calls


class NothingToCancel(Conflict):
    """The agent has no run that is going on or waiting."""

    code = "no_active_run"


_ACTIVE = """
SELECT id, status FROM run WHERE agent_id = %s AND status IN ('created', 'running', 'paused') AND (%s::text[] IS NULL OR id = ANY(%s))
FOR UPDATE
"""
_REQUEST = "UPDATE run SET cancel_requested = true WHERE id = ANY(%s)"
_END = """
UPDATE run SET status = 'cancelled', stop_reason = 'cancelled', completed_at = now() WHERE id = ANY(%s)
"""
_DROP_INPUTS = "UPDATE message SET context_position = NULL WHERE run_id = ANY(%s) AND context_position = 0"


def cancel(agent_id: str, run_ids: Sequence[str] | None = None) -> list[str]:
    """Asks the agent's active runs, or those named, to stop; gives their ids.

    A run that no worker has taken up ends at once; one that is going on ends with the next piece of its model's answer, or within a
    second while its model is silent or its tools run. Where none is active, calls that wait for an answer are given up, and the ids are
    those of the runs that asked. Raises ``NotFound`` for the agent, ``NothingToCancel``.
    """
    chosen = None if run_ids is None else list(run_ids)
    with transaction.atomic():
        if not Agent.objects.select_for_update(no_key=True).filter(id=agent_id).exists():
            raise NotFound("Agent not found")
        found = pipeline.run_sync([Statement(_ACTIVE, (agent_id, chosen, chosen))])[0]
        if not found and (given_up := abandon(agent_id)):
            return given_up
        if not found:
            raise NothingToCancel("No run of this agent is going on or waiting, so there is nothing to cancel.")
        for pause in Pause.objects.filter(run__in=[run_id for run_id, _ in found], resolved_at=None):
            resume(pause.id, "cancel")
        _cancel(agent_id, [(run_id, status) for run_id, status in found if status != "paused"])
    return [run_id for run_id, _ in found]


def _cancel(agent_id: str, found: Sequence[tuple[str, str]]) -> None:
    waiting = [run_id for run_id, status in found if status == "created"]
    going = [run_id for run_id, status in found if status == "running"]
    statements = [
        Statement(_REQUEST, (going,)),
        Statement(_END, (waiting,)),
        Statement(_DROP_INPUTS, (waiting,)),
        reopen_calls(waiting),
    ]
    publication = Publication(agent_id)
    for run_id, _ in found:
        publication.run_id = run_id
        publication.add(RunCancelRequested())
        if run_id in waiting:
            publication.add(RunEnded("cancelled", "cancelled"))
    pipeline.run_sync([publication.statement(), *statements, tell_end(waiting)])


def get(run_id: str) -> Run:
    """The run. Raises ``NotFound``."""
    run = Run.objects.filter(id=run_id).first()
    if run is None:
        raise NotFound("Run not found")
    return run
