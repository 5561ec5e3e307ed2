"""Batches: many requests sent at once, to one agent or several; each becomes a run."""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg.errors import SerializationFailure

from agents_core.actions import runs
from agents_core.actions.callbacks import checked_url
from agents_core.actions.messages import Input, RunOptions, send_statements
from agents_core.errors import InvalidInput, NotFound
from agents_core.events.publish import lock_agents
from agents_core.models import ACTIVE, Batch, Run, RunStatus, new_id, pipeline
from agents_core.models.pipeline import Statement

LARGEST = 10_000
"""Requests that one batch may hold."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a batch."""

    agent_id: str
    inputs: Sequence[Input]
    options: RunOptions


_INSERT = "INSERT INTO batch (id, cancel_requested, callback_url) VALUES (%s, false, %s)"
_JOIN = "UPDATE run SET batch_id = %s WHERE id = ANY(%s)"
_EXISTING = "SELECT id FROM agent WHERE id = ANY(%s)"


async def create(requests: Sequence[Request], callback_url: str | None = None) -> Batch:
    """Queues a run for each request, all or none. Raises ``NotFound`` for the agents that do not exist, ``InvalidInput``."""
    if not 0 < len(requests) <= LARGEST:
        raise InvalidInput(f"A batch holds 1 to {LARGEST:,} requests; this one has {len(requests):,}.")
    agent_ids = sorted({request.agent_id for request in requests})
    await _check_agents(agent_ids)
    batch_id, run_ids = new_id("job"), [new_id("run") for _ in requests]
    statements = [lock_agents(agent_ids), Statement(_INSERT, (batch_id, checked_url(callback_url)))]
    for run_id, request in zip(run_ids, requests, strict=True):
        statements += send_statements(
            run_id, request.agent_id, request.inputs, options=request.options, background=True
        )
    try:
        await pipeline.run([*statements, Statement(_JOIN, (batch_id, run_ids))])
    except SerializationFailure:  # One was deleted since.
        await _check_agents(agent_ids)
        raise
    return await Batch.objects.aget(pk=batch_id)


async def _check_agents(agent_ids: Sequence[str]) -> None:
    found = {agent_id for (agent_id,) in (await pipeline.run([Statement(_EXISTING, (list(agent_ids),))]))[0]}
    if missing := [agent_id for agent_id in agent_ids if agent_id not in found]:
        raise NotFound(f"There is no agent {', '.join(missing)}.")


def get(batch_id: str) -> Batch:
    """Raises ``NotFound``."""
    batch = Batch.objects.filter(pk=batch_id).first()
    if batch is None:
        raise NotFound(f"There is no batch {batch_id}.")
    return batch


def cancel(batch_id: str) -> None:
    """Cancels those of the batch's runs that have not ended. Raises ``NotFound``."""
    get(batch_id)
    if not Batch.objects.filter(pk=batch_id, completed_at=None).update(cancel_requested=True):
        return
    active: dict[str, list[str]] = {}
    for agent_id, run_id in Run.objects.filter(batch=batch_id, status__in=ACTIVE).values_list("agent_id", "id"):
        active.setdefault(agent_id, []).append(run_id)
    for agent_id, run_ids in active.items():
        _cancel(agent_id, run_ids)


def _cancel(agent_id: str, run_ids: Sequence[str]) -> None:
    """They may end, and their agent be deleted, meanwhile."""
    try:
        runs.cancel(agent_id, run_ids)
    except (NotFound, runs.NothingToCancel):
        return


def status_of(batch: Batch, of_runs: Sequence[str]) -> str:
    """How a batch stands whose runs stand like ``of_runs``: failed only when none of them came to a good end."""
    if any(status in ACTIVE for status in of_runs):
        return RunStatus.CREATED if set(of_runs) == {RunStatus.CREATED} else RunStatus.RUNNING
    if batch.cancel_requested:
        return RunStatus.CANCELLED
    failed = bool(of_runs) and RunStatus.COMPLETED not in of_runs
    return RunStatus.FAILED if failed else RunStatus.COMPLETED
