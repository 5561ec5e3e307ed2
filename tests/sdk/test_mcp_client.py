"""The unchanged MCP client against a running server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from httpx2 import AsyncClient
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.e2e.serving import Server
from tests.sdk.conftest import PASSWORD


@asynccontextmanager
async def connected(server: Server, password: str = PASSWORD, **headers: str) -> AsyncIterator[Client]:
    given = {"Authorization": f"Bearer {password}", **headers}
    async with AsyncClient(headers=given, timeout=30) as http:
        streams = streamable_http_client(f"http://localhost:{server.port}/mcp", http_client=http)
        async with Client(streams) as client:
            yield client


async def told(client: Client, tool: str, **arguments: Any) -> Any:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    return (result.structured_content or {}).get("result", result.structured_content)


async def test_another_program_talks_to_an_agent_and_reads_and_writes_its_memory(server: Server) -> None:
    async with connected(server) as client:
        assert (client.server_info.name, "list_agents" in (client.instructions or "")) == ("mnemoscope", True)
        made = await told(client, "create_agent", name="Ada", human="Likes tea.", model="offline/rules")
        listed = await told(client, "list_agents", search="ad")
        assert made["id"] in {agent["id"] for agent in listed}

        said = await told(client, "send_message", agent_id=made["id"], message="Hello there")
        assert (type(said), said == "") == (str, False)

        blocks = await told(client, "list_memory_blocks", agent_id=made["id"])
        assert {block["label"]: block["value"] for block in blocks}["human"] == "Likes tea."
        await told(client, "write_memory_block", agent_id=made["id"], label="human", value="Likes coffee.")
        assert await told(client, "read_memory_block", agent_id=made["id"], label="human") == "Likes coffee."

        await told(
            client, "insert_archival_memory", agent_id=made["id"], text="The ferry leaves at nine.", tags=["trip"]
        )
        [hit, *_] = await told(client, "search_archival_memory", agent_id=made["id"], query="ferry")
        assert (hit["text"], hit["tags"]) == ("The ferry leaves at nine.", ["trip"])

        named = {str(each.uri): each.name for each in (await client.list_resources()).resources}
        [uri] = [uri for uri, name in named.items() if name == "Ada / human" and made["id"] in uri]
        assert (await client.read_resource(uri)).contents[0].text == "Likes coffee."


async def test_what_cannot_be_done_is_told_in_words(server: Server) -> None:
    async with connected(server) as client:
        for tool, arguments, words in (
            ("send_message", {"agent_id": "agent-1", "message": "Hello"}, "not found"),
            ("send_message", {"agent_id": "agent-1", "message": ""}, "at least 1"),
            ("list_memory_blocks", {"agent_id": "\x00"}, "not found"),
            ("create_agent", {"name": "a/b"}, "name"),
            ("list_agents", {"limit": 10**9}, "less than or equal to 100"),
        ):
            result = await client.call_tool(tool, arguments)
            assert result.is_error, tool
            assert words in result.content[0].text, tool
        with pytest.raises(Exception, match="holds no block"):
            await client.read_resource("memory://agent-1/block-1")


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 401), ({"Authorization": "Bearer wrong"}, 401), ({"Origin": "https://evil.example"}, 403), ({"Host": "evil.example"}, 403)],
)  # fmt: skip
async def test_the_guard_stands_before_it(server: Server, headers: dict[str, str], status: int) -> None:
    bearer = {"Authorization": f"Bearer {PASSWORD}"} if status == 403 else {}
    async with AsyncClient() as http:
        response = await http.post(f"http://localhost:{server.port}/mcp", json={}, headers={**bearer, **headers})
    assert response.status_code == status


async def test_a_browser_that_looks_in_is_told_what_it_is(server: Server) -> None:
    async with AsyncClient(headers={"Authorization": f"Bearer {PASSWORD}"}) as http:
        response = await http.get(f"http://localhost:{server.port}/mcp")
    assert (response.status_code, "MCP server" in response.json()["detail"]) == (405, True)
