"""The addresses of the API: each with and without a trailing slash, for clients ask for both and a redirected POST loses its body."""

import re
from collections.abc import Callable, Iterable, Iterator
from inspect import iscoroutinefunction
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver, path, re_path

from agents_core.api.app import api
from agents_core.api.errors import refusal

View = Callable[..., Any]


async def unknown_route(request: HttpRequest) -> HttpResponse:
    return refusal(f"There is no {request.method} {request.path} here.", 404)


def refused_in_json(view: View) -> View:
    """``view``, whose refusal of a method is JSON as all other answers are."""
    if iscoroutinefunction(view):

        async def awaited(request: HttpRequest, **parts: str) -> HttpResponseBase:
            return _as_json(request, await view(request, **parts))

        return awaited

    def called(request: HttpRequest, **parts: str) -> HttpResponseBase:
        return _as_json(request, view(request, **parts))

    return called


def _as_json(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    if response.status_code != 405:
        return response
    refused = refusal(f"{request.method} is not possible here, only {response['Allow']}.", 405)
    refused["Allow"] = response["Allow"]
    return refused


# Older clients call folders sources.
_FOLDERS = re.compile("^folders(?=/)|(?<=/)folders(?=/|$)")


def both_forms(patterns: Iterable[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for pattern in patterns:
        route = str(pattern.pattern)
        if isinstance(pattern, URLPattern) and route:
            view = refused_in_json(pattern.callback)
            for each in dict.fromkeys((route, _FOLDERS.sub("sources", route))):
                yield path(each, view)
                yield path(each[:-1] if each.endswith("/") else f"{each}/", view)


async def hosted_only(request: HttpRequest) -> HttpResponse:
    return refusal("This belongs to the hosted service; a server of your own does not have it.", 501)


async def not_yet(request: HttpRequest) -> HttpResponse:
    return refusal("This server does not have this yet.", 501)


_ABSENT = [
    re_path("^(?:templates|environments|client-side-access-tokens)(?:/|$)", hosted_only),
    re_path("^(?:identities|jobs)(?:/|$)", not_yet),
    re_path("^agents/import/?$", not_yet),
    re_path("^agents/[^/]+/(?:export|identities)(?:/|$)", not_yet),
    re_path("^conversations/[^/]+/fork/?$", not_yet),
    re_path("^mcp-servers/connect/", not_yet),
    re_path("^tools/mcp/(?:servers/connect|oauth/callback)/?$", not_yet),
]

urlpatterns = [*_ABSENT, *both_forms(api.urls[0]), re_path("", unknown_route)]
