"""What an agent kind means to the one loop: a value, never a class (contract: agent-loop, sections 1 and 2)."""

from dataclasses import dataclass

from agents_core.models import AgentKind
from agents_core.runtime import prompts


@dataclass(frozen=True, slots=True)
class LoopPolicy:
    """How the loop treats a kind of agent.

    ``base_tools``: names of the tools it gets by default. ``heartbeats``: tools take ``request_heartbeat`` and the turn goes on only
    when it is true; otherwise the turn goes on while the model calls tools. ``must_call``: an answer without a tool call is an error.
    ``shows_memory``: blocks stand in its system prompt. ``exit_tools`` end the turn.
    """

    prompt: str
    base_tools: tuple[str, ...]
    heartbeats: bool = False
    must_call: bool = False
    shows_memory: bool = True
    exit_tools: tuple[str, ...] = ()


_MEMGPT = LoopPolicy(
    prompts.MEMGPT,
    (
        "send_message",
        "conversation_search",
        "core_memory_append",
        "core_memory_replace",
        "archival_memory_insert",
        "archival_memory_search",
    ),
    heartbeats=True,
    must_call=True,
    exit_tools=("send_message",),
)

_POLICIES: dict[str, LoopPolicy] = {
    AgentKind.MEMGPT: _MEMGPT,
    AgentKind.SPLIT_THREAD: _MEMGPT,
    AgentKind.MEMGPT_V2: LoopPolicy(
        prompts.MEMGPT,
        ("send_message", "conversation_search", "memory_replace", "memory_insert"),
        heartbeats=True,
        must_call=True,
        exit_tools=("send_message",),
    ),
    AgentKind.V1: LoopPolicy(prompts.V1, ("conversation_search", "memory_replace", "memory_insert")),
    AgentKind.REACT: LoopPolicy(prompts.REACT, (), shows_memory=False),
    AgentKind.WORKFLOW: LoopPolicy(prompts.WORKFLOW, (), shows_memory=False),
    AgentKind.SLEEPTIME: LoopPolicy(prompts.SLEEPTIME, ("memory_replace", "memory_insert", "memory_rethink")),
}


def policy_of(agent_type: str) -> LoopPolicy:
    """The policy of a kind; a kind without one of its own follows the V1 loop."""
    return _POLICIES.get(agent_type, _POLICIES[AgentKind.V1])
