"""Runs of all agents, the health of the server, and what goes to anything: the palette, and the address of a bare id."""

from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_GET

from ade.address import text
from ade.links import address_of
from ade.palette import options
from ade.panels.runs import run_page
from ade.status import runs_text, sandbox_status
from agents_core.conf import conf
from agents_core.llm import tokens
from agents_core.models import Run

_WORKER_ALIVE_S = 10


@require_GET
def run_list(request: HttpRequest) -> HttpResponse:
    """The runs of all agents, newest first."""
    return render(
        request, "ade/pages/runs.html", run_page(Run.objects.select_related("agent"), request.GET.get("before"))
    )


@require_GET
def health(request: HttpRequest) -> HttpResponse:
    """What runs underneath, and whether it does."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT version(), (SELECT extversion FROM pg_extension WHERE extname = 'vector'), pg_database_size(current_database())"
        )
        version, vector, size = cursor.fetchone()
        cursor.execute(
            "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => %s)",
            [_WORKER_ALIVE_S],
        )
        workers = cursor.fetchone()[0]
    context = {
        "database": version.split(" on ")[0],
        "vector": vector,
        "size_bytes": size,
        "workers": workers,
        "runs": runs_text(),
        "sandbox": sandbox_status(),
        "exact_tokens": tokens.is_exact(),
        "home": conf().home,
    }
    return render(request, "ade/pages/health.html", context)


@require_GET
def palette(request: HttpRequest) -> HttpResponse:
    """What ``?q=`` may mean on a page of ``?agent=``."""
    words = text(request.GET, "q")
    context = {"options": options(words, text(request.GET, "agent")), "words": words}
    return render(request, "ade/partials/_palette_options.html", context)


@require_GET
def go(request: HttpRequest, thing_id: str) -> HttpResponse:
    """Leads to whatever has that id."""
    return HttpResponseRedirect(address_of(thing_id))
