"""The unchanged MCP client against a running server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from httpx2 import AsyncClient
from letta_client import Letta, NotFoundError
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.e2e.serving import Server
from tests.mcp_servers.starting import serving
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


def test_the_letta_client_adds_a_server_uses_it_and_removes_it(client: Letta) -> None:
    with serving("streamable-http") as there:
        config = {"mcp_server_type": "streamable_http", "server_url": there.url, "auth_token": "abc"}
        made = client.mcp_servers.create(server_name="toolbox", config=config)
        assert (made.server_url, made.auth_token) == (there.url, "Bearer abc")
        assert client.mcp_servers.retrieve(made.id) == made
        assert made in client.mcp_servers.list()
        [add] = [tool for tool in client.mcp_servers.tools.list(made.id) if tool.name == "add"]
        assert client.mcp_servers.tools.retrieve(add.id, mcp_server_id=made.id) == add
        ran = client.mcp_servers.tools.run(add.id, mcp_server_id=made.id, args={"a": 1, "b": 2})
        assert (ran.status, ran.func_return) == ("success", "3")
        agent = client.agents.create(name="Grace", model="offline/rules", tool_ids=[add.id])
        answer = client.agents.messages.create(agent.id, input="call add with a=4, b=5")
        assert [each.tool_return for each in answer.messages if each.message_type == "tool_return_message"] == ["9"]
        assert client.mcp_servers.refresh(made.id) == {"deleted": [], "updated": [], "added": []}
        renamed = client.mcp_servers.update(made.id, server_name="box", config={"server_url": there.url})
        assert (renamed.server_name, renamed.auth_token) == ("box", "Bearer abc")
    client.mcp_servers.delete(made.id)
    with pytest.raises(NotFoundError):
        client.mcp_servers.retrieve(made.id)
