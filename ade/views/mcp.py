"""MCP servers: the list, adding and testing one, and the page of one with what it offers."""

import time
from typing import Any

from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from ade.address import text
from ade.mcp_page import ServerForm, form_context, form_of, offered_agents, page_context, said_of, server_rows
from ade.views.blocks import moved, toast
from agents_core.actions import mcp, mcp_sign_in, mcp_tools
from agents_core.models import McpServer

_SIGNED_IN_WITHIN_S = 5.0
_LOOK_S = 0.2


@require_GET
def server_list(request: HttpRequest) -> HttpResponse:
    return render(request, "ade/pages/mcp_servers.html", {"rows": server_rows()})


@require_GET
def new_server(request: HttpRequest) -> HttpResponse:
    return render(request, "ade/pages/mcp_new.html", form_context(ServerForm.blank()))


@require_POST
def add(request: HttpRequest) -> HttpResponse:
    """Keeps the server, asks it for its tools and leads to its page, also when it does not answer yet."""
    form = form_of(request.POST)
    server = mcp.create(text(request.POST, "name"), form.settings())
    async_to_sync(mcp_tools.refresh)(server.id)
    return moved(request, f"/mcp-servers/{server.id}")


@require_POST
def test(request: HttpRequest) -> HttpResponse:
    """Connects to the server that is written in the form, stores nothing, and says what came of it."""
    before = McpServer.objects.filter(pk=text(request.POST, "server")).first()
    draft = mcp.drafted(text(request.POST, "name") or "This server", form_of(request.POST).settings(before))
    if before is not None and before.url == draft.url:
        draft.id, draft.sealed_sign_in = before.id, before.sealed_sign_in
    seen = async_to_sync(mcp.look)(draft)
    tools = seen.found.tools if seen.found else []
    return render(request, "ade/partials/_mcp_tested.html", {"said": said_of(seen), "tools": tools})


@require_GET
def server_page(request: HttpRequest, server_id: str) -> HttpResponse:
    return render(request, "ade/pages/mcp_server.html", page_context(mcp.get(server_id)))


@require_POST
def save(request: HttpRequest, server_id: str) -> HttpResponse:
    """Changes the server, asks it again and shows it."""
    before = mcp.get(server_id)
    mcp.modify(server_id, name=text(request.POST, "name"), settings=form_of(request.POST).settings(before))
    async_to_sync(mcp_tools.refresh)(server_id)
    return moved(request, f"/mcp-servers/{server_id}")


@require_POST
def refresh(request: HttpRequest, server_id: str) -> HttpResponse:
    """Asks the server what it has, for ``agent_id`` if one is named; gives what it said and what changed."""
    seen, changes = async_to_sync(mcp_tools.refresh)(server_id, text(request.POST, "agent_id") or None)
    response = render(request, "ade/partials/_mcp_server.html", page_context(mcp.get(server_id)))
    number = len(changes.added) + len(changes.updated) + len(changes.deleted)
    if seen.problem:
        told = toast(_("The server did not answer."), "bad")
    else:
        changed = ngettext("{number} tool changed.", "{number} tools changed.", number).format(number=number)
        told = toast(changed if number else _("Nothing has changed."))
    response["HX-Trigger"] = told["HX-Trigger"]
    return response


@require_POST
def sign_in(request: HttpRequest, server_id: str) -> HttpResponse:
    """Sends the person to where the server wants them to sign in."""
    return_url = request.build_absolute_uri("/mcp-servers/signed-in")
    address = async_to_sync(mcp_sign_in.begin)(server_id, return_url)
    return moved(request, address or f"/mcp-servers/{server_id}")


@require_GET
def signed_in(request: HttpRequest) -> HttpResponse:
    """Where a person comes back to. Waits a little for what comes of it, and shows the server."""
    given = request.GET
    problem = " ".join(filter(None, (text(given, "error"), text(given, "error_description"))))
    server_id = mcp_sign_in.answer(
        text(given, "state"), code=text(given, "code"), iss=given.get("iss"), problem=problem[:500]
    )
    before = _last_check(server_id)
    until = time.monotonic() + _SIGNED_IN_WITHIN_S
    while time.monotonic() < until and _last_check(server_id) == before:
        time.sleep(_LOOK_S)
    return redirect(f"/mcp-servers/{server_id}")


def _last_check(server_id: str) -> Any:
    return McpServer.objects.filter(pk=server_id).values_list("last_check", flat=True).first()


@require_POST
def sign_out(request: HttpRequest, server_id: str) -> HttpResponse:
    mcp.sign_out(server_id)
    return moved(request, f"/mcp-servers/{server_id}")


@require_POST
def delete(request: HttpRequest, server_id: str) -> HttpResponse:
    """Removes the server; its tools go from every agent."""
    mcp.delete(server_id)
    return moved(request, "/mcp-servers")


@require_GET
def agents_of_server(request: HttpRequest, server_id: str) -> HttpResponse:
    """The agents that hold tools of the server or could; ``?q=`` narrows them by name."""
    return _agents(request, server_id, text(request.GET, "q"))


@require_POST
def attach(request: HttpRequest, server_id: str, agent_id: str) -> HttpResponse:
    mcp_tools.attach_all(agent_id, server_id)
    return _agents(request, server_id, text(request.POST, "q"))


@require_POST
def detach(request: HttpRequest, server_id: str, agent_id: str) -> HttpResponse:
    mcp_tools.detach_all(agent_id, server_id)
    return _agents(request, server_id, text(request.POST, "q"))


def _agents(request: HttpRequest, server_id: str, words: str) -> HttpResponse:
    server = mcp.get(server_id)
    context = {"server": server, "agents": offered_agents(server_id, words), "tool_count": server.tools.count()}
    return render(request, "ade/partials/_mcp_agents.html", context)
