"""What a tool gets of the agent that calls it, and how arguments become what it is annotated with."""

import asyncio
from typing import Any

import pytest

from agents_core.errors import InvalidInput
from agents_core.sandbox.base import Limits, NewPassage, SandboxCall, SandboxOutcome
from tests.sandbox.runners import Here, Runner

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.parametrize("sandbox", ["bubblewrap", "landlock"], indirect=True, scope="session"),
]

ADA: dict[str, Any] = {
    "id": "agent-1",
    "name": "Ada",
    "tags": ["x"],
    "blocks": [{"label": "human", "value": "Bob.", "limit": 9}, {"label": "plans", "value": ""}],
}


async def call(sandbox: Runner, source: str, agent: dict[str, Any] | None = None, **args: Any) -> SandboxOutcome:
    return await sandbox.call(SandboxCall(source, "f", args, {}, Limits(wall_s=8.0), agent=agent or ADA))


async def test_the_state_and_its_memory_are_plain_objects(sandbox: Runner) -> None:
    source = """
def f(agent_state: "AgentState", agent_id: str):
    memory = agent_state.memory
    return [agent_id, agent_state.name, agent_state.tags, agent_state.tools, memory.list_block_labels(),
            memory.get_block("human").value, agent_state.blocks[0].limit]
"""
    outcome = await call(sandbox, source)
    assert outcome.value == ["agent-1", "Ada", ["x"], [], ["human", "plans"], "Bob.", 9]
    assert outcome.blocks == {}


@pytest.mark.parametrize(
    "change",
    [
        'agent_state.memory.update_block_value(label="human", value="Eve.")',
        'agent_state.memory.get_block("human").value = "Eve."',
        'agent_state.blocks[0].value = "Eve."',
        'client.agents.blocks.update("human", agent_id=agent_state.id, value="Eve.")',
        'client.agents.blocks.modify(block_label="human", agent_id="agent-1", value="Eve.")',
        'client.agents.retrieve("agent-1").memory.update_block_value("human", "Eve.")',
    ],
)
async def test_what_was_changed_comes_back_and_nothing_else(sandbox: Runner, change: str) -> None:
    outcome = await call(sandbox, f"def f(agent_state, client):\n    {change}\n    return 1")
    assert (outcome.value, outcome.blocks) == (1, {"human": "Eve."})


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('agent_state.memory.get_block("x")', "no memory block labelled 'x'; blocks: human, plans"),
        ('agent_state.memory.update_block_value("human", 3)', "the value of a memory block is text, not int"),
        ('agent_state.blocks[0].value = 3', "the memory block 'human' has to stay text"),
        ('agent_state.blocks[0].label = "x"', "and its label what it was"),
        ("agent_state.messages", "agent_state has no messages; it has: id, name"),
        ('client.agents.blocks.list("agent-2")', "the memory of the agent that calls it only, not of agent-2"),
    ],
)  # fmt: skip
async def test_what_cannot_be_is_told_and_changes_nothing(sandbox: Runner, body: str, told: str) -> None:
    outcome = await call(sandbox, f'def f(agent_state, client):\n    agent_state.blocks[1].value = "y"\n    {body}')
    assert (outcome.status, outcome.blocks) == ("error", {})
    assert told in outcome.error


async def test_a_tool_that_fails_after_a_change_has_changed_nothing(sandbox: Runner) -> None:
    source = 'def f(agent_state):\n    agent_state.blocks[0].value = "Eve."\n    raise ValueError("no")'
    assert (await call(sandbox, source)).blocks == {}


async def test_an_async_and_a_wrapped_function_are_given_the_agent_too(sandbox: Runner) -> None:
    source = """
import functools
def logged(function):
    @functools.wraps(function)
    async def inner(*args, **kwargs):
        return await function(*args, **kwargs)
    return inner

@logged
async def f(word: str, *, agent_state):
    agent_state.memory.update_block_value("plans", word)
    return agent_state.name
"""
    outcome = await call(sandbox, source, word="Go.")
    assert (outcome.value, outcome.blocks) == ("Ada", {"plans": "Go."})


async def test_a_model_cannot_pass_another_agent(sandbox: Runner) -> None:
    assert (await call(sandbox, "def f(agent_id):\n    return agent_id", agent_id="agent-2")).value == "agent-1"


async def test_without_an_agent_the_tool_gets_none_or_what_was_passed(sandbox: Runner) -> None:
    source = "def f(agent_state, agent_id):\n    return [agent_state, agent_id]"
    outcome = await sandbox.run(source, {"agent_id": "agent-9"})
    assert outcome.value == [None, "agent-9"]


async def test_objects_become_what_the_function_is_annotated_with(sandbox: Runner) -> None:
    source = """
from __future__ import annotations
from dataclasses import dataclass, field
from enum import Enum

class Size(Enum):
    SMALL = "s"

@dataclass
class Line:
    item: str
    size: Size
    parts: list[Line] = field(default_factory=list)

class Model:
    @classmethod
    def model_validate(cls, value):
        made = cls()
        made.value = value
        return made

def f(lines: list[Line], by_name: dict[str, Line], model: Model | None = None, either: Line | str = ""):
    first = lines[0]
    return [first.size is Size.SMALL, first.parts[0].item, by_name["a"].size.value, model.value, either]
"""
    line = {"item": "nut", "size": "s", "parts": [{"item": "bolt", "size": "s"}]}
    outcome = await call(sandbox, source, lines=[line], by_name={"a": line}, model={"b": 1}, either={"item": "x"})
    assert outcome.value == [True, "bolt", "s", {"b": 1}, {"item": "x"}]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({"item": "nut", "size": "huge"}, "argument 'line.size' should be Size, not 'huge'"),
        ({"item": "nut"}, "argument 'line' is no Line"),
        ({"item": "nut", "size": "s", "colour": 1}, "unexpected keyword argument 'colour'"),
    ],
)
async def test_an_object_that_does_not_fit_names_what_is_wrong(sandbox: Runner, line: Any, told: str) -> None:
    source = """
from dataclasses import dataclass
from enum import Enum
class Size(Enum):
    SMALL = "s"
@dataclass
class Line:
    item: str
    size: Size
def f(line: Line):
    return 1
"""
    assert told in (await call(sandbox, source, line=line)).error


