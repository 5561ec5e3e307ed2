"""Blocks, their versions and proposals, archives and passages, folders and files."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ade.admin.base import Deletable, Endless, Written, linked, opens, operation
from ade.links import passage_address
from agents_core import models
from agents_core.actions import archives, blocks, files, folders, proposals


@admin.register(models.Block)
class BlockAdmin(Deletable):
    delete_by = staticmethod(blocks.delete)
    list_display = ("label", "characters", "limit", "read_only", "review", "version", "held_by", "page", "updated_at")
    list_filter = ("read_only", "review", "hidden", "is_template", "created_at")
    search_fields = ("label", "value", "=id")
    ordering = ("-created_at", "id")
    page = opens(lambda block: f"/blocks/{block.pk}")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        rows: QuerySet[Any] = super().get_queryset(request).annotate(holders=Count("agent_links"))
        return rows

    @admin.display(description="characters")
    def characters(self, block: models.Block) -> int:
        return len(block.value)

    @admin.display(description="agents")
    def held_by(self, block: Any) -> int:
        return int(block.holders)


@admin.register(models.BlockVersion)
class BlockVersionAdmin(Endless):
    list_display = ("label", "version", "author", "of_agent", "of_step", "page", "created_at")
    list_filter = ("author", "created_at")
    search_fields = ("=block__id", "label")
    list_select_related = ("agent", "step")
    ordering = ("-id",)
    of_agent, of_step = linked("agent"), linked("step")
    page = opens(lambda version: f"/blocks/{version.block_id}")


@admin.register(models.BlockProposal)
class BlockProposalAdmin(Written):
    list_display = ("of_block", "base_version", "of_agent", "status", "created_at", "decided_at")
    list_filter = ("status", "created_at")
    search_fields = ("=id", "=block__id", "block__label", "agent__name")
    list_select_related = ("agent", "block")
    ordering = ("-created_at", "id")
    actions = ("decline",)
    of_agent, of_block = linked("agent"), linked("block")
    decline = operation(
        _("Decline these proposals"), _("Declined"), lambda row: proposals.decline(row.block_id, row.pk)
    )


@admin.register(models.Archive)
class ArchiveAdmin(Deletable):
    delete_by = staticmethod(archives.delete)
    list_display = ("name", "embedding", "page", "created_at")
    list_filter = ("created_at",)
    search_fields = ("name", "=id", "embedding")
    ordering = ("-created_at",)
    page = opens(lambda archive: f"/go/{archive.pk}")


@admin.register(models.Passage)
class PassageAdmin(Endless):
    list_display = ("short", "of_archive", "tags", "embedding_model", "is_deleted", "page", "created_at")
    list_filter = ("is_deleted",)
    search_fields = ("=id", "=archive__id")
    search_help_text = _(
        "An id of a passage or of an archive; the words of passages are found by the search of the IDE."
    )
    list_select_related = ("archive",)
    exclude = ("embedding",)
    ordering = ("archive", "-created_at", "-id")
    of_archive = linked("archive")
    page = opens(passage_address)

    @admin.display(description="text")
    def short(self, passage: models.Passage) -> str:
        return str(passage)


@admin.register(models.Folder)
class FolderAdmin(Deletable):
    delete_by = staticmethod(folders.delete)
    list_display = ("name", "description", "page", "created_at")
    list_filter = ("created_at",)
    search_fields = ("=id", "name", "description")
    ordering = ("-created_at",)
    page = opens(lambda folder: f"/folders/{folder.pk}")


@admin.register(models.File)
class FileAdmin(Written):
    list_display = ("name", "in_folder", "status", "size_bytes", "chunks_embedded", "chunks", "page", "created_at")
    list_filter = ("status", "created_at")
    list_select_related = ("folder",)
    search_fields = ("=id", "name")
    ordering = ("-created_at",)
    actions = ("again", "delete_files")
    in_folder = linked("folder")
    page = opens(lambda file: f"/folders/{file.folder_id}?file={file.pk}")
    again = operation(_("Process these files again"), _("Queued"), lambda file: files.retry(file.pk, file.folder_id))
    delete_files = operation(_("Delete these files"), _("Deleted"), lambda file: files.delete(file.pk, file.folder_id))
