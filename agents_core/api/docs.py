"""The description of the API for people at /docs and for programs at /openapi.json, both without the network."""

from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path
from ninja.openapi.docs import Swagger

from agents_core.api.app import api
from agents_core.api.reply import reply


class _Page(Swagger):
    def get_openapi_url(self, api: Any, path_params: Any) -> str:
        return "/openapi.json"


@cache
def _schema() -> dict[str, Any]:
    return api.get_openapi_schema(path_prefix="v1/")


def openapi(request: HttpRequest) -> HttpResponse:
    return reply(_schema())


def docs(request: HttpRequest) -> HttpResponse:
    return _Page().render_page(request, api)


urlpatterns = [path("docs", docs), path("openapi.json", openapi)]
