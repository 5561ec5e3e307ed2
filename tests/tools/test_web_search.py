"""web_search: each provider in its own wire format, against a server that speaks it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agents_core.tools.base import ToolContext, ToolError
from agents_core.tools.execute import run_builtin
from agents_core.tools.web.search import PROVIDERS, Query, chosen, search
from tests.tools.site import Answer, Site

EXA, TAVILY, BRAVE, SEARXNG = PROVIDERS
QUERY = Query("otters", 2, "news", False, ("a.org", "b.org"), ("c.org",), "2026-01-01", "2026-02-01", "DE")
WIRE = {
    "Exa": {"results": [{"title": "T", "url": "https://a.org", "publishedDate": "2026-01-02", "author": "Ann", "summary": "S"}] * 3},
    "Tavily": {"results": [{"title": "T", "url": "https://a.org", "content": "C", "raw_content": None}] * 3},
    "Brave": {"web": {"results": [{"title": "T", "url": "https://a.org", "description": "D", "page_age": "2026-01-02"}] * 3}},
    "SearXNG": {"results": [{"title": "T", "url": "https://a.org", "content": "C", "publishedDate": None}] * 3},
}  # fmt: skip


def served(answer: Any, status: int = 200) -> Site:
    return Site({"/search": Answer(json.dumps(answer).encode(), "application/json", status)})


def at(provider: Any, site: Site) -> tuple[Any, str]:
    """The provider with its address on ``site``, and the key to ask it with."""
    address = site.at("", "127.0.0.1")
    return (provider, address) if provider is SEARXNG else (replace(provider, url=f"{address}/search"), "key-1")


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
async def test_each_provider_gives_results_of_one_form_and_no_more_than_asked(provider: Any) -> None:
    with served(WIRE[provider.name]) as site:
        results = await search(*at(provider, site), QUERY)
    assert len(results) == 2
    for result in results:
        assert (result["title"], result["url"]) == ("T", "https://a.org")
        assert result.keys() >= {"published_date", "author"}
        assert result.get("summary") or result.get("highlights")


async def test_exa_and_tavily_are_asked_with_all_that_was_given() -> None:
    with served(WIRE["Exa"]) as site:
        await search(*at(EXA, site), QUERY)
        [asked] = site.asked
    assert asked.headers["x-api-key"] == "key-1"
    assert json.loads(asked.body) == {
        "query": "otters", "numResults": 2, "category": "news", "includeDomains": ["a.org", "b.org"], "excludeDomains": ["c.org"],
        "startPublishedDate": "2026-01-01", "endPublishedDate": "2026-02-01", "userLocation": "DE",
        "contents": {"highlights": True, "summary": True},
    }  # fmt: skip
    with served(WIRE["Tavily"]) as site:
        await search(*at(TAVILY, site), replace(QUERY, include_text=True))
        [asked] = site.asked
    assert asked.headers["authorization"] == "Bearer key-1"
    assert json.loads(asked.body) == {
        "query": "otters", "max_results": 2, "topic": "news", "include_raw_content": "markdown", "start_date": "2026-01-01",
        "end_date": "2026-02-01", "include_domains": ["a.org", "b.org"], "exclude_domains": ["c.org"],
    }  # fmt: skip


async def test_domains_become_words_where_the_provider_takes_them_in_no_other_way() -> None:
    with served(WIRE["Brave"]) as site:
        await search(*at(BRAVE, site), QUERY)
        [asked] = site.asked
    assert asked.headers["x-subscription-token"] == "key-1"
    assert "q=otters+%28site%3Aa.org+OR+site%3Ab.org%29+-site%3Ac.org" in asked.path
    assert "freshness=2026-01-01to2026-02-01" in asked.path


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
@pytest.mark.parametrize(
    ("status", "answer", "words"),
    [
        (401, {}, "refused the request (401)"),
        (429, {}, "too many requests"),
        (500, {"message": "boom"}, "answered 500"),
        (200, [], "no list of results"),
        (200, {"results": [1], "web": {"results": [1]}}, "no list of results"),
    ],
)
async def test_what_goes_wrong_is_told_in_words(provider: Any, status: int, answer: Any, words: str) -> None:
    with served(answer, status) as site, pytest.raises(ToolError) as raised:
        await search(*at(provider, site), QUERY)
    assert words in raised.value.message
    assert "key-1" not in raised.value.message


async def test_a_provider_that_is_not_there_is_told() -> None:
    with pytest.raises(ToolError, match="SearXNG could not be reached"):
        await search(SEARXNG, "http://127.0.0.1:9", QUERY)


@pytest.mark.parametrize(
    ("own", "servers", "name"),
    [
        ({"TAVILY_API_KEY": "k"}, {"EXA_API_KEY": "k"}, "Tavily"),
        ({}, {"EXA_API_KEY": "", "BRAVE_API_KEY": "k"}, "Brave"),
        ({"EXA_API_KEY": "k", "SEARXNG_URL": "u"}, {}, "Exa"),
    ],
)
def test_the_agents_own_key_comes_before_the_servers(own: Any, servers: Any, name: str) -> None:
    assert chosen(own, servers)[0].name == name


def context(variables: Mapping[str, str]) -> ToolContext:
    async def own() -> Mapping[str, str]:
        return variables

    return ToolContext("agent-1", "step-1", "call-1", ZoneInfo("UTC"), {}, None, None, variables=own)


async def called(variables: Mapping[str, str], **arguments: Any) -> Any:
    return await run_builtin("web_search", arguments, context(variables), 50_000)


async def test_a_search_by_address_needs_no_key() -> None:
    with served(WIRE["SearXNG"]) as site:
        result = await called({"SEARXNG_URL": site.at("/", "127.0.0.1")}, query="otters", num_results=1)
    assert result.status == "success", result.text
    assert json.loads(result.text)["query"] == "otters"
    assert len(json.loads(result.text)["results"]) == 1


async def test_without_a_provider_the_agent_is_told_what_to_set() -> None:
    result = await called({}, query="otters")
    assert result.status == "error"
    assert "EXA_API_KEY, TAVILY_API_KEY, BRAVE_API_KEY, SEARXNG_URL" in result.text


@pytest.mark.parametrize("arguments", [{"query": " "}, {"query": "x", "start_published_date": "soon"}])
async def test_a_search_that_makes_no_sense_is_refused(arguments: dict[str, Any]) -> None:
    assert (await called({"SEARXNG_URL": "http://127.0.0.1:9"}, **arguments)).status == "error"
