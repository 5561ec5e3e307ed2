"""The record: every byte sent to a model, stored once; memory searches; evictions."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Blob(models.Model):
    """Bytes under their SHA-256. Never changed."""

    digest = models.BinaryField(primary_key=True)
    content = models.BinaryField()

    class Meta:
        db_table = "blob"


class SegmentKind(models.TextChoices):
    """In the order in which they usually stand in a request. ``envelope`` is the JSON around the others."""

    ENVELOPE = "envelope"
    SYSTEM = "system"
    CORE = "core"
    RULES = "rules"
    FILE = "file"
    METADATA = "metadata"
    TOOL = "tool"
    SUMMARY = "summary"
    MESSAGE = "message"
    TOOL_RETURN = "tool_return"


class Segment(models.Model):
    """A part of a request as it stood in its bytes. ``source_id`` is the block, tool or message it shows; a part is a new
    segment only when its bytes change, so a step is a list of segment ids. The id is derived from all the other fields but ``tokens``,
    our estimate (agents_core.record.segments)."""

    id = models.UUIDField(primary_key=True)
    agent = models.ForeignKey("Agent", models.CASCADE, related_name="segments", db_index=False)
    kind = models.TextField(choices=SegmentKind)
    source_id = models.TextField(blank=True, default="")
    label = models.TextField(blank=True, default="")
    blob = models.ForeignKey(Blob, models.PROTECT, related_name="+", db_column="digest", db_index=False)
    tokens = models.PositiveIntegerField()

    class Meta:
        db_table = "segment"
        indexes = (models.Index(fields=["agent", "source_id"], name="segment_of_source"),)

    def __str__(self) -> str:
        return self.label or self.kind


class MemorySearch(models.Model):
    """A search of archival or recall memory by an agent or a person.

    ``candidates``: [{id, score, cosine, bm25, prior, rank, returned}], best first. ``filters``: as given.
    """

    agent = models.ForeignKey("Agent", models.CASCADE, related_name="searches")
    step = models.ForeignKey("Step", models.CASCADE, null=True, related_name="searches")
    tool_call_id = models.TextField(null=True)
    store = models.TextField(choices=[("archival", "archival"), ("recall", "recall"), ("files", "files")])
    query = models.TextField()
    filters = models.JSONField(default=dict)
    embedding_model = models.TextField(null=True)
    candidates = models.JSONField(default=list)
    duration_ms = models.FloatField()
    created_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        db_table = "memory_search"
        verbose_name_plural = "memory searches"

    def __str__(self) -> str:
        return self.query[:60]


class Eviction(models.Model):
    """A compaction: which messages left the context, and the summary that came in their place.

    ``trigger``: "threshold", "context_window_exceeded" or "requested". Tokens before and after are estimates; messages are counted
    with the system message. ``summarised_by`` is a model handle, "" when no model answered. ``generation`` counts the summaries that a
    fact may have passed through; ``first_seq`` to ``last_seq`` are the numbers of the messages that the summary stands for.
    ``retention``: the share of protected names, numbers and prohibitions in its own words; ``kept_verbatim``: those that were added to it;
    ``unsupported``: names and numbers of the summary that stand nowhere in what was summarised.
    """

    agent = models.ForeignKey("Agent", models.CASCADE, related_name="evictions")
    conversation = models.ForeignKey("Conversation", models.CASCADE, null=True, related_name="+")
    run = models.ForeignKey("Run", models.SET_NULL, null=True, related_name="evictions")
    step = models.ForeignKey("Step", models.SET_NULL, null=True, related_name="evictions")
    trigger = models.TextField()
    mode = models.TextField()
    message_ids: "ArrayField[list[str], list[str]]" = ArrayField(models.TextField())
    summary = models.ForeignKey("Message", models.SET_NULL, null=True, related_name="+")
    tokens_before = models.PositiveIntegerField()
    tokens_after = models.PositiveIntegerField()
    messages_before = models.PositiveIntegerField()
    messages_after = models.PositiveIntegerField()
    summarised_by = models.TextField(blank=True, db_default="")
    generation = models.PositiveSmallIntegerField(db_default=1)
    first_seq = models.BigIntegerField(null=True)
    last_seq = models.BigIntegerField(null=True)
    retention = models.FloatField(null=True)
    kept_verbatim: "ArrayField[list[str], list[str]]" = ArrayField(models.TextField(), default=list)
    unsupported: "ArrayField[list[str], list[str]]" = ArrayField(models.TextField(), default=list)
    created_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        db_table = "eviction"

    def __str__(self) -> str:
        return f"{len(self.message_ids)} messages"
