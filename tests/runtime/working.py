"""A worker in the test's event loop, and waiting for what it does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from procrastinate import PsycopgConnector
from procrastinate.contrib.django import app as django_app

from agents_core.actions.messages import RunOutcome, outcome
from agents_core.models import ACTIVE, pipeline
from agents_core.models.pipeline import Statement
from agents_core.queue.tasks import QUEUE
from agents_core.queue.worker import RunWorker


@asynccontextmanager
async def worker(concurrency: int = 8) -> AsyncIterator[None]:
    """A worker that executes whatever is queued, and leaves an empty queue."""
    app = django_app.with_connector(PsycopgConnector(kwargs=pipeline.connection_settings()))
    async with app.open_async():
        app.perform_import_paths()
        working = RunWorker(
            app, queues=[QUEUE], concurrency=concurrency, delete_jobs="always", install_signal_handlers=False,
            fetch_job_polling_interval=0.1, shutdown_graceful_timeout=0.05,
        )  # fmt: skip
        task = asyncio.create_task(working.run())
        try:
            yield
        finally:
            working.stop()
            await asyncio.wait_for(task, 20)
            await pipeline.run([Statement("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")])


async def ended(run_id: str, within_s: float = 20) -> RunOutcome:
    """The run, once it has ended."""
    async with asyncio.timeout(within_s):
        while (found := await outcome(run_id)).status in ACTIVE:
            await asyncio.sleep(0.02)
    return found
