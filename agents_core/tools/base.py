"""What a tool is to the runtime: a definition, the context it runs in, and the result it leaves."""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from agents_core.errors import Refused
from agents_core.events.types import AnyEvent, BlockChanged
from agents_core.memory.blocks import creation_statements, detachment_statement
from agents_core.memory.edits import checked, within_limit
from agents_core.memory.merge import merge
from agents_core.memory.render import BlockFacts
from agents_core.models import Author, ToolType, new_id
from agents_core.models.pipeline import Statement
from agents_core.registry import Registry
from agents_core.sandbox.base import NewPassage, RecordedStep
from agents_core.tools.schema import derive

NEW_BLOCK_LIMIT = 100_000
"""Characters that a block made by an agent may hold."""


class ToolError(Refused):
    """What a tool tells the agent that went wrong, in words that help it to do better."""

    code = "tool_error"


@dataclass(slots=True)
class BlockState:
    """A block as the running step sees it; ``version`` is the one that the next write replaces.

    ``review``: what this agent writes becomes a proposal. ``proposal_id``: the pending proposal whose text it sees, if any. ``met``: the
    text that the model saw, and what somebody else has made of it since; None when nobody has.
    """

    facts: BlockFacts
    version: int
    review: bool = False
    proposal_id: str | None = None
    met: tuple[str, str] | None = None

    @property
    def value(self) -> str:
        return self.facts.value


@dataclass(frozen=True, slots=True)
class BlockEdit:
    """A write that a tool made: ``changes`` (field to value) to version ``replaces`` of the block, which is then labelled ``label`` and
    had the text ``before``.

    ``proposal_id``: the change waits under this id for a person instead; ``extends``: a proposal of that id is there already.
    """

    block_id: str
    label: str
    replaces: int
    changes: Mapping[str, Any]
    call_id: str
    before: str
    proposal_id: str | None = None
    extends: bool = False


class Memory(Protocol):
    """The searches and inserts that the runtime offers to tools; all scoped to the running agent."""

    async def label_taken(self, block_id: str, label: str) -> bool:
        """Whether another agent that holds the block has a block of that label."""
        ...

    def transcript(self) -> Sequence[str]:
        """The lines that the agent was called to remember; none when it was called by a person."""
        ...

    async def insert_passage(self, context: "ToolContext", text: str, tags: Sequence[str]) -> None: ...

    async def search_passages(
        self,
        context: "ToolContext",
        query: str,
        *,
        tags: Sequence[str],
        match_all_tags: bool,
        limit: int,
        start: datetime | None,
        end: datetime | None,
    ) -> list[dict[str, Any]]: ...

    async def list_passages(self, search: str, limit: int, *, ascending: bool) -> list[dict[str, Any]]:
        """{id, text, tags, created_at, archive_id} of those that hold the text ``search``, by time."""
        ...

    async def search_files(self, context: "ToolContext", query: str, limit: int) -> list[dict[str, Any]]:
        """The passages of the agent's files that fit best: {file_name, line (0 is the first), text}.

        Raises ``ToolError`` for an agent without a folder."""
        ...

    async def search_messages(
        self,
        context: "ToolContext",
        query: str,
        *,
        roles: Sequence[str],
        limit: int,
        offset: int,
        start: datetime | None,
        end: datetime | None,
    ) -> list[dict[str, Any]]: ...


@dataclass(frozen=True, slots=True)
class OtherAgent:
    id: str
    name: str


class Others(Protocol):
    """Speaking to other agents. What is said here is said at once, whatever becomes of the call: a repeated call says it only once."""

    async def tell(self, context: "ToolContext", agent_id: str, text: str) -> None:
        """Sends a message and does not wait. Raises ``ToolError`` for an unknown agent."""
        ...

    async def ask(self, context: "ToolContext", agent_id: str, text: str) -> list[str]:
        """What the agent answers. Raises ``ToolError`` for an unknown agent, and where no answer comes or ever would."""
        ...

    async def tagged(self, match_all: Sequence[str], match_some: Sequence[str]) -> list[OtherAgent]:
        """The other agents that have all tags of ``match_all`` and, unless it is empty, one of ``match_some``."""
        ...


async def _no_variables() -> Mapping[str, str]:
    return {}


