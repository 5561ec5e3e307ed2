"""Archival memory: archives of passages, their vectors, and the postings that BM25 reads."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from pgvector.django import HalfVectorField

from agents_core.models.base import IdField, Timestamped


class Archive(Timestamped):
    """``embedding`` is the handle of the embedder that made the vectors of its passages."""

    id = IdField("archive")
    name = models.TextField()
    description = models.TextField(null=True, blank=True)
    embedding = models.TextField(null=True, blank=True)
    metadata = models.JSONField(default=dict, blank=True)

    class Meta:
        db_table = "archive"

    def __str__(self) -> str:
        return self.name


class Passage(Timestamped):
    """``text`` is shown; ``indexed_text`` ("[date] author: text") is what was embedded and split into terms.

    ``embedding`` may have any dimension; ``embedding_model`` names the model that made it. ``length`` counts terms.
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


class PassageTerm(models.Model):
    """A posting: how often a lexeme stands in a passage of ``length`` terms. The index of the key includes both numbers."""

    pk = models.CompositePrimaryKey("archive_id", "lexeme", "passage_id")
    archive = models.ForeignKey(Archive, models.CASCADE, related_name="+", db_index=False)
    lexeme = models.TextField()
    passage = models.ForeignKey(Passage, models.CASCADE, related_name="terms")
    frequency = models.PositiveSmallIntegerField()
    length = models.PositiveIntegerField()

    class Meta:
        db_table = "passage_term"
