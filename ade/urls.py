"""Addresses of pages. Those of the API are in agents_core.api.app."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from ade.views import agents, blocks, groups, memory, operate, proposals, settings, sleeptime, tools, workspace
from ade.views.login import login, logout

_AGENT = "agents/<str:agent_id>"

urlpatterns = [
    path("", include("agents_core.api.docs")),
    path("v1/", include("agents_core.api.urls")),
    path("latest/", include("agents_core.api.urls")),
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
    path(f"{_AGENT}/answers", workspace.answer_calls),
    path(f"{_AGENT}/cancel", workspace.cancel),
    path(f"{_AGENT}/settings", settings.save_agent),
    path(f"{_AGENT}/sleeptime", sleeptime.save),
    path(f"{_AGENT}/sleeptime/enable", sleeptime.enable),
    path(f"{_AGENT}/sleeptime/runs", sleeptime.runs),
    path(f"{_AGENT}/memory", memory.memory_page),
    path(f"{_AGENT}/blocks", memory.attachable_blocks),
    path(f"{_AGENT}/blocks/new", memory.new_block),
    path(f"{_AGENT}/blocks/<str:block_id>/attach", memory.attach_block),
    path(f"{_AGENT}/blocks/<str:block_id>/detach", memory.detach_block),
    *(
        address
        for prefix in (f"{_AGENT}/blocks/<str:block_id>", "blocks/<str:block_id>")
        for address in (
            path(f"{prefix}/save", blocks.save),
            path(f"{prefix}/check", blocks.check),
            path(f"{prefix}/resolve", blocks.resolve),
            path(f"{prefix}/restore/<int:version>", blocks.restore),
            path(f"{prefix}/proposals/<str:proposal_id>/accept", proposals.accept),
            path(f"{prefix}/proposals/<str:proposal_id>/decline", proposals.decline),
        )
    ),
    path(f"{_AGENT}/passages", memory.insert_passage),
    path(f"{_AGENT}/passages/<str:passage_id>", memory.passage),
    path(f"{_AGENT}/passages/<str:passage_id>/edit", memory.edit_passage),
    path(f"{_AGENT}/passages/<str:passage_id>/delete", memory.delete_passage),
    path(f"{_AGENT}/tools", memory.agent_tools),
    path(f"{_AGENT}/tools/<str:tool_id>/attach", memory.attach_tool),
    path(f"{_AGENT}/tools/<str:tool_id>/detach", memory.detach_tool),
    path("blocks", blocks.block_list),
    path("blocks/new", blocks.create),
    path("blocks/<str:block_id>", blocks.block),
    path("blocks/<str:block_id>/delete", blocks.delete_block),
    path("groups", groups.group_list),
    path("groups/new", groups.create),
    path("groups/agents", groups.offered_agents),
    path("groups/<str:group_id>", groups.group_page),
    path("groups/<str:group_id>/messages", groups.send),
    path("groups/<str:group_id>/cancel", groups.cancel),
    path("groups/<str:group_id>/delete", groups.delete),
    path("settings", settings.provider_page),
    path("settings/providers", settings.save_provider),
    path("settings/providers/<str:name>/check", settings.check_provider),
    path("settings/providers/<str:name>/delete", settings.delete_provider),
    path("settings/mappings", settings.save_mapping),
    path("runs", operate.run_list),
    path("health", operate.health),
    path("palette", operate.palette),
    path("tools", tools.tool_list),
    path("tools/new", tools.new_tool),
    path("tools/read", tools.read_editor),
    path("tools/inputs", tools.fill_inputs),
    path("tools/run", tools.run_tool),
    path("tools/save", tools.save_tool),
    path("tools/<str:ref>", tools.tool_page),
    path("tools/<str:tool_id>/delete", tools.delete_tool),
    path("tools/<str:tool_id>/agents", tools.agents_of_tool),
    path("tools/<str:tool_id>/agents/<str:agent_id>/attach", tools.attach),
    path("tools/<str:tool_id>/agents/<str:agent_id>/detach", tools.detach),
]
