"""Folders of files that agents can read: what was uploaded, the text of it, and what each agent has open."""

from typing import TYPE_CHECKING

from django.db import models

from agents_core.models.base import IdField, Timestamped, one_of

if TYPE_CHECKING:
    from agents_core.models.agents import Agent


class FileStatus(models.TextChoices):
    PENDING = "pending"
    PARSING = "parsing"
    EMBEDDING = "embedding"
    COMPLETED = "completed"
    ERROR = "error"


PROCESSING = (FileStatus.PENDING, FileStatus.PARSING, FileStatus.EMBEDDING)


class Folder(Timestamped):
    """``archive`` holds the passages of its files; its embedder made their vectors."""

    id = IdField("source")
    name = models.TextField(unique=True)
    description = models.TextField(null=True, blank=True)
    instructions = models.TextField(null=True, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    archive = models.OneToOneField("Archive", models.CASCADE, related_name="folder")
    agents: "models.ManyToManyField[Agent, AgentFolder]" = models.ManyToManyField(
        "Agent", through="AgentFolder", related_name="folders"
    )

    class Meta:
        db_table = "folder"
        constraints = (models.CheckConstraint(condition=~models.Q(name=""), name="folder_name_given"),)

    def __str__(self) -> str:
        return self.name


class File(Timestamped):
    """``name`` is unique in its folder, ``original_name`` as it was uploaded. ``error``, a sentence, says why the status is ``error``.

    ``chars`` counts its text, once that was read; ``chunks`` how many passages it makes, ``chunks_embedded`` those that are stored.
    """

    id = IdField("file")
    folder = models.ForeignKey(Folder, models.CASCADE, related_name="files", db_index=False)
    name = models.TextField()
    original_name = models.TextField()
    media_type = models.TextField()
    size_bytes = models.BigIntegerField()
    status = models.TextField(choices=FileStatus, default=FileStatus.PENDING)
    error = models.TextField(null=True, blank=True)
    chars = models.PositiveIntegerField(null=True)
    chunks = models.PositiveIntegerField(null=True)
    chunks_embedded = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "file"
        constraints = (
            models.UniqueConstraint(fields=["folder", "name"], name="file_name_once"),
            one_of("status", FileStatus, "file_status_known"),
        )

    def __str__(self) -> str:
        return self.name


class FileContent(models.Model):
    """``upload`` is kept until the file has been processed; ``text`` is None until it was read."""

    file = models.OneToOneField(File, models.CASCADE, primary_key=True, related_name="content")
    upload = models.BinaryField(null=True)
    text = models.TextField(null=True)

    class Meta:
        db_table = "file_content"


class AgentFolder(models.Model):
    agent = models.ForeignKey("Agent", models.CASCADE, related_name="folder_links", db_index=False)
    folder = models.ForeignKey(Folder, models.CASCADE, related_name="agent_links")

    class Meta:
        db_table = "agent_folder"
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=["agent", "folder"], name="agent_folder_once"),)


class AgentFile(Timestamped):
    """A file of one of the agent's folders. Open: ``view`` is what the prompt shows of it, from ``start_line`` (0 is the first) to before
    ``end_line``."""

    id = IdField("file_agent")
    agent = models.ForeignKey("Agent", models.CASCADE, related_name="file_links", db_index=False)
    file = models.ForeignKey(File, models.CASCADE, related_name="agent_links")
    is_open = models.BooleanField(default=False)
    view = models.TextField(default="", blank=True)
    start_line = models.PositiveIntegerField(default=0)
    end_line = models.PositiveIntegerField(null=True)
    last_accessed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "agent_file"
        constraints = (models.UniqueConstraint(fields=["agent", "file"], name="agent_file_once"),)
