"""The store without limit (contract: agent-loop, section 3)."""

from typing import Any, Literal

from agents_core.models import ToolType
from agents_core.tools.base import ToolContext, tool


@tool(ToolType.CORE)
async def archival_memory_insert(ctx: ToolContext, content: str, tags: list[str] | None = None) -> None:
    """Stores a memory for ever, outside your context window. Find it again with archival_memory_search.

    Args:
        content: What to remember. Write it so that it can be understood alone: who, what, when.
        tags: Words to file it under, such as a project or a person.
    """
    await ctx.memory.insert_passage(ctx, content, tags or [])


@tool(ToolType.CORE, parallel=True)
async def archival_memory_search(
    ctx: ToolContext,
    query: str,
    tags: list[str] | None = None,
    tag_match_mode: Literal["any", "all"] = "any",
    top_k: int | None = None,
    start_datetime: str | None = None,
    end_datetime: str | None = None,
) -> list[dict[str, Any]]:
    """Searches what you stored in archival memory, by meaning and by words.

    Args:
        query: What you want to know, as a question or as key words.
        tags: Only memories filed under these tags.
        tag_match_mode: Whether a memory needs any or all of the tags.
        top_k: How many memories to return at most; 5 by default.
        start_datetime: Only memories from this time on, such as 2026-03-04 or 2026-03-04T17:30.
        end_datetime: Only memories up to this time; a date means the whole day.
    """
    return await ctx.memory.search_passages(
        ctx,
        query,
        tags=tags or [],
        match_all_tags=tag_match_mode == "all",
        limit=max(1, min(top_k or 5, 50)),
        start=ctx.moment(start_datetime),
        end=ctx.moment(end_datetime, end_of_day=True),
    )
