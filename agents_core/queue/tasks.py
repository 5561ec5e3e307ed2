"""Runs as jobs: one conversation has one run at a time, and a run whose worker died is taken up by another. And what is told of their
end: a job of its own, which holds up no conversation.

The jobs are procrastinate's, in the same database: a run and its job are written in one transaction.
"""

import asyncio
import json
import logging
from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from procrastinate import App, BaseRetryStrategy, Blueprint, JobContext, RetryDecision
from procrastinate.exceptions import JobAborted
from procrastinate.jobs import Job

from agents_core.models import pipeline
from agents_core.models.pipeline import DATABASE_LOST, Statement
from agents_core.registry import Registry

logger = logging.getLogger(__name__)

QUEUE = "agents"
_TASK = "agents_core:run"
_GROUP_TASK = "agents_core:group_turn"
_CALLBACK = "agents_core:callback"
_FILE_TASK = "agents_core:file"
_EXPERIMENT_TASK = "agents_core:experiment"
_BEHIND_RUNS = -1
HEARTBEAT_S = 2.0
STALLED_AFTER_S = 8.0

_DATABASE_PATIENCE = timedelta(seconds=1)

_HANDLERS = Registry(
    "job",
    {
        "run": "agents_core.runtime.loop:execute",
        "group_turn": "agents_core.runtime.group_turns:execute",
        "callback": "agents_core.api.callbacks:deliver",
        "file": "agents_core.runtime.filing:process",
        "experiment": "agents_core.runtime.experiment:execute",
    },
)

_DEFER = """
SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(%s, %s, 0, %s, NULL, %s::jsonb, NULL)]::procrastinate_job_to_defer_v1[])
"""
_DEFER_FILE = """
SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(%s, %s, %s, 'folder:' || folder_id, NULL, jsonb_build_object('file_id', id), NULL)
    ]::procrastinate_job_to_defer_v1[]) FROM file WHERE id = %s
"""


class HandBack(BaseRetryStrategy):
    """A job goes back to the queue when its worker stops, or when the database was lost under it. One that failed otherwise does not."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, (JobAborted, CancelledError)):
            return RetryDecision(retry_at=datetime.now(UTC))
        if isinstance(exception, DATABASE_LOST):
            return RetryDecision(retry_at=datetime.now(UTC) + _DATABASE_PATIENCE)
        return None


class TryAgain(HandBack):
    """As ``HandBack``; one that failed in any other way is tried again after each of ``delays_s`` seconds, and then given up."""

    def __init__(self, delays_s: Sequence[float]) -> None:
        self._delays_s = delays_s

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        decision = super().get_retry_decision(exception=exception, job=job)
        if decision is None and job.attempts < len(self._delays_s):
            return RetryDecision(retry_at=datetime.now(UTC) + timedelta(seconds=self._delays_s[job.attempts]))
        return decision


CALLBACK_DELAYS_S = (1, 10, 60, 300, 900)
"""How long is waited between the tries of a callback."""

tasks = Blueprint()


@tasks.task(name="run", queue=QUEUE, retry=HandBack(), pass_context=True)
async def run(context: JobContext, agent_id: str, run_id: str, conversation_id: str | None) -> None:
    """Executes a run."""
    execute: Callable[..., Awaitable[None]] = _HANDLERS.load("run")
    await execute(agent_id, run_id, conversation_id, context.job.attempts + 1)


@tasks.task(name="callback", queue=QUEUE, retry=TryAgain(CALLBACK_DELAYS_S))
async def callback(**ended: str) -> None:
    """Tells a callback URL that a run or a batch has ended (``run_id``, ``batch_id``)."""
    # Its imports are the API's, which the worker has no other use for.
    deliver: Callable[..., Awaitable[None]] = await asyncio.to_thread(_HANDLERS.load, "callback")
    await deliver(**ended)


_TELL = """
SELECT procrastinate_defer_jobs_v1(array_agg(
    ROW(%s, %s, %s, NULL, NULL, jsonb_build_object({key}, id), NULL)::procrastinate_job_to_defer_v1))
