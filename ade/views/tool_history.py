"""The versions of a tool: compared, and brought back."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from ade.tool_history import history_context
from agents_core.actions import tools
from agents_core.errors import InvalidInput
from agents_core.models import Author


def _number(request: HttpRequest, name: str) -> int | None:
    """Raises ``InvalidInput`` for what is no number of a version."""
    text = request.GET.get(name, "")
    if text and not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidInput(_("{name} has to be the number of a version.").format(name=name))
    return int(text) if text else None


@require_GET
def history(request: HttpRequest, tool_id: str) -> HttpResponse:
    """The versions of the tool, and what changed up to ``?to=``; ``?since=`` compares with another than the one before."""
    tool = tools.get(tool_id)
    context = {"tool": tool, **history_context(tool, _number(request, "to"), _number(request, "since"))}
    return render(request, "ade/partials/_tool_history.html", context)


@require_POST
def roll_back(request: HttpRequest, tool_id: str, number: int) -> HttpResponse:
    """Makes an older version the newest, if nobody has changed the tool since ``version``; the page is loaded anew."""
    try:
        read_at = parse_datetime(request.POST.get("version", ""))
    except ValueError:
        raise InvalidInput(_("The version is no time.")) from None
    tool = tools.roll_back(tool_id, number, read_at=read_at, author=Author.PERSON)
    return HttpResponse(status=204, headers={"HX-Redirect": f"/tools/{tool.id}"})
