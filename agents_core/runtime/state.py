"""What a run knows while it goes: plain values read from the database, never ORM rows."""

from collections import Counter
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

from agents_core.memory.files.directory import Directory
from agents_core.memory.render import PromptPart, text_of
from agents_core.models import WAITING
from agents_core.runtime.policy import LoopPolicy, policy_of
from agents_core.tools import rules
from agents_core.tools.base import BlockState
from agents_core.tools.languages import Language


@dataclass(frozen=True, slots=True)
class AgentFacts:
    id: str
    name: str
    agent_type: str
    system: str
    model: str
    model_settings: dict[str, Any]
    context_window: int
    embedding: str | None
    tool_rules: list[dict[str, Any]]
    compaction_settings: dict[str, Any]
    response_format: dict[str, Any] | None
    autoclear: bool
    timezone: ZoneInfo
    budgets: dict[str, Any]

    @property
    def policy(self) -> LoopPolicy:
        return policy_of(self.agent_type)

    @property
    def thinks_in_arguments(self) -> bool:
        """Whether each tool takes the agent's thoughts as its first argument."""
        return self.policy.heartbeats and bool(self.model_settings.get("put_inner_thoughts_in_kwargs"))

    @property
    def answer_format(self) -> dict[str, Any] | None:
        """The format that answers must have (contract: wire, section 10); None for plain text."""
        chosen = self.response_format or self.model_settings.get("response_format")
        return None if not chosen or chosen.get("type") == "text" else chosen

    @property
    def sampling(self) -> dict[str, Any]:
        """How its model is to answer: fields of a ``ModelRequest``."""
        settings = self.model_settings
        thinking = settings.get("thinking") or {}
        return {
            "max_output_tokens": settings.get("max_output_tokens"),
            "temperature": settings.get("temperature"),
            "reasoning_effort": (settings.get("reasoning") or {}).get("reasoning_effort"),
            "reasoning_tokens": thinking.get("budget_tokens") if thinking.get("type") == "enabled" else None,
            "response_format": None if self.policy.heartbeats else self.answer_format,
        }


CLIENT_TOOL = "client"
"""The type of a tool that the caller of a run offers and runs itself."""


@dataclass(frozen=True, slots=True)
class ToolFacts:
    """A tool that the agent may call. ``source_code`` is None for builtin ones and the caller's."""

    id: str
    name: str
    tool_type: str
    description: str
    parameters: dict[str, Any]
    source_code: str | None
    return_char_limit: int
    parallel: bool
    source_type: str = Language.PYTHON

    @property
    def language(self) -> Language:
        """That of ``source_code``, where it has one."""
        return Language(self.source_type)


@dataclass(frozen=True, slots=True)
class Tended:
    """The group of the agents that tend this one's memory, as ``agents_core.models.Group`` has it; ``agent_ids`` are its members."""

    group_id: str
    frequency: int | None
    turns_counter: int
    last_processed_seq: int
    agent_ids: list[str]


@dataclass(slots=True)
class StoredMessage:
    """A message of the context window, as in ``agents_core.models.Message``."""

    id: str
    role: str
    content: list[dict[str, Any]]
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    tool_returns: list[dict[str, Any]] = field(default_factory=list)
    position: int | None = None

    @property
    def waiting(self) -> bool:
        """Whether its run has not answered it yet."""
        return self.position == WAITING

    @property
    def text(self) -> str:
        return "".join(part.get("text", "") for part in self.content if part["type"] == "text")


NEXT_STEP, ANYWHERE = "model", "any"
"""Where a person lets a run stop next: before its next model call, or wherever it can; the code of its tools is recorded on the way."""


@dataclass(frozen=True, slots=True)
class BreakpointFacts:
    """A breakpoint that may stop this agent's runs, as in ``agents_core.models.Breakpoint``."""

    id: str
    kind: str
    target: str
    pattern: str
    threshold: int | None
    condition: str
    nth: int
    log: str


@dataclass(slots=True)
class Spent:
    """What a run has used so far. ``since``: when it began, by ``time.monotonic``, also if that was another worker's doing.

    ``calls`` counts equal calls with equal results, by the keys of ``runtime.repeats``.
    """

    since: float = field(default_factory=monotonic)
    tokens: int = 0
    cost_usd: float = 0.0
    calls: Counter[bytes] = field(default_factory=Counter)


@dataclass(slots=True)
class Turn:
    """One run of an agent: what it was asked, and the world as its current step sees it.

    ``messages`` is the context after the system message, in order. ``system_parts`` is the compiled prompt as stored.
    ``revisions``: those of its archives, by their ids.
    ``calls_made`` names the tools called so far in this run, for the tool rules. ``attempt`` counts the workers that took the run up,
    those left out that handed it back; ``resumed`` is true when this is not the first. ``pauses`` counts how often it stood at a
    breakpoint, ``stop_at`` says where it is to stop next, as in ``agents_core.models.Run``. ``suspended`` is what a pause in the middle of
    the current step has left (``runtime.pausing``); None once that step goes on.
    """

    run_id: str
    conversation_id: str | None
    request: dict[str, Any]
    agent: AgentFacts
    attempt: int
    resumed: bool
    cancel_requested: bool
    started_seq: int
    step_id: str
    step_number: int
    blocks: dict[str, BlockState]
    tools: dict[str, ToolFacts]
    archive_ids: list[str]
    system_id: str | None
    system_parts: list[PromptPart]
    messages: list[StoredMessage]
    revisions: dict[str, int] = field(default_factory=dict)
    tended: Tended | None = None
    directory: Directory | None = None
    token_ratio: float = 1.0
    token_samples: int = 0
    steps_taken: int = 0
    calls_made: list[str] = field(default_factory=list)
    breakpoints: list[BreakpointFacts] = field(default_factory=list)
    pauses: int = 0
    stop_at: str | None = None
    suspended: dict[str, Any] | None = None
    spent: Spent = field(default_factory=Spent)

    @property
    def system_text(self) -> str:
        return text_of(self.system_parts)

    @property
    def model(self) -> str:
        """The handle this run uses."""
        return str(self.request.get("override_model") or self.agent.model)

    def waits_for_answer(self, name: str) -> bool:
        """Whether a call of the tool has to wait: for a person's approval, or for the caller who runs it. In a branch that is only
        compared nobody is asked (``runtime.replay``)."""
        if self.is_compared:
            return False
        tool = self.tools.get(name)
        is_client = tool is not None and tool.tool_type == CLIENT_TOOL
        return is_client or rules.needs_approval(self.agent.tool_rules, name)

    @property
    def is_compared(self) -> bool:
        """Whether the run lives a recorded tail again, in a branch to be compared."""
        return "compared" in self.request

    @property
    def is_compaction(self) -> bool:
        """Whether the run is to compact the thread, and nothing else."""
        return "compaction" in self.request

    @property
    def inputs(self) -> list[StoredMessage]:
        """The messages that this run is to answer and that no step has answered yet."""
        return [message for message in self.messages if message.waiting]
