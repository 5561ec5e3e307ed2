"""What a tool gets of the agent that calls it, and how arguments become what it is annotated with."""

from typing import Any

import pytest

from agents_core.sandbox.base import Limits, SandboxCall, SandboxOutcome
from tests.sandbox.runners import Runner

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
