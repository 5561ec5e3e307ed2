"""Runs with their steps and calls, batches, pauses and breakpoints; and the providers of models."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from ade.admin.base import Deletable, Endless, Written, linked, one_of, opens, operation
from ade.agent_rows import FAILED_REASONS
from agents_core import models
from agents_core.actions import batches, deletions, providers, runs
from agents_core.models import ProviderAccount

_STOP_REASONS = ("end_turn", "tool_rule", "max_steps", "requires_approval", "cancelled", *FAILED_REASONS)


@admin.register(models.Run)
class RunAdmin(Deletable):
    delete_by = staticmethod(deletions.delete_run)
    list_display = ("id", "of_agent", "status", "stop_reason", "attempts", "page", "created_at", "completed_at")
    list_filter = ("status", one_of("stop_reason", _STOP_REASONS), "background", "created_at")
    search_fields = ("=id", "=agent__id", "agent__name")
    list_select_related = ("agent",)
    ordering = ("-created_at", "id")
    sortable_by = ()
    actions = ("cancel",)
    of_agent = linked("agent")
    page = opens(lambda run: f"/agents/{run.agent_id}?main=runs&run={run.pk}")
    cancel = operation(_("Cancel these runs"), _("Cancelled"), lambda run: runs.cancel(run.agent_id, [run.pk]))


@admin.register(models.Step)
class StepAdmin(Endless):
    list_display = (
        "number",
        "of_agent",
        "of_run",
        "kind",
        "status",
        "handle",
        "prompt_tokens",
        "completion_tokens",
        "cost_usd",
        "model_ms",
        "page",
    )
    list_filter = ("status", "kind")
    search_fields = ("=id", "=agent__id", "=run__id")
    list_select_related = ("agent", "run")
    exclude = ("segments", "request_digest", "response")
    ordering = ("agent", "-number")
    of_agent, of_run = linked("agent"), linked("run")
    page = opens(lambda step: f"/agents/{step.agent_id}/steps/{step.number}")


@admin.register(models.ToolCall)
class ToolCallAdmin(Endless):
    list_display = ("name", "of_agent", "of_step", "status", "duration_ms", "page", "created_at")
    list_filter = ("status", "created_at")
    search_fields = ("=name", "=call_id", "=agent__id")
    list_select_related = ("agent", "step")
    exclude = ("code_digest",)
    ordering = ("-id",)
    of_agent, of_step = linked("agent"), linked("step")
    page = opens(lambda call: f"/agents/{call.agent_id}/steps/{call.step.number}")


@admin.register(models.Batch)
class BatchAdmin(Written):
    list_display = ("id", "cancel_requested", "callback_url", "callback_status_code", "created_at", "completed_at")
    list_filter = ("cancel_requested", "created_at")
    search_fields = ("=id", "callback_url")
    ordering = ("-created_at", "id")
    actions = ("cancel",)
    cancel = operation(_("Cancel these batches"), _("Cancelled"), lambda batch: batches.cancel(batch.pk))


@admin.register(models.Pause)
class PauseAdmin(Endless):
    list_display = ("of_agent", "of_step", "stage", "resolution", "page", "created_at", "resolved_at")
    list_filter = ("stage", "created_at")
    search_fields = ("=id", "=run__id", "=agent__id")
    list_select_related = ("agent", "step")
    ordering = ("agent", "-created_at", "id")
    of_agent, of_step = linked("agent"), linked("step")
    page = opens(lambda pause: f"/agents/{pause.agent_id}/steps/{pause.step.number}")


@admin.register(models.Breakpoint)
class BreakpointAdmin(Written):
    list_display = ("kind", "of_agent", "target", "condition", "log", "enabled", "hits", "created_at")
    list_filter = ("kind", "enabled", "created_at")
    search_fields = ("=id", "target", "condition", "=agent__id")
    list_select_related = ("agent",)
    of_agent = linked("agent")


def _without_key(account: ProviderAccount) -> None:
    providers.save_provider(account.name, base_url=account.base_url, api_key="", kind=account.kind)


@admin.register(models.ProviderAccount)
class ProviderAccountAdmin(Written):
    list_display = ("name", "kind", "base_url", "has_key", "updated_at")
    list_filter = ("kind",)
    search_fields = ("name", "base_url")
    exclude = ("sealed_key",)
    ordering = ("name",)
    actions = ("remove_key",)
    remove_key = operation(_("Remove their keys"), _("Keys removed"), _without_key)

    @admin.display(description=_("key"), boolean=True)
    def has_key(self, account: models.ProviderAccount) -> bool:
        return account.sealed_key is not None


@admin.register(models.HandleMapping)
class HandleMappingAdmin(Written):
    list_display = ("handle", "target")
    search_fields = ("handle", "target")


@admin.register(models.TokenRatio)
class TokenRatioAdmin(Written):
    list_display = ("handle", "ratio", "samples")
    search_fields = ("handle",)
