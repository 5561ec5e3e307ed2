"""People's own tools in a turn: variables, secrets, packages, and the memory that their code changes."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from agents_core.actions import agents, archives, blocks, tools
from agents_core.actions.tool_environment import set_tool_variable
from agents_core.errors import Refused
from agents_core.events.types import BlockChanged
from agents_core.llm.providers.scripted import Answer
from agents_core.memory.archival.base import PassageDraft
from agents_core.models import (
    Agent,
    Author,
    Blob,
    Block,
    BlockProposal,
    BlockVersion,
    Event,
    MemorySearch,
    Message,
    Passage,
)
from agents_core.models import ToolCall as CallRow
from agents_core.runtime import calls
from agents_core.tools import packages
from agents_core.tools.execute import run_custom
from tests.runtime.test_sleeptime import make_tended, tend, work
from tests.runtime.world import events, in_context, make_agent, make_tool, say, value_of

NOTE = '''
def note(text: str, agent_state: "AgentState") -> str:
    """Add to what is known.

    Args:
        text: What.
    """
    block = agent_state.memory.get_block("human")
    agent_state.memory.update_block_value("human", f"{block.value} {text}")
    return "noted"
'''
SHOW = '''
import os, sys
def show() -> dict:
    """Show the environment."""
    print(os.environ.get("TOKEN"))
    print(os.environ.get("TOKEN"), file=sys.stderr)
    return dict(os.environ)
'''
FAIL = '''
import os
def fail() -> None:
    """Fail."""
    raise ValueError("denied for " + os.environ["TOKEN"])
'''


def calling(name: str, **arguments: Any) -> Answer:
    return Answer(calls=[(name, arguments)])


async def returned(agent: Agent) -> dict[str, Any]:
    messages = [message for message in await in_context(agent) if message.role == "tool"]
    found: dict[str, Any] = messages[0].tool_returns[0]
    return found


async def test_what_a_tools_code_changes_of_memory_is_an_edit_of_its_step() -> None:
    await make_tool(NOTE)
    agent = await make_agent([calling("note", text="She likes tea."), "Done."], tools=["note"])
    assert (await say(agent, "Note it.")).stop_reason == "end_turn"
    assert await value_of(agent) == "Her name is Ada. She likes tea."
    version = await BlockVersion.objects.order_by("-version").afirst()
    call = await CallRow.objects.aget(agent=agent)
    assert (version.author, version.version) == (Author.AGENT, 2)
    assert (version.step_id, version.tool_call_id) == (call.step_id, call.call_id)
    assert [event.version for event in await events(agent, BlockChanged)] == [1, 2]


@pytest.mark.parametrize(
    ("block", "told"),
    [
        ({"limit": 20}, "Exceeds 20 character limit"),
        ({"read_only": True}, "read-only"),
    ],
)
async def test_a_change_that_may_not_be_is_told_to_the_agent_and_not_made(block: dict[str, Any], told: str) -> None:
    await make_tool(NOTE)
    human = {"label": "human", "value": "Her name is Ada.", **block}
    agent = await make_agent([calling("note", text="She likes tea."), "Done."], tools=["note"], blocks=[human])
    await say(agent, "Note it.")
    back = await returned(agent)
    assert back["status"] == "error"
    assert told in back["value"]
    assert await value_of(agent) == "Her name is Ada."


async def test_a_change_of_a_block_under_review_is_a_proposal() -> None:
    agent, companion, _ = await make_tended(blocks=[{"label": "human", "value": "Ada.", "review": True}])
    tool = await make_tool(NOTE)
    await sync_to_async(tools.attach)(companion.id, tool.id)
    tend(companion, [calling("note", text="She likes tea."), "Done."])
    await say(agent, "I like tea.")
    await work(companion)
    proposal = await BlockProposal.objects.aget()
    assert (proposal.value, proposal.status) == ("Ada. She likes tea.", "pending")
    assert await value_of(agent) == "Ada."


@pytest.mark.parametrize(
    ("theirs", "status", "value"),
    [
        ("Her name is Eva.", "success", "Her name is Eva. She likes tea."),
        ("Her name is Ada. She left.", "error", "Her name is Ada. She left."),
    ],
)
async def test_what_somebody_else_wrote_while_the_tool_ran_is_kept(
    theirs: str, status: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code runs once: only its change is made again."""
    await make_tool(NOTE)
    agent = await make_agent([calling("note", text="She likes tea."), "Done."], tools=["note"])
    block = await Block.objects.aget(agent_links__agent=agent)
    ran = []

    async def meanwhile(name: str, *arguments: Any, **options: Any) -> Any:
        ran.append(name)
        result = await run_custom(name, *arguments, **options)
        await sync_to_async(blocks.modify)(block.id, {"value": theirs})
        return result

    monkeypatch.setattr(calls, "run_custom", meanwhile)
    await say(agent, "Note it.")
    assert (ran, (await returned(agent))["status"], await value_of(agent)) == (["note"], status, value)


