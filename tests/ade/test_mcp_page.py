"""The pages of MCP servers, with real servers behind them."""

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from ade.mcp_page import KEPT, ServerForm
from agents_core.errors import InvalidInput
from tests.mcp_servers.starting import HERE, serving

TOOLBOX = f"{sys.executable} '{HERE / 'toolbox.py'}' stdio"
Post = Callable[..., str]


@pytest.fixture
def post(client: Client, transactional_db: None) -> Post:
    """Posts a form; gives the address it leads to, or what it shows."""

    def send(path: str, status: int = 204, **fields: Any) -> str:
        response = client.post(path, fields, headers={"HX-Request": "true"})
        assert response.status_code == status, response.content
        return str(response.headers.get("HX-Redirect") or response.content.decode())

    return send


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Where the good server is."""
    with serving("streamable-http") as server:
        yield server.url


@pytest.fixture
def added(post: Post, url: str) -> str:
    """The address of a server's page."""
    fields = {"name": "toolbox", "kind": "streamable_http", "url": url, "call_timeout_s": "20"}
    return post("/mcp-servers/add", **fields, headers="X-Secret: s3cret\nX-Place: a: b")


def test_an_added_server_shows_all_that_it_offers(client: Client, added: str) -> None:
    page = client.get(added).content.decode()
    for shown in (
        "toolbox 1.2.3 answered",
        "Adds two numbers.",
        "notes://today",
        "Greets somebody",
        "there: send_message",
    ):
        assert shown in page
    listed = client.get("/mcp-servers").content.decode()
    assert (added in listed, "answers" in listed) == (True, True)
    tool = client.get("/tools?q=environment").content.decode()
    assert f'href="{added}">MCP · toolbox' in tool


def test_secrets_are_shown_to_nobody_and_kept_where_they_are_not_changed(
    client: Client, post: Post, added: str
) -> None:
    from agents_core.models import McpServer
    from agents_core.tools.mcp.target import secrets_of

    page = client.get(added).content.decode()
    assert ("s3cret" in page, f"X-Secret: {KEPT}" in page) == (False, True)
    server = McpServer.objects.get()
    headers = f"X-Secret: {KEPT}\nX-Place: c\nX-New: d"
    fields = {"name": "box", "kind": server.kind, "url": server.url, "headers": headers, "call_timeout_s": "5"}
    assert post(f"{added}/save", **fields) == added
    server = McpServer.objects.get()
    assert secrets_of(server)["headers"] == {"X-Secret": "s3cret", "X-Place": "c", "X-New": "d"}
    assert (server.name, server.call_timeout_s) == ("box", 5)


def test_a_test_says_in_words_what_came_of_it_and_stores_nothing(post: Post) -> None:
    from agents_core.models import McpServer

    good = post("/mcp-servers/test", 200, kind="stdio", command_line=TOOLBOX, call_timeout_s="20")
    assert ("Answers." in good, "1 resource, 1 prompt" in good) == (True, True)
    bad = post("/mcp-servers/test", 200, kind="stdio", command_line="no-such-program", call_timeout_s="20")
    assert ("Fails." in bad, "no program &#x27;no-such-program&#x27;" in bad) == (True, True)
    assert not McpServer.objects.exists()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"command_line": "echo 'a"}, "quote that is not closed"),
        ({"command_line": ""}, "command that starts"),
        ({"env": "just words"}, "NAME=value"),
        ({"env": f"A={KEPT}"}, "no stored value for A"),
        ({"call_timeout_s": "soon"}, "whole number of seconds"),
        ({"call_timeout_s": "601"}, "1 to 600"),
        ({"kind": "sse", "url": "localhost"}, "no address"),
        ({"kind": "pigeon"}, "no MCP server of the kind"),
        ({"name": " "}, "a name"),
    ],
)
def test_what_is_written_wrong_is_refused_with_what_to_do(post: Post, fields: dict[str, str], said: str) -> None:
    form = {"name": "a", "kind": "stdio", "command_line": "echo", "call_timeout_s": "20", **fields}
    assert said in post("/mcp-servers/add", 422, **form)


def test_a_refresh_tells_when_the_server_does_not_answer(post: Post) -> None:
    crash = f"{sys.executable} '{HERE / 'bad.py'}' crash"
    address = post("/mcp-servers/add", name="bad", kind="stdio", command_line=crash, call_timeout_s="20")
    assert "the disk is full" in post(f"{address}/refresh", 200)


def test_all_tools_are_given_to_an_agent_and_taken(post: Post, added: str) -> None:
    from agents_core.actions import agents
    from agents_core.actions.new_agent import NewAgent
    from agents_core.models import AgentTool

    agent = agents.create(NewAgent(name="Ada", model="offline/rules", include_base_tools=False))
    held = AgentTool.objects.filter(agent=agent)
    assert "10 of 10" in post(f"{added}/agents/{agent.id}/attach", 200)
    assert held.count() == 10
    assert "Detach" not in post(f"{added}/agents/{agent.id}/detach", 200)
    assert held.count() == 0


def test_a_server_that_needs_the_secrets_of_an_agent_is_listed_with_them(client: Client, post: Post, url: str) -> None:
    from agents_core.actions import agents
    from agents_core.actions.new_agent import NewAgent

    agent = agents.create(NewAgent(name="Ada", model="offline/rules", secrets={"TOKEN": "hers"}))
    fields = {"name": "toolbox", "kind": "streamable_http", "url": url, "headers": "X-T: {{ TOKEN }}"}
    address = post("/mcp-servers/add", **fields, call_timeout_s="20")
    page = client.get(address).content.decode()
    assert ("needs the variable TOKEN" in page, f'<option value="{agent.id}">Ada' in page) == (True, True)
    assert "Adds two numbers." in post(f"{address}/refresh", 200, agent_id=agent.id)


def test_a_removed_server_is_gone_with_its_tools(client: Client, post: Post, added: str) -> None:
    from agents_core.models import Tool

    assert post(f"{added}/delete") == "/mcp-servers"
    assert client.get(added).status_code == 404
    assert not Tool.objects.filter(tool_type="external_mcp").exists()
    assert "No MCP servers" in client.get("/mcp-servers").content.decode()


def test_who_comes_back_from_a_sign_in_that_nobody_waits_for_is_told(client: Client, transactional_db: None) -> None:
    response = client.get("/mcp-servers/signed-in?state=stolen&code=x")
    assert (response.status_code, "begin again" in response.content.decode()) == (404, True)


def test_a_form_without_a_store_keeps_nothing() -> None:
    form = ServerForm({"kind": "sse", "url": "http://x", "headers": f"A: {KEPT}", "call_timeout_s": 5})
    with pytest.raises(InvalidInput, match="no stored value for A"):
        form.settings()