FROM {ended} HAVING count(*) > 0
"""
_ENDED_RUNS = "run WHERE id = ANY(%s) AND callback_url IS NOT NULL AND completed_at = now()"


def tell_end(run_ids: Sequence[str]) -> Statement:
    """The statement that queues the callbacks of those of the runs that ended in this transaction and have one."""
    sql = _TELL.format(key="'run_id'", ended=_ENDED_RUNS)
    return Statement(sql, (QUEUE, _CALLBACK, _BEHIND_RUNS, list(run_ids)))


_END_BATCHES = """
WITH ended AS (
    UPDATE batch SET completed_at = now(), updated_at = now() WHERE completed_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM run WHERE batch_id = batch.id AND status IN ('created', 'running', 'paused')
    ) RETURNING id, callback_url
)
"""


def end_batches() -> Statement:
    """The statement that ends the batches whose runs have all ended, and queues their callbacks. Call it every few seconds."""
    sql = _END_BATCHES + _TELL.format(key="'batch_id'", ended="ended WHERE callback_url IS NOT NULL")
    return Statement(sql, (QUEUE, _CALLBACK, _BEHIND_RUNS))


def defer_run(agent_id: str, run_id: str, conversation_id: str | None) -> Statement:
    """The statement that queues a run, after the others of its conversation."""
    arguments = json.dumps({"agent_id": agent_id, "run_id": run_id, "conversation_id": conversation_id})
    return Statement(_DEFER, (QUEUE, _TASK, f"conversation:{conversation_id or agent_id}", arguments))


_WITHOUT_JOB = """NOT EXISTS (
    SELECT 1 FROM procrastinate_jobs WHERE procrastinate_jobs.status IN ('todo', 'doing') AND args ->> 'run_id' = run.id
)"""
_DEFER_HELD_UP = f"""
SELECT procrastinate_defer_jobs_v1(array_agg(ROW(%s, %s, 0, %s, NULL,
    jsonb_build_object('agent_id', agent_id, 'run_id', id, 'conversation_id', conversation_id), NULL)::procrastinate_job_to_defer_v1
    ORDER BY created_at, id))
