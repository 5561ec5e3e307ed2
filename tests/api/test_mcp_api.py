"""MCP servers over HTTP, with real servers behind them."""

import asyncio
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import Agents, Api
from tests.mcp_servers.starting import HERE, free_port, serving

PROGRAM = {"mcp_server_type": "stdio", "command": sys.executable, "args": [str(HERE / "toolbox.py"), "stdio"]}


def bad(how: str) -> dict[str, Any]:
    return {"mcp_server_type": "stdio", "command": sys.executable, "args": [str(HERE / "bad.py"), how]}


@pytest.fixture(scope="module")
def toolbox() -> Iterator[dict[str, Any]]:
    """The config of the good server, at an address."""
    with serving("streamable-http") as server:
        yield {"mcp_server_type": "streamable_http", "server_url": server.url}


async def added(api: Api, config: dict[str, Any], name: str = "toolbox") -> dict[str, Any]:
    server: dict[str, Any] = await api.post("/mcp-servers/", {"server_name": name, "config": config})
    return server


async def tools_of(api: Api, server: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {tool["name"]: tool for tool in await api.get(f"/mcp-servers/{server['id']}/tools")}


async def test_a_new_server_has_its_tools_at_once(api: Api) -> None:
    server = await added(api, {**PROGRAM, "env": {"A": "1"}})
    assert {**server, "id": ""} == {**PROGRAM, "id": "", "server_name": "toolbox", "env": {"A": "1"}}
    tools = await tools_of(api, server)
    add = tools["add"]
    assert (add["tool_type"], add["tags"]) == ("external_mcp", ["mcp:toolbox"])
    assert add["metadata_"]["mcp"] == {"server_id": server["id"], "server_name": "toolbox"}
    assert add["json_schema"]["parameters"]["properties"]["a"]["type"] == "integer"
    assert tools["toolbox_send_message"]["description"] == "Bears the name of a tool of the product."
    assert await api.get(f"/mcp-servers/{server['id']}/tools/{add['id']}") == add
    assert await api.get("/mcp-servers/") == [server]


async def test_a_tool_runs_on_its_server(api: Api, toolbox: dict[str, Any]) -> None:
    server = await added(api, toolbox)
    tools = await tools_of(api, server)
    path = f"/mcp-servers/{server['id']}/tools/{{}}/run"
    ran, failed, wrong = await asyncio.gather(
        api.post(path.format(tools["add"]["id"]), {"args": {"a": 2, "b": 3}}),
        api.post(path.format(tools["fail"]["id"])),
        api.post(path.format(tools["add"]["id"]), {"args": {"a": "many"}}),
    )
    assert (ran["status"], ran["func_return"]) == ("success", "5")
    assert (failed["status"], "the drawer is stuck" in failed["func_return"]) == ("error", True)
    assert wrong["status"] == "error"


async def test_a_server_that_does_not_answer_is_kept_without_tools_and_says_why(api: Api) -> None:
    server = await added(api, bad("crash"))
    assert await tools_of(api, server) == {}
    status, body = await api.call("PATCH", f"/mcp-servers/{server['id']}/refresh")
    assert (status, "the disk is full" in body["detail"]["message"]) == (404, True)


async def test_foreign_schemas_and_names_become_usable_or_are_left_out(api: Api) -> None:
    tools = await tools_of(api, await added(api, bad("odd"), "bad"))
    assert {"look_up_the_weather", "bad_look_up_the_weather"} <= set(tools)
    assert not {"lost", "huge"} & set(tools)
    assert all(len(name) <= 48 for name in tools)


async def test_a_refresh_tells_what_changed_and_agents_follow(api: Api, make_agent: Agents, tmp_path: Path) -> None:
    listed = tmp_path / "tools"
    listed.write_text("one two")
    server = await added(api, {**PROGRAM, "env": {"TOOLBOX_TOOLS": str(listed)}})
    tools = await tools_of(api, server)
    agent = await make_agent(tool_ids=[tools["one"]["id"], tools["two"]["id"]], include_base_tools=False)
    listed.write_text("two three")
    changed = await api.patch(f"/mcp-servers/{server['id']}/refresh")
    assert changed == {"deleted": ["one"], "updated": [], "added": ["three"]}
    held = await api.get(f"/agents/{agent['id']}/tools")
    assert [tool["name"] for tool in held] == ["two"]
    assert await api.patch(f"/mcp-servers/{server['id']}/refresh") == {"deleted": [], "updated": [], "added": []}


def test_servers_that_list_the_same_tools_at_once_get_names_of_their_own(transactional_db: None) -> None:
    from django.db import connections

    from agents_core.actions import mcp, mcp_tools
    from agents_core.models import Tool
    from agents_core.tools.mcp.listing import Listing, RemoteTool

    names = [f"tool_{number}" for number in range(20)]
    orders = [names, names[::-1], names[7:] + names[:7], names]

    def stored(number: int) -> None:
        try:
            settings = mcp.ServerSettings("sse", url="http://127.0.0.1:9/sse")
            tools = [RemoteTool(name, "", {}) for name in orders[number]]
            seen = mcp.Look(Listing("", "", "", tools, [], []), None, 0.0)
            mcp_tools.store(mcp.create(f"box{number}", settings).id, seen)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(orders)) as threads:
        list(threads.map(stored, range(len(orders))))
    assert Tool.objects.filter(tool_type="external_mcp").count() == len(names) * len(orders)


