"""A worker that starts a run as soon as it may."""

import asyncio
from typing import Any

from procrastinate.job_context import JobContext
from procrastinate.worker import Worker


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


class RunWorker(Worker):
    """procrastinate's worker, which also looks for jobs when one of its own is done: the next run of that conversation may wait for it.

    Without this such a run would be found by the next poll only.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._new_job_event = _News()

    async def _process_job(self, context: JobContext) -> None:
        try:
            await super()._process_job(context)
        finally:
            self._new_job_event.set()