FROM run WHERE agent_id = %s AND status = 'created' AND conversation_id IS NOT DISTINCT FROM %s AND {_WITHOUT_JOB} HAVING count(*) > 0
"""


def defer_held_up(agent_id: str, conversation_id: str | None) -> Statement:
    """The statement that queues the runs of a thread again that were held up by one that stood at a breakpoint."""
    lock = f"conversation:{conversation_id or agent_id}"
    return Statement(_DEFER_HELD_UP, (QUEUE, _TASK, lock, agent_id, conversation_id))


@tasks.task(name="group_turn", queue=QUEUE, retry=HandBack(), pass_context=True)
async def group_turn(context: JobContext, group_id: str, turn_id: str) -> None:
    """Executes a turn of a group."""
    execute: Callable[..., Awaitable[None]] = _HANDLERS.load("group_turn")
    await execute(turn_id)


def defer_group_turn(group_id: str, turn_id: str) -> Statement:
    """The statement that queues a turn of a group, after its others."""
    arguments = json.dumps({"group_id": group_id, "turn_id": turn_id})
    return Statement(_DEFER, (QUEUE, _GROUP_TASK, f"group:{group_id}", arguments))


@tasks.task(name="file", queue=QUEUE, retry=HandBack(), pass_context=True)
async def file(context: JobContext, file_id: str) -> None:
    """Reads an uploaded file and embeds its passages."""
    process: Callable[..., Awaitable[None]] = _HANDLERS.load("file")
    await process(file_id, context.job.attempts + 1)


def defer_file(file_id: str) -> Statement:
    """The statement that queues the processing of a file, behind the runs and the other files of its folder."""
    return Statement(_DEFER_FILE, (QUEUE, _FILE_TASK, _BEHIND_RUNS, file_id))


@tasks.task(name="experiment", queue=QUEUE, retry=HandBack(), pass_context=True)
async def experiment(context: JobContext, experiment_id: str) -> None:
    """Makes a recorded model call again."""
    execute: Callable[..., Awaitable[None]] = _HANDLERS.load("experiment")
    await execute(experiment_id, context.job.attempts + 1)


_DEFER_ALONE = "SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(%s, %s, 0, NULL, NULL, %s::jsonb, NULL)]::procrastinate_job_to_defer_v1[])"


def defer_experiment(experiment_id: str) -> Statement:
    """The statement that queues an experiment; it waits for no other."""
    return Statement(_DEFER_ALONE, (QUEUE, _EXPERIMENT_TASK, json.dumps({"experiment_id": experiment_id})))


async def recover(app: App) -> int:
    """Puts the jobs of dead workers back into the queue, and gives a job to each run, group turn and file that has lost its own; gives
    how many.

    Call it at start and every few seconds.
    """
    await app.job_manager.prune_stalled_workers(STALLED_AFTER_S)
    jobs: list[Any] = list(await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_S))
    for job in jobs:
        logger.warning("Job %s lost its worker and is taken up again.", job.id)
        await app.job_manager.retry_job(job)
    found = await pipeline.run(
        [
            Statement(_DEFER_LOST, (QUEUE, _TASK)),
            Statement(_DEFER_LOST_TURNS, (QUEUE, _GROUP_TASK)),
            Statement(_DEFER_LOST_FILES, (QUEUE, _FILE_TASK, _BEHIND_RUNS)),
        ]
    )
    lost = sum(len(rows) for rows in found)
    if lost:
        logger.warning("%d runs or files had lost their jobs and are taken up again.", lost)
    return len(jobs) + lost


# A job ends only after its run, so a run that goes on without one would go on for ever. What stands behind a breakpoint waits for a person.
_DEFER_LOST = f"""
SELECT unnest(procrastinate_defer_jobs_v1(array_agg(ROW(%s, %s, 0, 'conversation:' || coalesce(conversation_id, agent_id), NULL,
    jsonb_build_object('agent_id', agent_id, 'run_id', id, 'conversation_id', conversation_id), NULL)::procrastinate_job_to_defer_v1
    ORDER BY created_at)))
FROM run WHERE status IN ('created', 'running') AND {_WITHOUT_JOB} AND NOT EXISTS (
    SELECT 1 FROM run AS other WHERE other.agent_id = run.agent_id AND other.status = 'paused'
    AND other.conversation_id IS NOT DISTINCT FROM run.conversation_id
) HAVING count(*) > 0
"""
_DEFER_LOST_TURNS = """
SELECT unnest(procrastinate_defer_jobs_v1(array_agg(ROW(%s, %s, 0, 'group:' || group_id, NULL,
    jsonb_build_object('group_id', group_id, 'turn_id', id), NULL)::procrastinate_job_to_defer_v1 ORDER BY created_at)))
FROM group_turn WHERE status IN ('created', 'running') AND NOT EXISTS (
    SELECT 1 FROM procrastinate_jobs WHERE procrastinate_jobs.status IN ('todo', 'doing') AND args ->> 'turn_id' = group_turn.id
) HAVING count(*) > 0
"""
_DEFER_LOST_FILES = """
SELECT unnest(procrastinate_defer_jobs_v1(array_agg(ROW(%s, %s, %s, 'folder:' || folder_id, NULL,
    jsonb_build_object('file_id', id), NULL)::procrastinate_job_to_defer_v1 ORDER BY created_at)))
FROM file WHERE status IN ('pending', 'parsing', 'embedding') AND NOT EXISTS (
    SELECT 1 FROM procrastinate_jobs WHERE procrastinate_jobs.status IN ('todo', 'doing') AND args ->> 'file_id' = file.id
) HAVING count(*) > 0
"""
