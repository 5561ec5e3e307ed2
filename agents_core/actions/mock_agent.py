"""An agent that exists for one run only: it calls a tool that is being tried, and nothing that the tool changes of it is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agents_core.actions.agent_tool_runs import told_of
from agents_core.models import Agent, Block

_BLOCKS = {
    "human": "Name: Kim. Lives in Lisbon and prefers short answers.",
    "persona": "A patient assistant who says so when something is unknown.",
}


@dataclass(frozen=True, slots=True)
class MockAgent:
    """``blocks`` are texts by label. Without arguments, the agent that calls cases and whatever else brings none of its own."""

    name: str = "Mock agent"
    id: str = "agent-00000000-0000-4000-8000-000000000000"
    blocks: Mapping[str, str] = field(default_factory=lambda: dict(_BLOCKS))

    def told(self) -> dict[str, Any]:
        """What the tool is told of it, as ``SandboxCall.agent``."""
        agent = Agent(id=self.id, name=self.name, model="offline/rules")
        return told_of(agent, [Block(label=label, value=text) for label, text in self.blocks.items()])