async def test_secrets_reach_the_tool_and_nothing_that_is_stored() -> None:
    tool = await make_tool(SHOW)
    await make_tool(FAIL)
    await sync_to_async(set_tool_variable)(tool.id, "TOKEN", "overridden-by-the-agent", secret=True)
    await sync_to_async(set_tool_variable)(tool.id, "REGION", "north", secret=False)
    await sync_to_async(set_tool_variable)(tool.id, "LETTA_AGENT_ID", "forged", secret=False)
    agent = await make_agent(
        [calling("show"), calling("fail"), "Done."], tools=["show", "fail"], secrets={"TOKEN": "hunter22-hunter22"}
    )
    await say(agent, "Show it.")
    shown, failed = [message.tool_returns[0] for message in await in_context(agent) if message.role == "tool"]
    assert '"REGION": "north"' in shown["value"]
    assert f'"LETTA_AGENT_ID": "{agent.id}"' in shown["value"]
    assert f'"LETTA_TOOL_ID": "{tool.id}"' in shown["value"]
    assert '"TOKEN": "••••"' in shown["value"]
    assert (shown["stdout"], shown["stderr"]) == ("••••\n", "••••\n")
    assert failed["value"] == "Error executing function fail: ValueError: denied for •••• (line 5)"
    for model in (Message, CallRow, Event):
        stored = [str(row) async for row in model.objects.values()]
        assert stored
        assert not any("hunter22" in row for row in stored)
    contents = [bytes(content) async for content in Blob.objects.values_list("content", flat=True)]
    assert contents
    assert not any(b"hunter22" in content for content in contents)


async def test_a_tool_whose_packages_cannot_be_installed_says_so_to_the_agent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "packages_folder", lambda: tmp_path)
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    await make_tool(SHOW, pip_requirements=[{"name": "greeting", "version": None}])
    agent = await make_agent([calling("show"), "Done."], tools=["show"])
    await say(agent, "Show it.")
    back = await returned(agent)
    assert back["status"] == "error"
    assert "The tool's packages could not be installed. The package index could not be reached" in back["value"]


async def test_requirements_hosts_and_variables_that_are_none_are_refused() -> None:
    for fields, told in (
        ({"pip_requirements": [{"name": "--index-url=http://x"}]}, "is no requirement"),
        ({"hosts": ["http://example.com/"]}, "is no host"),
    ):
        with pytest.raises(Refused, match=told):
            await make_tool(SHOW, **fields)
    agent = await make_agent()
    for secrets in ({"A=B": "x"}, {"": "x"}, {"A": "x\x00"}, {"A": "\ud800"}, {"A": "x" * 40_000}):
        with pytest.raises(Refused):
            await sync_to_async(agents.modify)(agent.id, {"secrets": secrets})


TYPED = """/** Doubles. @param n What. */
export function double(n: number): string { return `${n * 2} ${process.env.LETTA_AGENT_ID}`; }
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
async def test_an_agent_calls_a_typescript_tool_and_run_code_is_not_given_it() -> None:
    await make_tool(TYPED, source_type="typescript")
    answers = [calling("double", n=21), calling("run_code", code="1 + 1", language="python"), "Done."]
    agent = await make_agent(answers, tools=["double", "run_code"])
    assert (await say(agent, "Double it.")).stop_reason == "end_turn"
    ran = {call.name: call.result async for call in CallRow.objects.filter(agent=agent)}
    assert ran["double"] == f"42 {agent.id}"
    assert "is not there" not in str(ran["run_code"])


ARCHIVIST = '''
def archive(client, agent_id: str) -> list:
    """Keeps and finds."""
    client.agents.passages.create(agent_id, text="She likes oolong tea.", tags=["drink"])
    found = client.agents.passages.search(agent_id, query="What music?", top_k=1)
    listed = client.agents.passages.list(agent_id, search="JAZZ")
    return [found.results[0].content, found.count, [one.text for one in listed]]
'''


async def test_a_tools_code_reads_and_extends_the_archival_memory_of_its_agent() -> None:
    await make_tool(ARCHIVIST)
    agent = await make_agent([calling("archive"), "Done."], tools=["archive"])
    own = await sync_to_async(archives.own_archive)(agent.id)
    await archives.insert(own, [PassageDraft(own.id, "She loves jazz music.")])
    assert (await say(agent, "Keep it.")).stop_reason == "end_turn"
    call = await CallRow.objects.aget(agent=agent)
    assert call.result == '["She loves jazz music.", 1, ["She loves jazz music."]]'
    kept = await Passage.objects.aget(text="She likes oolong tea.")
    assert (kept.archive_id, kept.tags, kept.step_id) == (own.id, ["drink"], call.step_id)
    search = await MemorySearch.objects.aget(agent=agent)
    assert (search.query, search.step_id, search.tool_call_id) == ("What music?", call.step_id, call.call_id)


async def test_a_call_that_fails_stores_no_passage() -> None:
    await make_tool(ARCHIVIST.replace("found =", "raise ValueError\n    found ="))
    agent = await make_agent([calling("archive"), "Done."], tools=["archive"])
    await say(agent, "Keep it.")
    assert not await Passage.objects.aexists()
