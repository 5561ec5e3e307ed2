"""The operators' view of the rows. What agents and people do goes through the IDE and the API; here one looks, searches and cleans up.

Rows that the runtime writes (runs, steps, the record) can be read and not edited: a changed record would lie.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from agents_core import models
from agents_core.actions import blocks, deletions, tools

admin.site.site_header = "Mnemoscope operators"
admin.site.site_title = "Mnemoscope"
admin.site.index_title = "What is stored"
admin.site.site_url = "/agents"


def linked(name: str) -> Callable[[Any, Model], SafeString | str]:
    """A column that leads to the row that the foreign key ``name`` names."""

    @admin.display(description=name, ordering=name)
    def column(self: Any, row: Model) -> SafeString | str:
        other = getattr(row, name)
        if other is None:
            return "—"
        meta = type(other)._meta  # noqa: SLF001  (how Django names its own)
        address = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[other.pk])
        return format_html('<a href="{}">{}</a>', address, other)

    return column


if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin


class Written(_ModelAdmin):
    """Rows that only the runtime and the actions write."""

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class Deletable(Written):
    """Rows that an operator may delete, by the same action as everybody else."""

    delete_by: Callable[[str], Any]

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.is_superuser)

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        type(self).delete_by(obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for key in queryset.values_list("pk", flat=True):
            type(self).delete_by(key)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        return [str(obj) for obj in objs], {self.opts.verbose_name_plural: len(objs)}, set(), []


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
        "workspace",
        "created_at",
    )
    list_filter = ("agent_type", "last_stop_reason", "hidden", "created_at")
    search_fields = ("name", "description", "id", "model")

    @admin.display(description="workspace")
    def workspace(self, agent: models.Agent) -> SafeString:
        return format_html('<a href="/agents/{}">open</a>', agent.pk)


@admin.register(models.Block)
class BlockAdmin(Deletable):
    delete_by = staticmethod(blocks.delete)
    list_display = ("label", "characters", "limit", "read_only", "version", "held_by", "updated_at")
    list_filter = ("read_only", "hidden", "label")
    search_fields = ("label", "value", "id")

    @admin.display(description="characters")
    def characters(self, block: models.Block) -> int:
        return len(block.value)

    @admin.display(description="agents")
    def held_by(self, block: models.Block) -> int:
        return block.agents.count()


@admin.register(models.BlockVersion)
class BlockVersionAdmin(Written):
    list_display = ("label", "version", "author", "of_agent", "of_step", "created_at")
    list_filter = ("author", "created_at")
    search_fields = ("label", "value", "block__id")
    list_select_related = ("agent", "step")
    of_agent, of_step = linked("agent"), linked("step")


@admin.register(models.Tool)
class ToolAdmin(Deletable):
    delete_by = staticmethod(tools.delete)
    list_display = ("name", "tool_type", "source_type", "default_requires_approval", "editor", "updated_at")
    list_filter = ("tool_type", "source_type")
    search_fields = ("name", "description", "source_code", "id")

    @admin.display(description="editor")
    def editor(self, tool: models.Tool) -> SafeString:
        return format_html('<a href="/tools/{}">open</a>', tool.pk)


@admin.register(models.Folder)
class FolderAdmin(Written):
    list_display = ("name", "description", "created_at")
    search_fields = ("=id", "name", "description")
    ordering = ("-created_at",)


@admin.register(models.File)
class FileAdmin(Written):
    list_display = ("name", "in_folder", "status", "size_bytes", "chunks_embedded", "chunks", "created_at")
    list_filter = ("status",)
    list_select_related = ("folder",)
    search_fields = ("=id", "name")
    ordering = ("-created_at",)
    in_folder = linked("folder")


@admin.register(models.Archive)
class ArchiveAdmin(Written):
    list_display = ("name", "embedding", "created_at")
    list_filter = ("embedding",)
    search_fields = ("name", "id")


@admin.register(models.Passage)
class PassageAdmin(Written):
    list_display = ("short", "of_archive", "tags", "embedding_model", "is_deleted", "created_at")
    list_filter = ("is_deleted", "embedding_model", "created_at")
    search_fields = ("text", "id", "archive__id")
    list_select_related = ("archive",)
    exclude = ("embedding",)
    of_archive = linked("archive")

    @admin.display(description="text")
    def short(self, passage: models.Passage) -> str:
        return str(passage)


@admin.register(models.Message)
class MessageAdmin(Written):
    list_display = ("seq", "of_agent", "role", "said", "in_context", "of_run", "created_at")
    list_filter = ("role", "created_at")
    search_fields = ("id", "agent__id", "run__id")
    list_select_related = ("agent", "run")
    of_agent, of_run = linked("agent"), linked("run")

    @admin.display(description="text")
    def said(self, message: models.Message) -> str:
        return "".join(part.get("text", "") for part in message.content)[:80]

    @admin.display(description="in context", boolean=True)
    def in_context(self, message: models.Message) -> bool:
        return message.context_position is not None


@admin.register(models.Run)
class RunAdmin(Written):
    list_display = ("id", "of_agent", "status", "stop_reason", "attempts", "created_at", "completed_at")
    list_filter = ("status", "stop_reason", "background", "created_at")
    search_fields = ("id", "agent__id", "agent__name")
    list_select_related = ("agent",)
    of_agent = linked("agent")


@admin.register(models.Step)
class StepAdmin(Written):
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
    )
    list_filter = ("status", "kind", "provider", "started_at")
    search_fields = ("id", "agent__id", "run__id", "handle")
    list_select_related = ("agent", "run")
    exclude = ("segments", "request_digest", "response")
    of_agent, of_run = linked("agent"), linked("run")


@admin.register(models.ToolCall)
class ToolCallAdmin(Written):
    list_display = ("name", "of_agent", "of_step", "status", "duration_ms", "created_at")
    list_filter = ("status", "name", "created_at")
    search_fields = ("name", "call_id", "agent__id")
    list_select_related = ("agent", "step")
    exclude = ("code_digest",)
    of_agent, of_step = linked("agent"), linked("step")


@admin.register(models.MemorySearch)
class MemorySearchAdmin(Written):
    list_display = ("query", "store", "of_agent", "of_step", "duration_ms", "created_at")
    list_filter = ("store", "created_at")
    search_fields = ("query", "agent__id")
    list_select_related = ("agent", "step")
    of_agent, of_step = linked("agent"), linked("step")


@admin.register(models.Eviction)
class EvictionAdmin(Written):
    list_display = (
        "created_at",
        "of_agent",
        "trigger",
        "mode",
        "messages_before",
        "messages_after",
        "tokens_before",
        "tokens_after",
    )
    list_filter = ("trigger", "mode", "created_at")
    search_fields = ("agent__id",)
    list_select_related = ("agent",)
    of_agent = linked("agent")


@admin.register(models.Event)
class EventAdmin(Written):
    list_display = ("seq", "of_agent", "type", "payload", "created_at")
    list_filter = ("type", "created_at")
    search_fields = ("agent__id", "run_id", "step_id")
    list_select_related = ("agent",)
    of_agent = linked("agent")


@admin.register(models.Conversation)
class ConversationAdmin(Written):
    list_display = ("id", "of_agent", "summary", "last_message_at", "created_at")
    search_fields = ("id", "summary", "agent__id")
    list_select_related = ("agent",)
    of_agent = linked("agent")


@admin.register(models.ProviderAccount)
class ProviderAccountAdmin(Written):
    list_display = ("name", "kind", "base_url", "has_key", "updated_at")
    exclude = ("sealed_key",)

    @admin.display(description="key", boolean=True)
    def has_key(self, account: models.ProviderAccount) -> bool:
        return account.sealed_key is not None


@admin.register(models.HandleMapping)
class HandleMappingAdmin(Written):
    list_display = ("handle", "target")


@admin.register(models.TokenRatio)
class TokenRatioAdmin(Written):
    list_display = ("handle", "ratio", "samples")
