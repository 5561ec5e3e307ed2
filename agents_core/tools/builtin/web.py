"""Looking things up on the web (contract: agent-loop, section 3, "Builtin")."""

import asyncio
import json
from datetime import datetime

from agents_core.conf import conf
from agents_core.models import ToolType
from agents_core.tools.base import ToolContext, ToolError, tool
from agents_core.tools.web.fetch import fetch
from agents_core.tools.web.readable import readable
from agents_core.tools.web.search import Query, chosen, search

_MOST_RESULTS = 100


@tool(ToolType.BUILTIN, parallel=True)
async def web_search(
    ctx: ToolContext,
    query: str,
    num_results: int = 10,
    category: str | None = None,
    include_text: bool = False,
    include_domains: list[str] | None = None,
    exclude_domains: list[str] | None = None,
    start_published_date: str | None = None,
    end_published_date: str | None = None,
    user_location: str | None = None,
) -> str:
    """Searches the web. Read a result as a whole with fetch_webpage.

    Args:
        query: What you want to know, in words that a search engine knows.
        num_results: How many results to return at most, 1 to 100.
        category: Only results of this kind, such as news; not every search engine knows them.
        include_text: Whether to return the whole text of each result, where the search engine has it.
        include_domains: Only results from these sites, such as example.org.
        exclude_domains: No results from these sites.
        start_published_date: Only results from this day on, such as 2026-03-04.
        end_published_date: Only results up to this day, such as 2026-03-04.
        user_location: The country to search from, as two letters such as US.
    """
    if not query.strip():
        raise ToolError("There is nothing to search for: say what you want to know as query.")
    provider, key = chosen(await ctx.variables(), conf().web_search)
    wanted = Query(
        query,
        max(1, min(num_results, _MOST_RESULTS)),
        category,
        include_text,
        tuple(include_domains or ()),
        tuple(exclude_domains or ()),
        _day(ctx.moment(start_published_date)),
        _day(ctx.moment(end_published_date)),
        user_location,
    )
    return json.dumps({"query": query, "results": await search(provider, key, wanted)}, ensure_ascii=False)


def _day(moment: datetime | None) -> str | None:
    return moment.date().isoformat() if moment else None


@tool(ToolType.BUILTIN, parallel=True)
async def fetch_webpage(ctx: ToolContext, url: str) -> str:
    """Fetches a page from the web and returns its text as Markdown, with its links.

    Args:
        url: The address of the page, beginning with http:// or https://.
    """
    return await asyncio.to_thread(readable, await fetch(url))
