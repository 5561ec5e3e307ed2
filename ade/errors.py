"""The one place where an error of the core, or of the server itself, becomes something a person reads."""

import json
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext as _

from agents_core import __version__
from agents_core.errors import AgentsError, NotFound


class ErrorPages(MiddlewareMixin):
    """Middleware: an ``AgentsError`` of a view becomes a toast under htmx, a page otherwise; the message says what to do."""

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> HttpResponse | None:
        """No id holds a NUL character, which the database would not even look for. The API says so itself."""
        if _is_page(request) and any("\x00" in str(value) for value in kwargs.values()):
            return self.process_exception(request, NotFound(_("There is nothing at this address.")))
        return None

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """An address that only takes what a form sends, opened by hand, would else be an empty page."""
        if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED or not _is_page(request):
            return response
        page = told(
            request, _("This address only takes what a form sends."), response.status_code, "method_not_allowed"
        )
        page["Allow"] = response["Allow"]
        return page

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, AgentsError):
            return None
        return told(request, exception.message, exception.http_status, exception.code)


def _is_page(request: HttpRequest) -> bool:
    """Whether the address is one of the IDE, not of the API or the admin panel."""
    return request.resolver_match is not None and not request.resolver_match.namespaces


def told(request: HttpRequest, cause: str, status: int, code: str, title: str = "") -> HttpResponse:
    """``cause`` as a toast under htmx, as a page with a report otherwise."""
    if request.headers.get("HX-Request"):
        toast = {"toast": {"text": cause, "tone": "bad"}}
        return HttpResponse(cause, status=status, headers={"HX-Trigger": json.dumps(toast)})
    context = {
        "title": title or _("That did not work"),
        "where": request.path,
        "cause": cause,
        "report": report(request, f"{code} ({status}): {cause}"),
    }
    return render(request, "ade/pages/error.html", context, status=status)


def report(request: HttpRequest, answer: str) -> str:
    """What somebody needs who is to find out why: the request, the answer, when, with what."""
    browser = request.headers.get("User-Agent", "")
    return f"{request.method} {request.path}\n{answer}\n{timezone.now():%Y-%m-%d %H:%M:%S} UTC\nMnemoscope {__version__}\n{browser}"


# --- what Django asks for by name (ade.urls, ade.settings) ----------------------------------------------------------


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """An address that names no page."""
    return told(request, _("There is nothing at this address."), 404, "not_found", _("No such page"))


def stale_page(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose token is missing or of another session."""
    cause = _("This page is older than your session: load it again, and then repeat what you did.")
    return told(request, cause, 403, "stale_page")


def failed(request: HttpRequest) -> HttpResponse:
    """What nobody expected. The page asks nothing of the database, which may be what failed."""
    cause = _("The server failed at this. Its log has the traceback, at the time of this report.")
    if request.headers.get("HX-Request"):
        return told(request, cause, 500, "failed")
    context = {
        "title": _("The server failed"),
        "where": request.path,
        "cause": cause,
        "remedy": _("Try it again; if it stays so, see whether the database runs and the disk has room."),
        "report": report(request, f"500: {cause}"),
    }
    return HttpResponse(render_to_string("ade/failed.html", context), status=500)
