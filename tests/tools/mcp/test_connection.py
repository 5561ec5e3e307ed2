"""Connections to real servers, good and bad, over the three transports."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from time import monotonic

import pytest

from agents_core.models.sealed import seal
from agents_core.tools.mcp import connection as connecting
from agents_core.tools.mcp.connection import Connections, connected
from agents_core.tools.mcp.content import text_of
from agents_core.tools.mcp.errors import McpSignInNeeded, McpTimeout, McpUnreachable
from agents_core.tools.mcp.listing import listing
from agents_core.tools.mcp.target import Target
from tests.mcp_servers.starting import bad_server, free_port, program, serving, target, toolbox_server


@pytest.fixture(scope="module")
def there() -> Iterator[Target]:
    """The good server, at an address."""
    with serving("streamable-http") as server:
        yield target(server)


@pytest.fixture
async def kept() -> AsyncIterator[Connections]:
    connections = Connections()
    yield connections
    await connections.aclose()


async def test_a_program_lists_what_it_has_and_runs_it(kept: Connections) -> None:
    there = target(toolbox_server(env={"SECRET": "{{ MY_SECRET }}"}), MY_SECRET="s3cret")
    async with connected(there) as connection:
        found = await listing(connection)
    assert found.about == "toolbox 1.2.3"
    assert found.instructions == "Tools for tests."
    assert {"add", "mixed"} <= {tool.name for tool in found.tools}
    assert [each.address for each in found.resources] == ["notes://today"]
    assert [(each.name, each.address) for each in found.prompts] == [("greet", "name")]
    assert text_of(await kept.call(there, "add", {"a": 2, "b": 3})) == "5"
    assert text_of(await kept.call(there, "environment", {"name": "SECRET"})) == "s3cret"


async def test_a_program_does_not_get_the_secrets_of_our_environment(
    kept: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEAL_KEY", "ours")
    assert text_of(await kept.call(target(toolbox_server()), "environment", {"name": "SEAL_KEY"})) == "(unset)"


@pytest.mark.parametrize("transport", ["sse", "streamable-http"])
async def test_a_server_at_an_address_lists_and_runs(kept: Connections, transport: str) -> None:
    with serving(transport) as server:
        there = target(server)
        async with connected(there) as connection:
            assert len((await listing(connection)).tools) >= 9
        assert text_of(await kept.call(there, "add", {"a": 2, "b": 3})) == "5"
        server.call_timeout_s = 1
        with pytest.raises(McpTimeout):
            await kept.call(target(server), "sleep", {"seconds": 30})


async def test_several_calls_go_on_at_once(kept: Connections, there: Target) -> None:
    await kept.call(there, "add", {"a": 1, "b": 1})
    began = monotonic()
    await asyncio.gather(*(kept.call(there, "sleep", {"seconds": 0.5}) for _ in range(8)))
    assert monotonic() - began < 3


async def test_a_server_that_dies_during_a_call_fails_that_call_and_is_there_for_the_next(kept: Connections) -> None:
    there = target(toolbox_server())
    with pytest.raises(McpUnreachable, match=r"ended during the call.*unknown"):
        await kept.call(there, "die", {})
    assert text_of(await kept.call(there, "add", {"a": 1, "b": 1})) == "2"


async def test_a_server_that_died_while_nobody_used_it_costs_no_call(kept: Connections) -> None:
    there = target(toolbox_server())
    number = int(text_of(await kept.call(there, "process", {})))
    os.kill(number, signal.SIGKILL)
    await asyncio.sleep(0.2)
    assert int(text_of(await kept.call(there, "process", {}))) != number


async def test_a_restarted_server_at_an_address_costs_no_call(kept: Connections) -> None:
    port = free_port()
    with serving("streamable-http", port) as server:
        await kept.call(target(server), "add", {"a": 1, "b": 1})
    with pytest.raises(McpUnreachable):
        await kept.call(target(server), "add", {"a": 1, "b": 1})
    with serving("streamable-http", port) as server:
        await asyncio.sleep(1.1)
        assert text_of(await kept.call(target(server), "add", {"a": 1, "b": 1})) == "2"


async def test_a_call_that_takes_too_long_ends_and_the_server_is_started_anew(kept: Connections) -> None:
    there = target(toolbox_server(call_timeout_s=2))
    number = text_of(await kept.call(there, "process", {}))
    began = monotonic()
    with pytest.raises(McpTimeout, match="within 2 s"):
        await kept.call(there, "sleep", {"seconds": 60})
    assert monotonic() - began < 4
    assert text_of(await kept.call(there, "process", {})) != number


async def test_a_call_that_is_given_up_leaves_the_connection_to_others(kept: Connections) -> None:
    there = target(toolbox_server())
    number = text_of(await kept.call(there, "process", {}))
    call = asyncio.create_task(kept.call(there, "sleep", {"seconds": 60}))
    await asyncio.sleep(0.3)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert text_of(await kept.call(there, "process", {})) == number


async def test_a_connection_that_nobody_uses_is_closed(
    kept: Connections, there: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "IDLE_S", 0.3)
    await kept.call(there, "add", {"a": 1, "b": 1})
    [connection] = kept._open.values()
    await asyncio.wait_for(connection._holder, 20)
    assert connection.is_closed
    assert text_of(await kept.call(there, "add", {"a": 1, "b": 1})) == "2"


async def test_a_server_that_hangs_is_given_up_and_then_left_alone_for_a_while(
    kept: Connections, there: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "CONNECT_S", 2.0)
    bad = target(bad_server("hang"))
    hanging = asyncio.create_task(kept.call(bad, "add", {}))
    assert text_of(await kept.call(there, "add", {"a": 1, "b": 1})) == "2"
    assert not hanging.done()
    with pytest.raises(McpTimeout, match="did not answer within 2 s"):
        await hanging
    began = monotonic()
    with pytest.raises(McpTimeout, match="tried again in"):
        await kept.call(bad, "add", {})
    assert monotonic() - began < 0.1


async def test_a_server_that_answers_garbage_is_given_up(kept: Connections, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "CONNECT_S", 1.0)
    with pytest.raises(McpUnreachable, match="cannot be used"):
        await kept.call(target(bad_server("garbage")), "add", {})


async def test_what_a_program_said_before_it_died_is_told(kept: Connections) -> None:
    with pytest.raises(McpUnreachable, match="the disk is full"):
        await kept.call(target(bad_server("crash")), "add", {})


async def test_a_program_that_is_not_there_is_named(kept: Connections) -> None:
    server = program("bad.py")
    server.command = "no-such-program"
    with pytest.raises(McpUnreachable, match="no program 'no-such-program'"):
        await kept.call(target(server), "add", {})


async def test_an_address_where_nothing_listens_is_told(kept: Connections) -> None:
    with serving("streamable-http") as server:
        pass
    with pytest.raises(McpUnreachable, match="Nothing answers at"):
        await kept.call(target(server), "add", {})


@pytest.mark.parametrize("transport", ["sse", "streamable-http"])
async def test_a_server_that_wants_a_token_gets_it_or_says_so(kept: Connections, transport: str) -> None:
    with serving(transport, TOOLBOX_TOKEN="open sesame") as server:
        with pytest.raises(McpSignInNeeded, match="sign in"):
            await kept.call(target(server), "add", {"a": 1, "b": 1})
        server.sealed_secrets = seal('{"headers": {"Authorization": "Bearer open {{ WORD }}"}}')
        assert text_of(await kept.call(target(server, WORD="sesame"), "add", {"a": 1, "b": 1})) == "2"


async def test_an_error_of_the_tool_is_its_result(kept: Connections, there: Target) -> None:
    result = await kept.call(there, "fail", {})
    assert result.is_error
    assert "the drawer is stuck" in text_of(result)


async def test_contents_that_are_no_text_are_told_of(kept: Connections, there: Target) -> None:
    text = text_of(await kept.call(there, "mixed", {}))
    assert text == (
        "a drawing:\n[image, image/png, 12 bytes: not shown]\n[link to file:///notes.txt: the notes]\n[file:///a.txt]\ninside a"
    )


async def test_a_list_without_an_end_ends_and_careless_tools_are_listed() -> None:
    async with connected(target(bad_server("odd"))) as connection:
        tools = (await listing(connection)).tools
    assert len(tools) <= 1000
    assert {"look_up_the_weather", "lost"} <= {tool.name for tool in tools}
