"""The addresses of the API: each with and without a trailing slash, for clients ask for both and a redirected POST loses its body."""

from collections.abc import Iterable, Iterator

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, path, re_path

from agents_core.api.app import api
from agents_core.api.errors import refusal


async def unknown_route(request: HttpRequest) -> HttpResponse:
    return refusal(f"There is no {request.method} {request.path} here.", 404)


def both_forms(patterns: Iterable[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for pattern in patterns:
        route = str(pattern.pattern)
        if isinstance(pattern, URLPattern) and route:
            yield pattern
            yield path(route[:-1] if route.endswith("/") else f"{route}/", pattern.callback)


urlpatterns = [*both_forms(api.urls[0]), re_path("", unknown_route)]
