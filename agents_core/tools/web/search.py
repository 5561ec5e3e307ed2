"""Searching the web: what each provider is asked, and what its answer says. The first that is set up is used."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agents_core.tools.base import ToolError
from agents_core.tools.web.fetch import tls

TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for. Dates are ``2026-03-04``; ``location`` is a country's two letters."""

    text: str
    count: int
    category: str | None = None
    include_text: bool = False
    include_domains: tuple[str, ...] = ()
    exclude_domains: tuple[str, ...] = ()
    start: str | None = None
    end: str | None = None
    location: str | None = None

    @property
    def with_domains(self) -> str:
        """The query in words that search engines know, for those that take domains in no other way."""
        wanted = " OR ".join(f"site:{domain}" for domain in self.include_domains)
        unwanted = [f"-site:{domain}" for domain in self.exclude_domains]
        return " ".join([self.text, *([f"({wanted})"] if wanted else []), *unwanted])


@dataclass(frozen=True, slots=True)
class SearchProvider:
    """``setting`` is the variable that holds its key, or with ``url`` empty its address. ``request`` gives the arguments of the HTTP
    request; ``results`` reads the answer: {title, url, published_date, author, and text, highlights or summary}."""

    name: str
    setting: str
    url: str
    request: Callable[[str, Query], dict[str, Any]]
    results: Callable[[Any], list[dict[str, Any]]]


def _exa_request(key: str, query: Query) -> dict[str, Any]:
    asked = {
        "query": query.text,
        "numResults": query.count,
        "category": query.category,
        "includeDomains": list(query.include_domains),
        "excludeDomains": list(query.exclude_domains),
        "startPublishedDate": query.start,
        "endPublishedDate": query.end,
        "userLocation": query.location,
    }
    contents = {"text": True} if query.include_text else {"highlights": True, "summary": True}
    body = {name: value for name, value in asked.items() if value} | {"contents": contents}
    return {"method": "POST", "headers": {"x-api-key": key}, "json": body}


def _exa_results(answer: Any) -> list[dict[str, Any]]:
    return [
        {
            "title": found.get("title"),
            "url": found["url"],
            "published_date": found.get("publishedDate"),
            "author": found.get("author"),
            **{name: found[name] for name in ("text", "highlights", "summary") if found.get(name)},
        }
        for found in answer["results"]
    ]


def _tavily_request(key: str, query: Query) -> dict[str, Any]:
    asked = {
        "query": query.text,
        "max_results": min(query.count, 20),
        "topic": "news" if query.category == "news" else "general",
        "include_raw_content": "markdown" if query.include_text else False,
        "include_domains": list(query.include_domains),
        "exclude_domains": list(query.exclude_domains),
        "start_date": query.start,
        "end_date": query.end,
    }
    body = {name: value for name, value in asked.items() if value}
    return {"method": "POST", "headers": {"authorization": f"Bearer {key}"}, "json": body}


def _tavily_results(answer: Any) -> list[dict[str, Any]]:
    return [
        {
            "title": found.get("title"),
            "url": found["url"],
            "published_date": found.get("published_date"),
            "author": None,
            "highlights": [found.get("content") or ""],
            **({"text": found["raw_content"]} if found.get("raw_content") else {}),
        }
        for found in answer["results"]
    ]


def _brave_request(key: str, query: Query) -> dict[str, Any]:
    params: dict[str, Any] = {"q": query.with_domains, "count": min(query.count, 20), "extra_snippets": "true"}
    if query.location:
        params["country"] = query.location
    if query.start or query.end:
        params["freshness"] = f"{query.start or '1990-01-01'}to{query.end or '2100-01-01'}"
    return {"method": "GET", "headers": {"x-subscription-token": key, "accept": "application/json"}, "params": params}


def _brave_results(answer: Any) -> list[dict[str, Any]]:
    return [
        {
            "title": found.get("title"),
            "url": found["url"],
            "published_date": found.get("page_age"),
            "author": None,
            "highlights": [found.get("description") or "", *(found.get("extra_snippets") or ())],
        }
        for found in (answer.get("web") or {}).get("results") or ()
    ]


def _searxng_request(address: str, query: Query) -> dict[str, Any]:
    params = {"q": query.with_domains, "format": "json"}
    if query.category:
        params["categories"] = query.category
    return {"method": "GET", "params": params}


def _searxng_results(answer: Any) -> list[dict[str, Any]]:
    return [
        {
            "title": found.get("title"),
            "url": found["url"],
            "published_date": found.get("publishedDate"),
            "author": found.get("author") or None,
            "highlights": [found.get("content") or ""],
        }
        for found in answer["results"]
    ]


PROVIDERS = (
    SearchProvider("Exa", "EXA_API_KEY", "https://api.exa.ai/search", _exa_request, _exa_results),
    SearchProvider("Tavily", "TAVILY_API_KEY", "https://api.tavily.com/search", _tavily_request, _tavily_results),
    SearchProvider(
        "Brave", "BRAVE_API_KEY", "https://api.search.brave.com/res/v1/web/search", _brave_request, _brave_results
    ),
    SearchProvider("SearXNG", "SEARXNG_URL", "", _searxng_request, _searxng_results),
)


def chosen(*settings: Mapping[str, str]) -> tuple[SearchProvider, str]:
    """The provider to ask and its key or address, by the first of ``settings`` that has one. Raises ``ToolError`` that says what to set."""
    for own in settings:
        for provider in PROVIDERS:
            if own.get(provider.setting):
                return provider, own[provider.setting]
    names = ", ".join(provider.setting for provider in PROVIDERS)
    raise ToolError(f"No web search is set up. Whoever runs this server has to set one of {names}, for it or for you.")


async def search(provider: SearchProvider, key: str, query: Query) -> list[dict[str, Any]]:
    """At most ``query.count`` results, best first. Raises ``ToolError``."""
    import httpx2

    url = provider.url or f"{key.rstrip('/')}/search"
    try:
        async with httpx2.AsyncClient(verify=tls(), timeout=TIMEOUT_S) as client:
            response = await client.request(url=url, **provider.request(key, query))
        if not response.is_success:
            raise ToolError(_refusal(provider, response.status_code, response.text))
        return provider.results(response.json())[: query.count]
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise ToolError(f"{provider.name} could not be reached: {type(error).__name__}: {error}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ToolError(f"{provider.name} answered with something that is no list of results: {error!r}") from None


def _refusal(provider: SearchProvider, status: int, text: str) -> str:
    if status in (401, 403):
        advice = "see that its settings.yml lists json under search.formats" if not provider.url else "check it"
        return f"{provider.name} refused the request ({status}): {advice} ({provider.setting})."
    if status == 429:
        return f"{provider.name} has had too many requests: wait a while and search again."
    return f"{provider.name} answered {status}: {' '.join(text[:300].split())}"
