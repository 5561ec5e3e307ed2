"""Searching the whole history of messages (contract: agent-loop, section 3)."""

from typing import Any, Literal

from agents_core.models import ToolType
from agents_core.tools.base import ToolContext, tool

_PAGE = 10


def _answer(results: list[dict[str, Any]]) -> dict[str, Any]:
    return {"message": f"Showing {len(results)} results:" if results else "No results found.", "results": results}


@tool(ToolType.CORE, parallel=True)
async def conversation_search(
    ctx: ToolContext,
    query: str | None = None,
    roles: list[Literal["assistant", "user", "tool"]] | None = None,
    limit: int | None = None,
    start_date: str | None = None,
    end_date: str | None = None,
) -> dict[str, Any]:
    """Searches all earlier messages, those outside your context window too.

    Args:
        query: What you look for, as a question or as key words; leave it out to list by date.
        roles: Only messages of these roles.
        limit: How many messages to return at most; 5 by default.
        start_date: Only messages from this time on, such as 2026-03-04 or 2026-03-04T17:30.
        end_date: Only messages up to this time; a date means the whole day.
    """
    return _answer(
        await ctx.memory.search_messages(
            ctx,
            query or "",
            roles=roles or [],
            limit=max(1, min(limit or 5, 50)),
            offset=0,
            start=ctx.moment(start_date),
            end=ctx.moment(end_date, end_of_day=True),
        )
    )


@tool(ToolType.CORE, parallel=True)
async def conversation_search_date(ctx: ToolContext, start_date: str, end_date: str, page: int = 0) -> dict[str, Any]:
    """Lists earlier messages between two dates.

    Args:
        start_date: The first day, such as 2026-03-04.
        end_date: The last day, included.
        page: Which page of ten to show, from 0.
    """
    start, end = ctx.moment(start_date), ctx.moment(end_date, end_of_day=True)
    offset = max(page, 0) * _PAGE
    return _answer(
        await ctx.memory.search_messages(ctx, "", roles=[], limit=_PAGE, offset=offset, start=start, end=end)
    )
