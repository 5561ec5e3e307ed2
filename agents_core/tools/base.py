"""What a tool is to the runtime: a definition, the context it runs in, and the result it leaves."""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from agents_core.errors import Refused
from agents_core.events.types import AnyEvent
from agents_core.memory.edits import checked
from agents_core.memory.render import BlockFacts
from agents_core.models import ToolType
from agents_core.models.pipeline import Statement
from agents_core.registry import Registry
from agents_core.tools.schema import derive


class ToolError(Refused):
    """What a tool tells the agent that went wrong, in words that help it to do better."""

    code = "tool_error"


@dataclass(slots=True)
class BlockState:
    """A block as the running step sees it; ``version`` is the one that the next write replaces."""

    facts: BlockFacts
    version: int

    @property
    def value(self) -> str:
        return self.facts.value


@dataclass(frozen=True, slots=True)
class BlockEdit:
    """A write that a tool made: ``value`` in place of version ``replaces`` of the block."""

    block_id: str
    label: str
    replaces: int
    value: str
    call_id: str


class Memory(Protocol):
    """The searches and inserts that the runtime offers to tools; all scoped to the running agent."""

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


@dataclass(slots=True)
class ToolContext:
    """What one tool call may see and change. Nothing is written while it runs: ``edits``, ``statements`` and ``events`` are committed
    together with its result, so a call either happened or did not."""

    agent_id: str
    step_id: str
    call_id: str
    timezone: ZoneInfo
    blocks: dict[str, BlockState]
    memory: Memory
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
            self.edits.append(BlockEdit(block.facts.id, block.facts.label, block.version, value, self.call_id))
            block.facts, block.version = replace(block.facts, value=value), block.version + 1
        return value

    def moment(self, text: str | None, *, end_of_day: bool = False) -> datetime | None:
        """``text`` (ISO 8601; without offset in the agent's timezone) as a time; of a bare date the start or the
        end. Raises ``ToolError``."""
        text = str(text or "").strip()
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise ToolError(f"{text!r} is not a date. Write it as 2026-03-04 or 2026-03-04T17:30.") from None
        if end_of_day and len(text) <= len("2026-03-04"):
            moment = moment.replace(hour=23, minute=59, second=59, microsecond=999_999)
        return moment if moment.tzinfo else moment.replace(tzinfo=self.timezone)


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a call leaves. ``text`` is what the agent sees; ``duration_ms`` is wall time."""

    status: str
    text: str
    stdout: str = ""
    stderr: str = ""
    duration_ms: float = 0.0


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
        schema = derive(source[source.index("async def") :], function.__name__)
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
            ),
            "archival_memory": ("archival_memory_insert", "archival_memory_search"),
            "recall_memory": ("conversation_search", "conversation_search_date"),
        }.items()
        for name in names
    },
)


def builtin_definitions() -> list[ToolDefinition]:
    """Every tool that is part of the product."""
    return [BUILTIN_TOOLS.load(name) for name in BUILTIN_TOOLS]
