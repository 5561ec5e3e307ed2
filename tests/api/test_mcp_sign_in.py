"""Signing in to an MCP server with OAuth, at a real one that asks for it."""

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest
from asgiref.sync import sync_to_async
from httpx2 import AsyncClient

from tests.api.conftest import Agents, Api
from tests.mcp_servers.starting import guarded

RETURN = "http://localhost:8283/mcp-servers/signed-in"


async def added(api: Api, url: str) -> str:
    config = {"mcp_server_type": "streamable_http", "server_url": url}
    server_id: str = (await api.post("/mcp-servers/", {"server_name": "guarded", "config": config}))["id"]
    return server_id


async def visited(address: str) -> dict[str, str]:
    """What a person comes back with from the server's page."""
    async with AsyncClient() as browser:
        response = await browser.get(address)
    location = response.headers["location"]
    assert location.startswith(RETURN)
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


async def signed_in(server_id: str) -> None:
    from agents_core.actions import mcp_sign_in

    address = await mcp_sign_in.begin(server_id, RETURN)
    assert address
    back = await visited(address)
    answered = await sync_to_async(mcp_sign_in.answer)(
        back["state"], code=back["code"], iss=back.get("iss"), problem=""
    )
    assert answered == server_id
    await asyncio.wait_for(asyncio.gather(*mcp_sign_in._going_on), 10)


@pytest.mark.usefixtures("running")
async def test_after_signing_in_the_tools_are_there_and_agents_call_them(api: Api, make_agent: Agents) -> None:
    from agents_core.models import McpServer

    with guarded(tokens_live_s=1) as url:
        server_id = await added(api, url)
        _, refused = await api.call("PATCH", f"/mcp-servers/{server_id}/refresh")
        assert (refused["detail"]["code"], "sign in" in refused["detail"]["message"]) == ("oauth_required", True)

        await signed_in(server_id)
        [tool] = await api.get(f"/mcp-servers/{server_id}/tools")
        kept = bytes((await McpServer.objects.aget(pk=server_id)).sealed_sign_in or b"")
        assert (tool["name"], b"access_token" in kept) == ("whisper", False)

        agent = await make_agent(tool_ids=[tool["id"]])
        await asyncio.sleep(2.1)  # the token is too old by now and has to be made new
        for _ in range(2):
            answer = await api.post(f"/agents/{agent['id']}/messages", {"input": "call whisper"})
            [returned] = [each for each in answer["messages"] if each["message_type"] == "tool_return_message"]
            assert (returned["status"], returned["tool_return"]) == ("success", "psst")
        assert bytes((await McpServer.objects.aget(pk=server_id)).sealed_sign_in or b"") != kept


async def test_a_person_who_is_not_let_in_is_told_why(api: Api) -> None:
    from agents_core.actions import mcp_sign_in
    from agents_core.errors import NotFound
    from agents_core.models import McpServer

    with guarded() as url:
        server_id = await added(api, url)
        address = await mcp_sign_in.begin(server_id, RETURN)
        assert address
        state = (await visited(address))["state"]
        answer = sync_to_async(mcp_sign_in.answer)
        await answer(state, code="", iss=None, problem="access_denied")
        await asyncio.wait_for(asyncio.gather(*mcp_sign_in._going_on), 10)
        with pytest.raises(NotFound, match="begin again"):
            await answer(state, code="stolen", iss=None, problem="")
    check = (await McpServer.objects.aget(pk=server_id)).last_check
    assert check
    assert "access_denied" in check["problem"]


async def test_another_address_does_not_get_what_the_first_one_gave(api: Api) -> None:
    from agents_core.models import McpServer

    with guarded() as url:
        server_id = await added(api, url)
        await signed_in(server_id)
    config = {"mcp_server_type": "streamable_http", "server_url": "http://127.0.0.1:9/mcp"}
    await api.patch(f"/mcp-servers/{server_id}", {"config": config})
    assert (await McpServer.objects.aget(pk=server_id)).sealed_sign_in is None


@pytest.mark.usefixtures("running")
async def test_an_agent_whose_server_has_forgotten_the_person_is_told_to_have_them_sign_in(
    api: Api, make_agent: Agents
) -> None:
    with guarded() as url:
        server_id = await added(api, url)
        await signed_in(server_id)
        [tool] = await api.get(f"/mcp-servers/{server_id}/tools")
    with guarded(port=urlsplit(url).port):
        agent = await make_agent(tool_ids=[tool["id"]])
        answer = await api.post(f"/agents/{agent['id']}/messages", {"input": "call whisper"})
    [returned] = [each for each in answer["messages"] if each["message_type"] == "tool_return_message"]
    assert (returned["status"], "sign in" in returned["tool_return"]) == ("error", True)


async def test_a_server_that_does_not_answer_is_told_at_once(api: Api) -> None:
    from agents_core.actions import mcp_sign_in
    from agents_core.errors import AgentsError

    with pytest.raises(AgentsError, match="Nothing answers"):
        await mcp_sign_in.begin(await added(api, "http://127.0.0.1:9/mcp"), RETURN)
