"""Tools with their versions, cases and variables, and MCP servers."""

from django.contrib import admin

from ade.admin.base import Deletable, Endless, Written, linked, opens
from agents_core import models
from agents_core.actions import mcp, tools


@admin.register(models.Tool)
class ToolAdmin(Deletable):
    delete_by = staticmethod(tools.delete)
    list_display = ("name", "tool_type", "source_type", "default_requires_approval", "page", "updated_at")
    list_filter = ("tool_type", "source_type", "default_requires_approval")
    search_fields = ("name", "description", "source_code", "=id")
    ordering = ("name",)
    page = opens(lambda tool: f"/tools/{tool.pk}")


@admin.register(models.ToolVersion)
class ToolVersionAdmin(Endless):
    list_display = ("of_tool", "number", "author", "page", "created_at")
    list_filter = ("author", "created_at")
    search_fields = ("=tool__id", "tool__name")
    list_select_related = ("tool",)
    ordering = ("-id",)
    of_tool = linked("tool")
    page = opens(lambda version: f"/tools/{version.tool_id}")


@admin.register(models.ToolCase)
class ToolCaseAdmin(Written):
    list_display = ("name", "of_tool", "expectation", "status", "ran_ms", "page", "ran_at")
    list_filter = ("status", "expectation")
    search_fields = ("name", "=tool__id", "tool__name")
    list_select_related = ("tool",)
    ordering = ("-id",)
    of_tool = linked("tool")
    page = opens(lambda case: f"/go/case-{case.pk}")


@admin.register(models.ToolVariable)
class ToolVariableAdmin(Written):
    """Their values stay sealed."""

    list_display = ("key", "of_tool", "secret", "page")
    list_filter = ("secret",)
    search_fields = ("key", "tool__name")
    list_select_related = ("tool",)
    exclude = ("sealed",)
    ordering = ("key", "id")
    of_tool = linked("tool")
    page = opens(lambda variable: f"/tools/{variable.tool_id}")


@admin.register(models.McpServer)
class McpServerAdmin(Deletable):
    """Their secrets stay sealed."""

    delete_by = staticmethod(mcp.delete)
    list_display = ("name", "kind", "url", "command", "page", "updated_at")
    list_filter = ("kind",)
    search_fields = ("name", "url", "command", "=id")
    exclude = ("sealed_secrets", "sealed_sign_in")
    ordering = ("name",)
    page = opens(lambda server: f"/mcp-servers/{server.pk}")
