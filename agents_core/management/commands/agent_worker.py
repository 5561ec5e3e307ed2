import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from django.core.management.base import BaseCommand
from procrastinate import App, PsycopgConnector
from procrastinate.contrib.django import app as django_app

from agents_core.actions.schedules import send_due
from agents_core.conf import conf
from agents_core.events.retention import prune_deltas
from agents_core.llm import tokens
from agents_core.management.event_loop import new_event_loop
from agents_core.models import pipeline
from agents_core.queue.tasks import HEARTBEAT_S, QUEUE, STALLED_AFTER_S, end_batches, recover
from agents_core.queue.worker import RunWorker
from agents_core.runtime import loop  # noqa: F401  (its imports happen before the first run, not in it)
from agents_core.runtime.indexing import index_messages
from agents_core.runtime.providers import connections
from agents_core.runtime.sleeptime import call_companions_of_idle
from agents_core.tools.execute import close_sandbox, sandbox
from agents_core.tools.mcp.connection import close_connections

logger = logging.getLogger(__name__)

_GRACE_S = 0.6


class Command(BaseCommand):
    help = "Executes runs until it is stopped. As many workers as wanted may run side by side."

    def handle(self, *args: Any, **options: Any) -> None:
        tokens.warm()
        gc.freeze()  # What was imported stays: the collector need not look through it again and again.
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(_work())
        gc.freeze()  # As the web server does before it ends.


async def _work() -> None:
    connector = PsycopgConnector(pool_factory=pipeline.make_pool, min_size=2, max_size=8)
    app = django_app.with_connector(connector)
    async with app.open_async():
        app.perform_import_paths()  # type: ignore[no-untyped-call]
        chores = asyncio.create_task(_chores(app), name="chores")
        warm = asyncio.create_task(_warm(), name="warm sandbox")
        try:
            await RunWorker(
                app,
                queues=[QUEUE],
                concurrency=conf().worker_concurrency,
                delete_jobs="always",
                fetch_job_polling_interval=1.0,
                abort_job_polling_interval=1.0,
                update_heartbeat_interval=HEARTBEAT_S,
                stalled_worker_timeout=STALLED_AFTER_S,
                shutdown_graceful_timeout=_GRACE_S,
            ).run()  # type: ignore[no-untyped-call]
        finally:
            for task in (chores, warm):
                task.cancel()
            await asyncio.gather(chores, warm, return_exceptions=True)
            await asyncio.gather(close_sandbox(), close_connections())
            await connections().aclose()
            await pipeline.close_pool()


async def _warm() -> None:
    """The first custom tool should not wait for the sandbox."""
    await (await sandbox()).warm()


async def _chores(app: App) -> None:
    """What has to be done now and then, each chore in a rhythm of its own: a slow one holds up none of the others."""
    await asyncio.gather(
        _every(3.0, lambda: recover(app)),
        _every(1.0, send_due),
        _every(3.0, call_companions_of_idle),
        _every(3.0, lambda: pipeline.run([end_batches()])),
        _every(30.0, index_messages),
        _every(300.0, lambda: pipeline.run([prune_deltas()])),
    )


async def _every(seconds: float, chore: Callable[[], Awaitable[object]]) -> None:
    while True:
        try:
            await chore()
        except Exception:  # a chore that fails is done in the next round
            logger.exception("A chore of the worker failed")
        await asyncio.sleep(seconds)