async def test_a_server_that_is_away_keeps_its_tools(api: Api) -> None:
    with serving("streamable-http") as there:
        server = await added(api, {"mcp_server_type": "streamable_http", "server_url": there.url})
        before = await tools_of(api, server)
        assert "add" in before
    status, _ = await api.call("PATCH", f"/mcp-servers/{server['id']}/refresh")
    assert status == 404
    assert await tools_of(api, server) == before


async def test_a_removed_server_takes_its_tools_from_agents(
    api: Api, make_agent: Agents, toolbox: dict[str, Any]
) -> None:
    server = await added(api, toolbox)
    tools = await tools_of(api, server)
    agent = await make_agent(tool_ids=[tools["add"]["id"]], include_base_tools=False)
    assert await api.call("DELETE", f"/mcp-servers/{server['id']}") == (204, None)
    assert await api.get(f"/agents/{agent['id']}/tools") == []
    assert (await api.call("GET", f"/tools/{tools['add']['id']}"))[0] == 404


async def test_a_change_keeps_what_is_not_told_and_renames_the_marks_of_tools(api: Api) -> None:
    server = await added(api, {**PROGRAM, "env": {"KEY": "secret"}})
    path = f"/mcp-servers/{server['id']}"
    changed = await api.patch(path, {"server_name": "box", "config": {"mcp_server_type": "stdio", "env": {"KEY": "b"}}})
    assert changed == {**server, "server_name": "box", "env": {"KEY": "b"}}
    add = (await tools_of(api, server))["add"]
    assert (add["tags"], add["metadata_"]["mcp"]["server_name"]) == (["mcp:box"], "box")
    moved = await api.patch(path, {"config": {"mcp_server_type": "sse", "server_url": "http://127.0.0.1:9/sse"}})
    assert (moved["mcp_server_type"], "env" in moved) == ("sse", False)


async def test_a_token_is_echoed_as_a_bearer_and_kept_sealed(api: Api) -> None:
    from agents_core.models import McpServer

    config = {"server_url": f"http://127.0.0.1:{free_port()}/mcp", "auth_token": "abc", "custom_headers": {"X-A": "b"}}
    server = await added(api, {"mcp_server_type": "streamable_http", **config})
    assert (server["auth_token"], server["custom_headers"]) == ("Bearer abc", {"X-A": "b"})
    stored = await McpServer.objects.aget(pk=server["id"])
    assert b"abc" not in bytes(stored.sealed_secrets or b"")


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"server_name": "", "config": PROGRAM}, 422, "a name"),
        ({"server_name": "a\nb", "config": PROGRAM}, 422, "one line"),
        ({"server_name": "a" * 200, "config": PROGRAM}, 422, "at most 100"),
        ({"server_name": "a", "config": {**PROGRAM, "command": " "}}, 422, "command that starts"),
        ({"server_name": "a", "config": {**PROGRAM, "env": {"a b": "c"}}}, 422, "no name of a variable"),
        ({"server_name": "a", "config": {"server_url": "ftp://x"}}, 422, "no address of a server"),
        ({"server_name": "a", "config": {"server_url": "http://x", "custom_headers": {"A": "b\r\nC: d"}}}, 422, "header A"),
        ({"server_name": "a", "config": {"server_url": "http://x", "custom_headers": {"ü": "b"}}}, 422, "name of a header"),
        ({"server_name": "a", "config": {"mcp_server_type": "smoke"}}, 422, "mcp_server_type"),
        ({"server_name": "a", "config": PROGRAM, "more": 1}, 422, "more"),
    ],
)  # fmt: skip
async def test_what_no_server_could_be_is_refused(api: Api, body: dict[str, Any], status: int, said: str) -> None:
    answered, refused = await api.call("POST", "/mcp-servers/", body)
    assert (answered, said in refused["detail"]) == (status, True)


async def test_a_taken_name_is_refused(api: Api) -> None:
    await added(api, bad("crash"))
    assert (await api.call("POST", "/mcp-servers/", {"server_name": "toolbox", "config": PROGRAM}))[0] == 409


