"""Addresses of pages. Those of the API are in agents_core.api.app."""

from django.contrib import admin
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.generic import RedirectView

from ade.views import agents, workspace
from ade.views.login import login, logout
from agents_core import __version__


async def health(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"version": __version__, "status": "ok"})


_AGENT = "agents/<str:agent_id>"

urlpatterns = [
    path("v1/health/", health),
    path("", RedirectView.as_view(url="/agents")),
    path("login", login),
    path("logout", logout),
    path("admin/", admin.site.urls),
    path("agents", agents.agent_list),
    path("agents/new", agents.new_agent),
    path(f"{_AGENT}/preview", agents.agent_preview),
    path(f"{_AGENT}/delete", agents.delete_agent),
    path(_AGENT, workspace.workspace),
    path(f"{_AGENT}/steps/<int:number>", workspace.workspace),
    path(f"{_AGENT}/steps/<int:number>/request.json", workspace.step_request),
    path(f"{_AGENT}/steps/<int:number>/response.txt", workspace.step_response),
    path(f"{_AGENT}/panels/<slug:slug>", workspace.panel),
    path(f"{_AGENT}/turns", workspace.earlier_turns),
    path(f"{_AGENT}/messages", workspace.send_message),
    path(f"{_AGENT}/cancel", workspace.cancel),
]
