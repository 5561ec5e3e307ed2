"""What happened: messages, events, searches of memory, compactions, what people changed at a pause."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from ade.admin.base import Endless, linked, one_of, opens
from ade.links import message_address
from agents_core import models
from agents_core.events.types import event_types


@admin.register(models.Message)
class MessageAdmin(Endless):
    list_display = ("seq", "of_agent", "role", "said", "in_context", "of_run", "page", "created_at")
    list_filter = ("role",)
    search_fields = ("=id", "=agent__id", "=run__id")
    search_help_text = _("An id of a message, an agent or a run; what messages say is found by the search of the IDE.")
    list_select_related = ("agent", "run")
    ordering = ("agent", "-seq")
    of_agent, of_run = linked("agent"), linked("run")
    page = opens(lambda message: message_address(message.agent_id, message.pk))

    @admin.display(description=_("text"))
    def said(self, message: models.Message) -> str:
        return "".join(part.get("text", "") for part in message.content)[:80]

    @admin.display(description=_("in context"), boolean=True)
    def in_context(self, message: models.Message) -> bool:
        return message.context_position is not None


@admin.register(models.Event)
class EventAdmin(Endless):
    list_display = ("seq", "of_agent", "type", "payload", "created_at")
    list_filter = (one_of("type", event_types()),)
    search_fields = ("=agent__id", "=run_id", "=step_id")
    list_select_related = ("agent",)
    ordering = ("-id",)
    of_agent = linked("agent")


@admin.register(models.MemorySearch)
class MemorySearchAdmin(Endless):
    list_display = ("query", "store", "of_agent", "of_step", "duration_ms", "page", "created_at")
    list_filter = ("store", "created_at")
    search_fields = ("query", "=agent__id")
    list_select_related = ("agent", "step")
    ordering = ("-id",)
    of_agent, of_step = linked("agent"), linked("step")
    page = opens(lambda row: f"/agents/{row.agent_id}/steps/{row.step.number}" if row.step else None)


@admin.register(models.Eviction)
class EvictionAdmin(Endless):
    list_display = (
        "created_at",
        "of_agent",
        "trigger",
        "mode",
        "messages_before",
        "messages_after",
        "tokens_before",
        "tokens_after",
        "page",
    )
    list_filter = (one_of("trigger", ("threshold", "context_window_exceeded", "requested")), "created_at")
    search_fields = ("=agent__id", "agent__name")
    list_select_related = ("agent",)
    ordering = ("-id",)
    of_agent = linked("agent")
    page = opens(lambda row: f"/agents/{row.agent_id}?drawer=compactions&compaction={row.pk}")


@admin.register(models.Intervention)
class InterventionAdmin(Endless):
    list_display = ("kind", "target", "of_step", "created_at")
    list_filter = ("created_at",)
    search_fields = ("=pause__id", "kind", "target")
    list_select_related = ("step",)
    ordering = ("-id",)
    of_step = linked("step")
