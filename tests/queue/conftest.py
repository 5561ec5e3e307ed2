"""A queue of this test's own jobs, and workers in the test's event loop."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from procrastinate import App


@pytest.fixture
async def app(transactional_db: None, pool: None) -> "AsyncIterator[App]":
    """The queue's app on a connection of its own, with no jobs and no workers in it."""
    from procrastinate import PsycopgConnector
    from procrastinate.contrib.django import app as django_app

    from agents_core.models import pipeline
    from agents_core.models.pipeline import Statement
    from tests.runtime.world import everything_closed

    app = django_app.with_connector(PsycopgConnector(kwargs=pipeline.connection_settings()))
    async with everything_closed(), app.open_async():
        app.perform_import_paths()
        await pipeline.run([Statement("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")])
        yield app