@dataclass(slots=True)
class ToolContext:
    """What one tool call may see and change. Nothing is written while it runs: ``edits``, ``statements`` and ``events`` are committed
    together with its result, so a call either happened or did not.

    ``variables`` gives the agent's variables and secrets by name; ``tool_sources`` are those of its own Python tools, by name."""

    agent_id: str
    step_id: str
    call_id: str
    timezone: ZoneInfo
    blocks: dict[str, BlockState]
    memory: Memory
    others: Others
    author: Author = Author.AGENT
    variables: Callable[[], Awaitable[Mapping[str, str]]] = _no_variables
    tool_sources: Mapping[str, str] = field(default_factory=dict)
    edits: list[BlockEdit] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    events: list[AnyEvent] = field(default_factory=list)

    def block(self, label: str) -> BlockState:
        """The block with that label. Raises ``ToolError`` naming the labels there are."""
        try:
            return self.blocks[label]
        except KeyError:
            labels = ", ".join(sorted(self.blocks)) or "none"
            raise ToolError(f"There is no memory block labelled {label!r}. Blocks: {labels}.") from None

    def write_block(self, block: BlockState, value: str) -> str:
        """Puts ``value`` into the block; gives it back. Raises ``BlockEditError`` when it is read-only or over its limit."""
        value = checked(block.facts, value)
        if value != block.value:
            self._change(block, {"value": value})
        return value

    def rewrite_block(self, block: BlockState, value: str) -> str:
        """Puts ``value``, a whole new text, into the block, merged with what somebody else wrote there since the model
        saw it; gives back what the block says then. Raises as ``write_block``, and ``ToolError`` when both changed the
        same words."""
        merged = merge(*block.met, value) if block.met else value
        if merged is None:
            raise ToolError(
                f"The memory block {block.facts.label!r} was changed by somebody else while you were writing it anew, in "
                "the same words, so your text was not written. Look at the block as it is now, then write it again."
            )
        return self.write_block(block, merged)

    def describe_block(self, block: BlockState, description: str) -> None:
        """Gives the block another description. Raises ``BlockReadOnlyError``, and ``ToolError`` for a block under review."""
        self._check_reshaping(block)
        if description != block.facts.description:
            self._change(block, {"description": description})

    async def rename_block(self, block: BlockState, label: str) -> None:
        """Gives the block another label. Raises ``BlockReadOnlyError``, and ``ToolError`` for a label that is taken or a block under
        review."""
        self._check_reshaping(block)
        self._check_free(label)
        if await self.memory.label_taken(block.facts.id, label):
            raise ToolError(f"An agent that shares this block has a block labelled {label!r}: choose another label.")
        del self.blocks[block.facts.label]
        self._change(block, {"label": label})
        self.blocks[label] = block

    def create_block(self, label: str, description: str, value: str) -> None:
        """Makes a block and gives it to the agent. Raises ``ToolError`` for a label that is taken or empty, ``BlockLimitError``."""
        self._check_free(label)
        facts = BlockFacts(new_id("block"), label, within_limit(value, NEW_BLOCK_LIMIT), NEW_BLOCK_LIMIT, description)
        owner = (self.agent_id, self.step_id, self.call_id)
        self.statements += creation_statements(facts, self.author, *owner)
        self.events.append(BlockChanged(facts.id, label, 1, self.author, "attached"))
        self.blocks[label] = BlockState(facts, 1)

    def detach_block(self, block: BlockState) -> None:
        """Takes the block from the agent; it stays for others. Raises ``BlockReadOnlyError``, ``ToolError`` for a block under review."""
        self._check_reshaping(block)
        self.statements.append(detachment_statement(self.agent_id, block.facts.id))
        self.events.append(
            BlockChanged(block.facts.id, block.facts.label, block.version, self.author, "detached"),
        )
        del self.blocks[block.facts.label]

    def _change(self, block: BlockState, changes: Mapping[str, Any]) -> None:
        facts, extends = replace(block.facts, **changes), block.proposal_id is not None
        if block.review:
            block.proposal_id = block.proposal_id or new_id("proposal")
        proposal_id = block.proposal_id if block.review else None
        told = (block.version, changes, self.call_id, block.value)
        self.edits.append(BlockEdit(facts.id, facts.label, *told, proposal_id, extends))
        block.facts = facts
        if not block.review:
            block.version += 1

    def _check_reshaping(self, block: BlockState) -> None:
        checked(block.facts, block.value)
        if block.review:
            raise ToolError(
                f"A person reviews what is written to {block.facts.label!r}: only its text can be changed, as a proposal."
            )

    def _check_free(self, label: str) -> None:
        if not label:
            raise ToolError("A memory block needs a label.")
        if label in self.blocks:
            raise ToolError(
                f"There is a memory block labelled {label!r} already: choose another label, or edit that one."
            )

    def moment(self, text: str | None, *, end_of_day: bool = False) -> datetime | None:
        """As ``moment_of``, in the agent's timezone."""
        return moment_of(text, self.timezone, end_of_day=end_of_day)


