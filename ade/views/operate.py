"""Runs of all agents, the health of the server, and the palette that goes to anything."""

from django.db import connection
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from ade.panels.runs import run_page
from ade.status import runs_text, sandbox_status
from agents_core.conf import conf
from agents_core.llm import tokens
from agents_core.models import Agent, Block, Run, Tool

_FOUND = 6
_WORKER_ALIVE_S = 10
_PAGES = (
    ("Agents", "/agents", "agent"),
    ("New agent", "/agents#new-agent", "plus"),
    ("Shared blocks", "/blocks", "memory"),
    ("Tools", "/tools", "tool"),
    ("Files", "/folders", "file"),
    ("MCP servers", "/mcp-servers", "plug"),
    ("Groups", "/groups", "agent"),
    ("Runs", "/runs", "play"),
    ("Providers", "/settings", "settings"),
    ("Health", "/health", "info"),
    ("API documentation", "/docs", "terminal"),
)


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
    """What ``?q=`` may mean: pages, agents, blocks, tools."""
    words = request.GET.get("q", "").strip()
    options = [
        {"title": title, "address": address, "icon": icon, "noun": "page"}
        for title, address, icon in _PAGES
        if words.lower() in title.lower()
    ]
    options = options[: _FOUND if words else None]
    agents = Agent.objects.filter(Q(name__icontains=words) | Q(id=words), hidden=False).order_by("-updated_at")[:_FOUND]
    options += [
        {"title": agent.name, "address": f"/agents/{agent.id}", "icon": "agent", "noun": "agent"} for agent in agents
    ]
    if words:
        blocks = Block.objects.filter(Q(label__icontains=words) | Q(value__icontains=words), hidden=False)[:_FOUND]
        options += [
            {"title": block.label, "address": f"/blocks/{block.id}", "icon": "memory", "noun": "block"}
            for block in blocks
        ]
        tools = Tool.objects.filter(name__icontains=words)[:_FOUND]
        options += [
            {"title": tool.name, "address": f"/tools/{tool.id}", "icon": "tool", "noun": "tool"} for tool in tools
        ]
    return render(request, "ade/partials/_palette_options.html", {"options": options})
