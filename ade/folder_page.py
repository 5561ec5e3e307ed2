"""Folders as their pages show them: their files with how far each is, and what can be seen of one."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from agents_core.models import PROCESSING, Agent, AgentFolder, File, FileStatus, Folder, Passage

PAGE = 100
TEXT_CHARS = 60_000
"""What is shown of a text at once."""

OFFERED = 30

_STATES = {
    FileStatus.PENDING: ("queued", gettext_noop("queued")),
    FileStatus.PARSING: ("running", gettext_noop("reading")),
    FileStatus.EMBEDDING: ("running", gettext_noop("embedding")),
    FileStatus.COMPLETED: ("completed", gettext_noop("ready")),
    FileStatus.ERROR: ("failed", gettext_noop("failed")),
}


@dataclass(frozen=True, slots=True)
class FileView:
    """A row of the table. ``state`` colours ``words``."""

    file: File

    @property
    def dom_id(self) -> str:
        return f"row-{self.file.id}"

    @property
    def state(self) -> str:
        return _STATES[FileStatus(self.file.status)][0]

    @property
    def words(self) -> str:
        return _(_STATES[FileStatus(self.file.status)][1])

    @property
    def is_embedding(self) -> bool:
        return self.file.status == FileStatus.EMBEDDING and bool(self.file.chunks)


def listed_folders(words: str = "") -> "QuerySet[Folder, Folder]":
    """The folders with ``words`` in their name or description, by name; each with ``file_total``, ``failed`` and ``holders``."""
    found = Folder.objects.filter(Q(name__icontains=words) | Q(description__icontains=words))
    counted = found.annotate(
        file_total=Count("files", distinct=True),
        failed=Count("files", filter=Q(files__status=FileStatus.ERROR), distinct=True),
        busy=Count("files", filter=Q(files__status__in=PROCESSING), distinct=True),
        holders=Count("agent_links", distinct=True),
    )
    return counted.order_by("name", "id")


def files_context(folder: Folder, before: str = "") -> dict[str, Any]:
    """A page of the table, newest first, those after the file ``before`` in it; ``busy``: one of the folder's is being processed."""
    found = File.objects.filter(folder=folder).order_by("-created_at", "-id")
    edge = found.filter(id=before).values_list("created_at", "id").first() if before else None
    if edge:
        found = found.filter(Q(created_at__lt=edge[0]) | Q(created_at=edge[0], id__lt=edge[1]))
    files = list(found[: PAGE + 1])
    return {
        "folder": folder,
        "files": [FileView(file) for file in files[:PAGE]],
        "before": before if edge else "",
        "older": files[PAGE - 1].id if len(files) > PAGE else None,
        "busy": File.objects.filter(folder=folder, status__in=PROCESSING).exists(),
    }


def file_context(folder: Folder, file_id: str, view: str, start: int) -> dict[str, Any]:
    """What the column beside the table shows: a part of the file's text from ``start`` on, or its passages from the ``start``-th on.

    Empty without such a file.
    """
    file = File.objects.filter(folder=folder, id=file_id).select_related("content").defer("content__upload").first()
    if file is None:
        return {}
    if view == "passages":
        rows = Passage.objects.filter(archive=folder.archive_id, tags__contains=[file.id]).defer("embedding")
        found = list(rows.order_by("created_at", "id")[start : start + PAGE + 1])
        passages = [(passage, passage.metadata["line"] + 1) for passage in found[:PAGE]]
        return {"file": file, "view": view, "passages": passages, "later": start + PAGE if found[PAGE:] else None}
    text = file.content.text or ""
    later = start + TEXT_CHARS if len(text) > start + TEXT_CHARS else None
    return {"file": file, "view": "text", "text": text[start : start + TEXT_CHARS], "start": start, "later": later}


def offered_agents(folder_id: str, words: str = "") -> list[Agent]:
    """Agents that hold the folder, then those that could, each with ``held``; the first thirty."""
    held = Exists(AgentFolder.objects.filter(agent=OuterRef("id"), folder=folder_id))
    found = Agent.objects.filter(hidden=False, name__icontains=words).annotate(held=held)
    return list(found.order_by("-held", "name", "id")[:OFFERED])
