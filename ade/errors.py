"""The one place where an error of the core becomes something a person reads."""

import json
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin

from agents_core.errors import AgentsError, NotFound


class ErrorPages(MiddlewareMixin):
    """Middleware: an ``AgentsError`` of a view becomes a toast under htmx, a page otherwise; the message says what to do."""

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """No id holds a NUL character, which the database would refuse to look for."""
        if view.__module__.startswith("ade.") and any("\x00" in str(value) for value in kwargs.values()):
            return self.process_exception(
                request, NotFound("There is no such thing: the address holds a NUL character.")
            )
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, AgentsError):
            return None
        if request.headers.get("HX-Request"):
            toast = {"toast": {"text": exception.message, "tone": "bad"}}
            return HttpResponse(
                exception.message, status=exception.http_status, headers={"HX-Trigger": json.dumps(toast)}
            )
        context = {
            "title": "That did not work",
            "where": request.path,
            "cause": exception.message,
            "report": f"{request.method} {request.path}\n{exception.code} ({exception.http_status}): {exception.message}",
        }
        return render(request, "ade/pages/error.html", context, status=exception.http_status)
