"""Archival memory: archives of passages, their vectors, and the postings that BM25 reads."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from pgvector.django import HalfVectorField

from agents_core.models.base import IdField, Timestamped


class Archive(Timestamped):
    """``embedding`` is the handle of the embedder that made the vectors of its passages. ``revision`` rises with each write of passages:
    what the archive held at any of them can be read (agents_core.memory.archival.revisions)."""

    id = IdField("archive")
    name = models.TextField()
    description = models.TextField(null=True, blank=True)
    embedding = models.TextField(null=True, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    revision = models.BigIntegerField(db_default=0, default=0, editable=False)

    class Meta:
        db_table = "archive"

    def __str__(self) -> str:
        return self.name


class Passage(Timestamped):
    """``text`` is shown; ``indexed_text`` ("[date] author: text") is what was embedded and split into terms.

    ``embedding`` may have any dimension; ``embedding_model`` names the model that made it. ``length`` counts terms.
    ``since``: the archive's revision from which on the passage is as it is; ``until``: the one that deleted it.
    """

    id = IdField("passage")
    archive = models.ForeignKey(Archive, models.CASCADE, related_name="passages")
    text = models.TextField()
    indexed_text = models.TextField()
    embedding = HalfVectorField(null=True)
    embedding_model = models.TextField(null=True)
    length = models.PositiveIntegerField(default=0, editable=False)
    author = models.TextField(null=True, blank=True)
    tags: "ArrayField[list[str], list[str]]" = ArrayField(models.TextField(), default=list, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    step = models.ForeignKey("Step", models.SET_NULL, null=True, related_name="passages")
    is_deleted = models.BooleanField(default=False)
    since = models.BigIntegerField(db_default=0, default=0, editable=False)
    until = models.BigIntegerField(null=True, editable=False)

    class Meta:
        db_table = "passage"
        indexes = (
            # Holds all that BM25 asks of the whole archive, so that a search reads no row for it.
            models.Index(
                fields=["archive", "created_at", "id"],
                include=["length", "author"],
                condition=models.Q(is_deleted=False),
                name="passage_of_archive",
            ),
            GinIndex(fields=["tags"], name="passage_tags"),
        )
        constraints = (models.CheckConstraint(condition=~models.Q(text=""), name="passage_text_given"),)

    def __str__(self) -> str:
        return self.text[:60]


class PassageVersion(models.Model):
    """A passage as it stood from the archive's revision ``since`` to before ``until``, when something else was written over it."""

    passage = models.ForeignKey(Passage, models.CASCADE, related_name="versions", db_index=False)
    since = models.BigIntegerField()
    until = models.BigIntegerField()
    text = models.TextField()
    indexed_text = models.TextField()
    embedding = HalfVectorField(null=True)
    embedding_model = models.TextField(null=True)
    length = models.PositiveIntegerField()
    author = models.TextField(null=True)
    tags: "ArrayField[list[str], list[str]]" = ArrayField(models.TextField(), default=list)
    metadata = models.JSONField(default=dict)

    class Meta:
        db_table = "passage_version"
        constraints = (models.UniqueConstraint(fields=["passage", "until"], name="passage_version_once"),)

    def __str__(self) -> str:
        return self.text[:60]


class PassageTerm(models.Model):
    """A posting: how often a lexeme stands in a passage of ``length`` terms. The index of the key includes both numbers."""

    pk = models.CompositePrimaryKey("archive_id", "lexeme", "passage_id")
    # Written together with the passage, whose keys are checked: to check each word's too is most of the time that it takes.
    archive = models.ForeignKey(Archive, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    lexeme = models.TextField()
    passage = models.ForeignKey(Passage, models.CASCADE, related_name="terms", db_constraint=False)
    frequency = models.PositiveSmallIntegerField()
    length = models.PositiveIntegerField()

    class Meta:
        db_table = "passage_term"
