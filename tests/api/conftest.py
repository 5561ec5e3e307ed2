"""A client of the API in this process, and what the tests make with it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from django.test import AsyncClient


class Api:
    """Speaks JSON to /v1; each method gives the status and the parsed body."""

    def __init__(self) -> None:
        self.client = AsyncClient()

    async def call(self, method: str, path: str, body: Any = None, **query: Any) -> tuple[int, Any]:
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        response = await self.client.generic(
            method, f"/v1{path}", data, content_type="application/json", query_params=query or None
        )
        return response.status_code, json.loads(response.content) if response.content else None

    async def get(self, path: str, **query: Any) -> Any:
        return self._ok(await self.call("GET", path, **query))

    async def post(self, path: str, body: Any = None) -> Any:
        return self._ok(await self.call("POST", path, body))

    async def patch(self, path: str, body: Any = None) -> Any:
        return self._ok(await self.call("PATCH", path, body))

    async def delete(self, path: str) -> Any:
        return self._ok(await self.call("DELETE", path))

    @staticmethod
    def _ok(answered: tuple[int, Any]) -> Any:
        status, body = answered
        assert status < 300, f"{status} {body}"
        return body


@pytest.fixture
def api(transactional_db: None, pool: None) -> Api:
    return Api()


Agents = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def make_agent(api: Api) -> Agents:
    async def make(**fields: Any) -> dict[str, Any]:
        agent: dict[str, Any] = await api.post("/agents/", {"model": "offline/rules", **fields})
        return agent

    return make


@asynccontextmanager
async def worker_beside() -> AsyncIterator[None]:
    """A worker in this event loop."""
    from procrastinate.contrib.django import app as django_app

    from agents_core.queue.tasks import QUEUE
    from agents_core.queue.worker import RunWorker
    from agents_core.runtime.providers import connections
    from agents_core.tools.mcp.connection import close_connections

    connector: Any = django_app.connector
    app = django_app.with_connector(connector.get_worker_connector())
    async with app.open_async():
        working = RunWorker(
            app, queues=[QUEUE], concurrency=8, install_signal_handlers=False, fetch_job_polling_interval=0.2
        )
        worker = asyncio.create_task(working.run())
        yield
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
        await connections().aclose()
        await close_connections()


@pytest.fixture
async def running(api: Api) -> AsyncIterator[None]:
    async with worker_beside():
        yield
