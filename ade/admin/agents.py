"""Agents, their conversations, schedules and variables, and the groups they are in."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ade.admin.base import Deletable, Written, linked, one_of, opens, operation
from ade.agent_rows import FAILED_REASONS
from agents_core import models
from agents_core.actions import deletions, groups, runs, schedules


@admin.register(models.Agent)
class AgentAdmin(Deletable):
    delete_by = staticmethod(deletions.delete_agent)
    list_display = (
        "name",
        "agent_type",
        "model",
        "context_window",
        "step_count",
        "last_stop_reason",
        "page",
        "created_at",
    )
    list_filter = ("agent_type", one_of("last_stop_reason", ["end_turn", *FAILED_REASONS]), "hidden", "created_at")
    search_fields = ("name", "description", "=id", "model")
    ordering = ("-created_at", "id")
    actions = ("cancel_runs",)
    page = opens(lambda agent: f"/agents/{agent.pk}")
    cancel_runs = operation(_("Cancel what they are doing"), _("Cancelled"), lambda agent: runs.cancel(agent.pk))


@admin.register(models.Conversation)
class ConversationAdmin(Deletable):
    delete_by = staticmethod(deletions.delete_conversation)
    list_display = ("id", "of_agent", "summary", "last_message_at", "page", "created_at")
    list_filter = ("created_at",)
    search_fields = ("=id", "summary", "=agent__id")
    list_select_related = ("agent",)
    ordering = ("-created_at",)
    of_agent = linked("agent")
    page = opens(lambda row: f"/agents/{row.agent_id}?conversation={row.pk}")


@admin.register(models.Schedule)
class ScheduleAdmin(Written):
    list_display = ("id", "of_agent", "cron", "scheduled_at", "next_at", "last_sent_at", "page", "created_at")
    list_filter = ("created_at",)
    search_fields = ("=id", "=agent__id", "agent__name")
    list_select_related = ("agent",)
    ordering = ("-created_at",)
    actions = ("stop",)
    of_agent = linked("agent")
    page = opens(lambda row: f"/agents/{row.agent_id}?main=settings&section=schedules")
    stop = operation(_("Delete these schedules"), _("Deleted"), lambda row: schedules.delete(row.agent_id, row.pk))


@admin.register(models.AgentVariable)
class AgentVariableAdmin(Written):
    """Their values stay sealed."""

    list_display = ("key", "of_agent", "description", "page")
    search_fields = ("key", "=agent__id", "agent__name")
    list_select_related = ("agent",)
    exclude = ("sealed",)
    ordering = ("key", "id")
    of_agent = linked("agent")
    page = opens(lambda row: f"/agents/{row.agent_id}?main=settings&section=variables")


@admin.register(models.Group)
class GroupAdmin(Deletable):
    delete_by = staticmethod(groups.delete)
    list_display = ("id", "manager_type", "description", "of_manager", "member_total", "page", "created_at")
    list_filter = ("manager_type", "hidden", "created_at")
    search_fields = ("=id", "description", "manager__name")
    list_select_related = ("manager",)
    ordering = ("-created_at", "id")
    of_manager = linked("manager")
    page = opens(lambda group: f"/groups/{group.pk}")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        rows: QuerySet[Any] = super().get_queryset(request).annotate(members_counted=Count("members"))
        return rows

    @admin.display(description="agents")
    def member_total(self, group: Any) -> int:
        return int(group.members_counted)


@admin.register(models.GroupTurn)
class GroupTurnAdmin(Written):
    list_display = ("id", "of_group", "status", "stop_reason", "attempts", "created_at", "completed_at")
    list_filter = ("status", "created_at")
    search_fields = ("=id", "=group__id")
    list_select_related = ("group",)
    ordering = ("-created_at", "id")
    actions = ("cancel",)
    of_group = linked("group")
    cancel = operation(_("Cancel these turns"), _("Cancelled"), lambda turn: groups.cancel(turn.pk))
