"""A worker that starts a run as soon as it may, and looks for one only where there may be one."""

import asyncio
from collections.abc import Iterable
from time import monotonic
from typing import Any

from procrastinate import App
from procrastinate.connector import BaseConnector
from procrastinate.job_context import JobContext
from procrastinate.jobs import Job, Notification, Status
from procrastinate.manager import JobManager
from procrastinate.worker import Worker

from agents_core.models import pipeline
from agents_core.models.pipeline import Statement
from agents_core.queue.current import JOB, SLOT, CurrentJob

_SOME_JOB = 0
_FETCHED = (
    "id", "status", "task_name", "priority", "lock", "queueing_lock", "args", "scheduled_at", "queue_name", "attempts", "worker_id",
)  # fmt: skip
# Nothing is lost with the late commit: the one that takes up the run waits for the disk for both, and a job that is not marked is fetched
# again.
_FETCH = f"""
SELECT {", ".join(_FETCHED)} FROM set_config('synchronous_commit', 'off', true), procrastinate_fetch_job_v2(%s::varchar[], %s)
WHERE id IS NOT NULL
"""
_FINISH = """
SELECT (SELECT min(id) FROM procrastinate_jobs WHERE lock = %s AND status = 'todo')
FROM procrastinate_finish_job_v1(%s, %s, %s)
"""


class _News(asyncio.Event):
    """An event that keeps what came while the worker was looking for jobs: procrastinate clears it after the look."""

    def __init__(self) -> None:
        super().__init__()
        self._unseen = False

    def set(self) -> None:
        self._unseen = True
        super().set()

    async def wait(self) -> bool:  # type: ignore[override]
        await super().wait()
        self._unseen = False
        return True

    def clear(self) -> None:
        if self._unseen:
            self._unseen = False
        else:
            super().clear()


class _Jobs(JobManager):
    """procrastinate's jobs, asked for only when one is known to wait, or when nobody has looked for ``poll_s``.

    procrastinate alone asks until there is none left: two questions too many for each run, as dear as the one that finds it. What is asked
    for each run goes as a batch, at half the price.
    """

    def __init__(self, connector: BaseConnector, poll_s: float) -> None:
        super().__init__(connector)
        self._poll_s = poll_s
        self._poll_at = 0.0
        self._told: set[int] = set()
        self._some_were_locked = False
        self._ends = 0

    def tell(self, job_id: int) -> None:
        """A job waits."""
        self._told.add(job_id)

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        if not self._told and monotonic() < self._poll_at:
            return None
        known, ends = frozenset(self._told), self._ends
        [rows] = await pipeline.run([Statement(_FETCH, (list(queues or ()), worker_id))])
        if rows:
            job = Job.from_row(dict(zip(_FETCHED, rows[0], strict=True)))
            self._told.discard(job.id or _SOME_JOB)
            return job
        if self._ends != ends:
            return await self.fetch_job(queues, worker_id)
        # Another worker has them, or a run of their conversation is on: then its end tells of them again.
        self._told -= known
        self._some_were_locked |= bool(known)
        self._poll_at = monotonic() + self._poll_s
        return None

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """Ends a job, unless its run has done that, and tells of the next of its conversation."""
        next_id = None
        if not _has_ended():
            [[(next_id,)]] = await pipeline.run([Statement(_FINISH, (job.lock, job.id, status.value, delete_job))])
        self._ends += 1
        # What came between the question and the end was told of while the lock was held.
        if self._some_were_locked:
            self.tell(_SOME_JOB)
        elif next_id is not None:
            self.tell(next_id)
        self._some_were_locked = False

    async def retry_job(self, job: Job, *arguments: Any, **options: Any) -> None:
        if not _has_ended():
            await super().retry_job(job, *arguments, **options)


def _run_of(job: Job) -> str | None:
    run_id = job.task_kwargs.get("run_id")
    return run_id if isinstance(run_id, str) else None


def _has_ended() -> bool:
    job = JOB.get()
    return job is not None and job.has_ended


class RunWorker(Worker):
    """procrastinate's worker, which also looks for jobs when one of its own is done: the next run of that conversation may wait for it.

    Without this such a run would be found by the next poll only.
    """

    def __init__(self, app: App, *, fetch_job_polling_interval: float, **options: Any) -> None:
        own = app.with_connector(app.connector)
        own.job_manager = self._jobs = _Jobs(app.connector, fetch_job_polling_interval / 2)
        super().__init__(own, fetch_job_polling_interval=fetch_job_polling_interval, **options)
        self._new_job_event = _News()

    async def _handle_notification(self, *, channel: str, notification: Notification) -> None:
        if notification["type"] == "job_inserted":
            self._jobs.tell(notification["job_id"])
        await super()._handle_notification(channel=channel, notification=notification)

    async def _process_job(self, context: JobContext) -> None:
        SLOT.set(self._job_semaphore)
        JOB.set(CurrentJob(context.job.id or _SOME_JOB, _run_of(context.job)))
        try:
            await super()._process_job(context)
        finally:
            self._new_job_event.set()
