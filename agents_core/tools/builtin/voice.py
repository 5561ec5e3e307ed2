"""The tools of agents that speak, and of those that remember for them (contract: agent-loop, section 3)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from agents_core.memory import edits
from agents_core.models import ToolType
from agents_core.tools.base import ToolContext, ToolError, tool

_PER_QUERY = 5
_USER = "human"


@tool(ToolType.CORE, parallel=True)
async def search_memory(
    ctx: ToolContext,
    convo_keyword_queries: list[str] | None = None,
    start_minutes_ago: int | None = None,
    end_minutes_ago: int | None = None,
) -> dict[str, Any]:
    """Looks up what was said earlier and what was stored of it, before you answer.

    Args:
        convo_keyword_queries: What to look for in earlier messages, each a few key words; left out to list by time alone.
        start_minutes_ago: Only messages since so many minutes ago.
        end_minutes_ago: Only messages up to so many minutes ago.
    """
    now = datetime.now(UTC)
    start, end = _moment(now, start_minutes_ago), _moment(now, end_minutes_ago)
    found: dict[str, Any] = {}
    for query in convo_keyword_queries or [""]:
        messages = await ctx.memory.search_messages(
            ctx, query, roles=[], limit=_PER_QUERY, offset=0, start=start, end=end
        )
        stored = await _stored(ctx, query) if query else []
        found[query or "recent"] = {"messages": messages, "stored": stored}
    return found


def _moment(now: datetime, minutes_ago: int | None) -> datetime | None:
    return None if minutes_ago is None else now - timedelta(minutes=max(minutes_ago, 0))


async def _stored(ctx: ToolContext, query: str) -> list[dict[str, Any]]:
    return await ctx.memory.search_passages(
        ctx, query, tags=[], match_all_tags=False, limit=_PER_QUERY, start=None, end=None
    )


@tool(ToolType.VOICE_SLEEPTIME)
async def store_memories(ctx: ToolContext, chunks: list[dict]) -> str:  # type: ignore[type-arg]
    """Stores parts of the conversation that you were shown, so that they are found later. Each part is a run of its numbered lines
    about one subject.

    Args:
        chunks: The parts to store. Each has start_index and end_index, the numbers of its first and last line, and context: one
            or two sentences that say what the part is about.
    """
    lines = ctx.memory.transcript()
    for chunk in chunks:
        await ctx.memory.insert_passage(ctx, _passage(chunk, lines), [])
    return f"Stored {len(chunks)} memories."


def _passage(chunk: Any, lines: Any) -> str:
    """The text of a chunk: its context, then the lines. Raises ``ToolError``."""
    try:
        start, end, context = int(chunk["start_index"]), int(chunk["end_index"]), str(chunk["context"])
    except (TypeError, KeyError, ValueError):
        raise ToolError("Each chunk needs start_index, end_index (numbers) and context (a text).") from None
    if not 0 <= start <= end < len(lines):
        last = f"0 to {len(lines) - 1}" if lines else "none, for you were shown no conversation"
        raise ToolError(f"There are no lines {start} to {end}: the lines are {last}.")
    return "\n".join([context, *lines[start : end + 1]])


_CHUNK = {
    "type": "object",
    "properties": {
        "start_index": {"type": "integer", "description": "The number of the first line."},
        "end_index": {"type": "integer", "description": "The number of the last line, included."},
        "context": {"type": "string", "description": "What the part is about, in one or two sentences."},
    },
    "required": ["start_index", "end_index", "context"],
}
_CHUNKS = {**store_memories.parameters["properties"]["chunks"], "items": _CHUNK}
store_memories = replace(
    store_memories, parameters={**store_memories.parameters, "properties": {"chunks": _CHUNKS}}
)  # The schema of an item is more than an annotation says.


@tool(ToolType.VOICE_SLEEPTIME)
async def rethink_user_memory(ctx: ToolContext, new_memory: str) -> str:
    """Rewrites what is known about the person, the block "human", as a whole. Keep what still holds.

    Args:
        new_memory: The whole new text of the block.
    """
    block = ctx.block(_USER)
    return ctx.rewrite_block(block, edits.memory_rethink(block.value, new_memory))


@tool(ToolType.VOICE_SLEEPTIME)
async def finish_rethinking_memory(ctx: ToolContext) -> None:
    """Says that the memory is up to date; that ends your turn."""