async def test_nothing_is_told_of_servers_and_tools_that_are_not_there(api: Api, toolbox: dict[str, Any]) -> None:
    one, other = await added(api, toolbox), await added(api, bad("crash"), "other")
    add = (await tools_of(api, one))["add"]["id"]
    for method, path in (
        ("GET", "/mcp-servers/mcp_server-1"),
        ("PATCH", "/mcp-servers/mcp_server-1/refresh"),
        ("DELETE", "/mcp-servers/mcp_server-1"),
        ("GET", f"/mcp-servers/{other['id']}/tools/{add}"),
        ("POST", f"/mcp-servers/{other['id']}/tools/{add}/run"),
        ("GET", "/tools/mcp/servers/nobody/tools"),
    ):
        assert (await api.call(method, path))[0] == 404, path


async def test_programs_are_started_only_where_the_operator_allows_it(api: Api, monkeypatch: Any) -> None:
    there = await added(api, PROGRAM)
    add = (await tools_of(api, there))["add"]["id"]
    forbidden = _without_programs()
    for module in ("agents_core.actions.mcp", "agents_core.tools.mcp.transport"):
        monkeypatch.setattr(f"{module}.conf", lambda: forbidden)
    status, body = await api.call("POST", "/mcp-servers/", {"server_name": "b", "config": PROGRAM})
    assert (status, "MCP_STDIO=1" in body["detail"]) == (400, True)
    ran = await api.post(f"/mcp-servers/{there['id']}/tools/{add}/run", {"args": {"a": 1, "b": 1}})
    assert (ran["status"], "MCP_STDIO=1" in ran["func_return"]) == ("error", True)


def _without_programs() -> Any:
    from agents_core.conf import conf

    return replace(conf(), mcp_stdio=False)


# --- agents -------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("running")
async def test_an_agent_calls_a_tool_of_a_server_with_its_own_secrets(api: Api, make_agent: Agents) -> None:
    server = await added(api, {**PROGRAM, "env": {"TOKEN": "{{ TOKEN | none }}"}})
    tool = (await tools_of(api, server))["environment"]
    for secrets, seen in (({"TOKEN": "hers"}, "hers"), ({"TOKEN": "his"}, "his"), ({}, "none")):
        agent = await make_agent(tool_ids=[tool["id"]], secrets=secrets)
        answer = await api.post(f"/agents/{agent['id']}/messages", {"input": 'call environment with name="TOKEN"'})
        [returned] = [each for each in answer["messages"] if each["message_type"] == "tool_return_message"]
        assert (returned["status"], returned["tool_return"]) == ("success", seen)


@pytest.mark.usefixtures("running")
async def test_a_call_to_a_dead_server_is_an_error_that_the_agent_reads(api: Api, make_agent: Agents) -> None:
    with serving("streamable-http") as there:
        server = await added(api, {"mcp_server_type": "streamable_http", "server_url": there.url})
        tools = await tools_of(api, server)
    agent = await make_agent(tool_ids=[tools["add"]["id"]])
    answer = await api.post(f"/agents/{agent['id']}/messages", {"input": "call add with a=1, b=2"})
    [returned] = [each for each in answer["messages"] if each["message_type"] == "tool_return_message"]
    assert (returned["status"], "Nothing answers at" in returned["tool_return"]) == ("error", True)
    assert answer["stop_reason"]["stop_reason"] == "end_turn"


# --- the older addresses ------------------------------------------------------------------------------------------


async def test_servers_are_also_known_by_name(api: Api, toolbox: dict[str, Any]) -> None:
    url = toolbox["server_url"]
    _, listed = await api.call(
        "PUT", "/tools/mcp/servers", {"server_name": "box", "server_url": url, "auth_token": "a"}
    )
    assert [(each["server_name"], each["type"]) for each in listed] == [("box", "streamable_http")]
    assert set(await api.get("/tools/mcp/servers")) == {"box"}
    assert "add" in {each["name"] for each in await api.get("/tools/mcp/servers/box/tools")}
    tool = await api.post("/tools/mcp/servers/box/add")
    assert tool["tool_type"] == "external_mcp"
    ran = await api.post("/tools/mcp/servers/box/tools/add/execute", {"args": {"a": 1, "b": 2}})
    assert ran["func_return"] == "3"
    assert await api.post("/tools/mcp/servers/box/resync") == {"deleted": [], "updated": [], "added": []}
    changed = await api.patch("/tools/mcp/servers/box", {"server_name": "case", "custom_headers": {"A": "1"}})
    assert (changed["server_name"], changed["server_url"], changed["auth_token"]) == ("case", url, "Bearer a")
    assert await api.delete("/tools/mcp/servers/case") == []


async def test_a_test_stores_nothing_and_says_what_went_wrong(api: Api) -> None:
    good = {"type": "stdio", "command": PROGRAM["command"], "args": PROGRAM["args"]}
    assert "add" in {each["name"] for each in (await api.post("/tools/mcp/servers/test", good))["tools"]}
    status, body = await api.call("POST", "/tools/mcp/servers/test", {**good, "args": [str(HERE / "bad.py"), "crash"]})
    assert (status, body["error"]["type"]) == (502, "mcp_connection_error")
    assert "the disk is full" in body["error"]["message"]
    assert await api.get("/mcp-servers/") == []
