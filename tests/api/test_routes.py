"""What holds for every route: both forms of its address, errors as JSON, what this server does not have."""

import json
from typing import Any

import pytest
from django.test import AsyncClient

from agents_core.api.errors import response_to
from tests.api.conftest import Api

COLLECTIONS = (
    "agents",
    "blocks",
    "tools",
    "archives",
    "runs",
    "steps",
    "conversations",
    "messages",
    "tags",
    "models",
    "health",
    "folders",
    "sources",
)


@pytest.mark.parametrize("noun", COLLECTIONS)
async def test_a_collection_answers_with_and_without_its_slash(api: Api, noun: str) -> None:
    assert await api.get(f"/{noun}") == await api.get(f"/{noun}/")


async def test_the_api_is_also_served_as_latest(api: Api) -> None:
    response = await api.client.get("/latest/agents/")
    assert (response.status_code, response.json()) == (200, [])


@pytest.mark.parametrize("noun", ["agents", "blocks", "archives", "steps"])
@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "many"}, {"limit": "1001"}, {"order": "up"}, {"order_by": "size"}]
)
async def test_a_malformed_parameter_is_refused_with_its_name(api: Api, noun: str, query: dict[str, str]) -> None:
    status, body = await api.call("GET", f"/{noun}/", **query)
    assert (status, next(iter(query)) in body["detail"]) == (422, True)


@pytest.mark.parametrize(
    ("noun", "status"),
    [("agents", 200), ("blocks", 200), ("runs", 200), ("archives", 404), ("steps", 404), ("conversations", 404)],
)
async def test_a_cursor_nobody_knows_is_ignored_or_refused_as_its_list_does(api: Api, noun: str, status: int) -> None:
    assert (await api.call("GET", f"/{noun}/", after="nobody"))[0] == status


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/agents/agent-1/nothing/at/all", 404),
        ("PUT", "/agents/", 405),
        ("GET", "/messages/search", 405),
        ("POST", "/templates", 501),
        ("GET", "/identities/", 501),
        ("POST", "/agents/import", 501),
    ],
)
async def test_what_is_not_there_is_told_in_json(api: Api, method: str, path: str, status: int) -> None:
    answered, body = await api.call(method, path)
    assert (answered, isinstance(body["detail"], str)) == (status, True)


async def test_a_client_is_told_not_to_try_a_refused_request_again(api: Api) -> None:
    response = await api.client.post("/v1/blocks/", "{}", content_type="application/json")
    assert (response.status_code, response["x-should-retry"]) == (422, "false")
    assert "input" not in json.loads(response.content)["detail"]


async def test_a_body_over_the_limit_is_refused(api: Api, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    status, body = await api.call("POST", "/blocks/", {"label": "a", "value": "x" * 100})
    assert (status, "larger than" in body["detail"]) == (413, True)


def test_a_fault_of_the_server_shows_nothing_of_itself() -> None:
    response = response_to(ZeroDivisionError("secret detail"))
    assert (response.status_code, json.loads(response.content)) == (500, {"detail": "An unknown error occurred"})


async def test_the_api_is_described_without_the_network() -> None:
    client = AsyncClient()
    described = json.loads((await client.get("/openapi.json")).content)
    assert "/v1/agents/{agent_id}/messages" in described["paths"]
    page = (await client.get("/docs")).content.decode()
    assert "/openapi.json" in page
    assert "//cdn" not in page
    assert "https://" not in page