def moment_of(text: str | None, zone: ZoneInfo, *, end_of_day: bool = False) -> datetime | None:
    """``text`` (ISO 8601; without offset in ``zone``) as a time; of a bare date the start or the end. Raises ``ToolError``."""
    text = str(text or "").strip()
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ToolError(f"{text!r} is not a date. Write it as 2026-03-04 or 2026-03-04T17:30.") from None
    if end_of_day and len(text) <= len("2026-03-04"):
        moment = moment.replace(hour=23, minute=59, second=59, microsecond=999_999)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a call leaves. ``text`` is what the agent sees; ``duration_ms`` is wall time; ``blocks`` are the new texts, by label, of
    memory blocks that the code of a person's tool changed, ``passages`` what it wants stored. ``steps``: of a call that was recorded."""

    status: str
    text: str
    stdout: str = ""
    stderr: str = ""
    duration_ms: float = 0.0
    blocks: Mapping[str, str] = field(default_factory=dict)
    passages: Sequence[NewPassage] = ()
    steps: tuple[RecordedStep, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolDefinition:
    """A tool that is part of the product. ``search``: its result is never cut to the return limit."""

    name: str
    tool_type: ToolType
    description: str
    parameters: dict[str, Any]
    run: Callable[..., Awaitable[Any]]
    parallel: bool = False

    @property
    def json_schema(self) -> dict[str, Any]:
        return {"name": self.name, "description": self.description, "parameters": self.parameters}


def tool(tool_type: ToolType, *, parallel: bool = False) -> Callable[[Callable[..., Awaitable[Any]]], ToolDefinition]:
    """Makes a tool of an async function whose first parameter is a ``ToolContext``; its schema comes from signature and docstring."""

    def define(function: Callable[..., Awaitable[Any]]) -> ToolDefinition:
        source = inspect.getsource(function)
        schema = derive(source[source.index("async def") :], function.__name__, injected={"ctx"})
        if schema.problems:
            raise TypeError(f"{function.__name__}: {schema.problems}")
        return ToolDefinition(function.__name__, tool_type, schema.description, schema.parameters, function, parallel)

    return define


BUILTIN_TOOLS = Registry(
    "builtin tool",
    {
        name: f"agents_core.tools.builtin.{group}:{name}"
        for group, names in {
            "messages": ("send_message",),
            "core_memory": (
                "core_memory_append",
                "core_memory_replace",
                "memory_insert",
                "memory_replace",
                "memory_rethink",
                "memory_finish_edits",
            ),
            "memory_files": ("memory", "memory_apply_patch"),
            "multi_agent": (
                "send_message_to_agent_and_wait_for_reply",
                "send_message_to_agents_matching_tags",
                "send_message_to_agents_matching_all_tags",
                "send_message_to_agent_async",
            ),
            "voice": ("search_memory", "store_memories", "rethink_user_memory", "finish_rethinking_memory"),
            "archival_memory": ("archival_memory_insert", "archival_memory_search"),
            "recall_memory": ("conversation_search", "conversation_search_date"),
            "code": ("run_code",),
            "web": ("web_search", "fetch_webpage"),
            "files": ("open_files", "grep_files", "semantic_search_files"),
        }.items()
        for name in names
    },
)


def builtin_definitions() -> list[ToolDefinition]:
    """Every tool that is part of the product."""
    return [BUILTIN_TOOLS.load(name) for name in BUILTIN_TOOLS]
