"""A tool that needs a package, from the saving of its requirements to the call by an agent."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents_core.llm.providers.scripted import Answer
from agents_core.tools import packages
from tests.runtime.world import in_context, make_agent, make_tool, say
from tests.tools.index import PackageIndex, only_index

GREET = '''
import greeting

def greet(name: str, times: int) -> str:
    """Greet somebody.

    Args:
        name: Whom.
        times: How often.
    """
    return greeting.greet(name) * times
'''
GREETING = "def greet(name):\n    return f'Hello, {name}! '\n"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PackageIndex]:
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.setattr(packages, "packages_folder", lambda: tmp_path / "packages")
    with only_index(tmp_path, os.environ) as served:
        yield served


async def test_a_call_waits_for_the_packages_of_its_tool_and_imports_them(index: PackageIndex) -> None:
    index.add("greeting", GREETING)
    await make_tool(GREET, pip_requirements=[{"name": "greeting", "version": "1.0"}])
    agent = await make_agent([Answer(calls=[("greet", {"name": "Ada", "times": "2"})]), "Done."], tools=["greet"])
    await say(agent, "Greet her.")
    [back] = [message.tool_returns[0] for message in await in_context(agent) if message.role == "tool"]
    assert (back["status"], back["value"]) == ("success", "Hello, Ada! Hello, Ada! ")