async def test_a_report_that_the_tool_wrote_itself_changes_texts_at_most(sandbox: Runner) -> None:
    source = """
import os
def f():
    os.write(3, b'{"value": 1, "blocks": {"human": ["x"]}}')
    os._exit(0)
"""
    assert (await call(sandbox, source)).blocks == {"human": "['x']"}


# --- archival memory ----------------------------------------------------------------------------------------------


class Archive:
    """Answers with what it was asked, and keeps it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []

    async def __call__(self, name: str, arguments: dict[str, Any]) -> Any:
        self.asked.append((name, arguments))
        if arguments.get("query") == "forbidden":
            raise InvalidInput("That may not be asked.")
        if arguments.get("query") == "broken":
            raise ZeroDivisionError
        return [{"id": "passage-1", "content": "Tea.", "text": "Tea.", "tags": ["x"]}]


async def asking(sandbox: Runner, body: str, answer: Archive | None) -> SandboxOutcome:
    assert isinstance(sandbox, Here)
    source = f"def f(client, agent_id):\n    passages = client.agents.passages\n    {body}"
    return await sandbox.sandbox.call(SandboxCall(source, "f", {}, {}, Limits(wall_s=8.0), agent=ADA), answer)


async def test_a_tool_asks_the_archive_while_it_runs(sandbox: Runner) -> None:
    archive = Archive()
    body = """import datetime
    found = passages.search(agent_id, query="drink", tags=["x"], start_datetime=datetime.date(2026, 1, 2))
    return [found.count, found.results[0].content, passages.list(limit=3)[0].text, found]"""
    outcome = await asking(sandbox, body, archive)
    assert outcome.value[:3] == [1, "Tea.", "Tea."], outcome.error
    assert archive.asked == [
        ("search_passages", {"query": "drink", "tags": ["x"], "start_datetime": "2026-01-02"}),
        ("list_passages", {"limit": 3}),
    ]


async def test_what_a_tool_creates_comes_back_when_it_has_returned(sandbox: Runner) -> None:
    body = 'return passages.create(text="é", tags=["a"]) and passages.create(agent_id, text="b")[0].text'
    outcome = await asking(sandbox, body, Archive())
    assert (outcome.value, outcome.passages) == ("b", (NewPassage("é", ("a",)), NewPassage("b")))
    assert (await asking(sandbox, 'passages.create(text="x"); raise ValueError', Archive())).passages == ()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('passages.search(query="forbidden")', "ValueError: That may not be asked."),
        ('passages.search(query="broken")', "ValueError: The server could not answer this"),
        ('passages.search(query="x" * 70_000)', "the question was too long"),
        ('[passages.list() for _ in range(101)]', "A call may ask 100 times."),
        ('[passages.create(text="x") for _ in range(101)]', "a call may create 100 passages"),
        ('passages.create(text=3)', "a passage has a text"),
        ('passages.create(text=" ")', "a passage needs a text"),
        ('passages.delete("passage-1")', "client.agents.passages has no delete; it has: create, list, search"),
        ('passages.list("agent-2")', "the memory of the agent that calls it only"),
    ],
)  # fmt: skip
async def test_what_the_archive_refuses_is_told_in_the_tool(sandbox: Runner, body: str, told: str) -> None:
    outcome = await asking(sandbox, body, Archive())
    assert (outcome.status, told in outcome.error) == ("error", True), outcome.error


@pytest.mark.parametrize("written", ["b'\\xff' * 64", "(5).to_bytes(4, 'big') + b'[1,2]'", "b'\\0' * 5000"])
async def test_what_is_no_question_harms_nobody(sandbox: Runner, written: str) -> None:
    archive = Archive()
    outcome = await asking(sandbox, f"import os; os.write(5, {written}); return 1", archive)
    assert (outcome.value, archive.asked) == (1, [])
    assert (await asking(sandbox, "return passages.list()[0].id", archive)).value == "passage-1"


async def test_without_an_archive_nothing_is_asked(sandbox: Runner) -> None:
    assert "cannot be reached in this run" in (await asking(sandbox, "passages.list()", None)).error
    assert "Bad file descriptor" in (await asking(sandbox, "import os; os.write(5, b'x')", None)).error


async def test_a_question_under_way_ends_with_its_call(sandbox: Runner) -> None:
    class Slow(Archive):
        async def __call__(self, name: str, arguments: dict[str, Any]) -> Any:
            await asyncio.sleep(60)

    assert isinstance(sandbox, Here)
    source = "def f(client):\n    client.agents.passages.list()"
    call = SandboxCall(source, "f", {}, {}, Limits(wall_s=1.0), agent=ADA)
    assert (await sandbox.sandbox.call(call, Slow())).status == "timeout"
