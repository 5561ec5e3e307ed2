"""What an agent kind means to the one loop: a value, never a class (contract: agent-loop, sections 1 and 2)."""

from dataclasses import dataclass

from agents_core.models import AgentKind, Author
from agents_core.runtime import prompts


@dataclass(frozen=True, slots=True)
class LoopPolicy:
    """How the loop treats a kind of agent.

    ``base_tools``: names of the tools it gets by default; ``sleeptime_tools``: those it gets instead when another agent tends its memory.
    ``heartbeats``: tools take ``request_heartbeat`` and the turn goes on only when it is true; otherwise the turn goes on while the model
    calls tools. ``must_call``: an answer without a tool call is an error. ``shows_memory``: blocks stand in its system prompt.
    ``exit_tools`` end the turn. ``base_rules``: whether tool rules for its tools are made with it when nobody says. ``opens``: its history
    begins with a greeting and a login unless an opening is given. ``author``: whose its edits of blocks are.
    """

    prompt: str
    base_tools: tuple[str, ...]
    sleeptime_tools: tuple[str, ...] = ("send_message", "conversation_search", "archival_memory_search")
    heartbeats: bool = False
    must_call: bool = False
    shows_memory: bool = True
    exit_tools: tuple[str, ...] = ()
    base_rules: bool = True
    opens: bool = False
    author: Author = Author.AGENT


_MEMGPT = LoopPolicy(
    prompts.MEMGPT,
    (
        "send_message",
        "conversation_search",
        "core_memory_append",
        "core_memory_replace",
        "memory",
        "memory_apply_patch",
    ),
    heartbeats=True,
    must_call=True,
    exit_tools=("send_message",),
    opens=True,
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
        opens=True,
    ),
    AgentKind.V1: LoopPolicy(
        prompts.V1,
        ("conversation_search", "memory_replace", "memory_insert"),
        sleeptime_tools=("conversation_search", "archival_memory_search"),
        base_rules=False,
    ),
    AgentKind.REACT: LoopPolicy(prompts.REACT, (), (), shows_memory=False),
    AgentKind.WORKFLOW: LoopPolicy(prompts.WORKFLOW, (), (), shows_memory=False),
    AgentKind.SLEEPTIME: LoopPolicy(
        prompts.SLEEPTIME,
        ("memory_replace", "memory_insert", "memory_rethink", "memory_finish_edits"),
        exit_tools=("memory_finish_edits",),
        author=Author.SLEEPTIME,
    ),
    AgentKind.VOICE: LoopPolicy(
        prompts.VOICE,
        ("send_message", "search_memory"),
        ("send_message", "search_memory"),
        heartbeats=True,
        must_call=True,
        exit_tools=("send_message",),
        opens=True,
    ),
    AgentKind.VOICE_SLEEPTIME: LoopPolicy(
        prompts.VOICE_SLEEPTIME,
        ("store_memories", "rethink_user_memory", "finish_rethinking_memory"),
        heartbeats=True,
        must_call=True,
        exit_tools=("finish_rethinking_memory",),
        author=Author.SLEEPTIME,
    ),
}


def policy_of(agent_type: str) -> LoopPolicy:
    """The policy of a kind."""
    return _POLICIES[agent_type]


ENDING_TOOLS = frozenset(
    {"send_message", "send_message_to_agent_async", "memory_finish_edits", "finish_rethinking_memory"}
)
"""The builtin tools that base tool rules let end the turn (contract: agent-loop, section 1)."""

_KEEP_NO_RULES = ("claude-4-sonnet", "claude-3-5-sonnet", "gpt-5", "gemini-2.5-pro")
_TENDERS = (AgentKind.SLEEPTIME, AgentKind.VOICE_SLEEPTIME)


def wants_base_rules(agent_type: str, model: str, asked: bool | None) -> bool:
    """Whether tool rules for its builtin tools are made with an agent; ``asked``: what its maker said, None for nothing.

    A kind that tends memory always has them: only they end its turn. Models that are good at going on by themselves do without.
    """
    if agent_type in _TENDERS:
        return True
    name = model.partition("/")[2].lower()
    does_without = any(part in name for part in _KEEP_NO_RULES) and "mini" not in name
    return policy_of(agent_type).base_rules and not does_without if asked is None else asked and not does_without
