"""What was tried beside an agent: a model call made again, and the tail of its history lived again in branches."""

from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models

from agents_core.models.base import IdField, one_of


class ExperimentStatus(models.TextChoices):
    CREATED = "created"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Experiment(models.Model):
    """A model call of a recorded step made again with ``changes``: {model, system, blocks: {label: text or null}}, without the agent.

    The request is rebuilt from ``segments`` as a step's is. ``answer``: {text, reasoning, calls: [{name, arguments}]}, None before
    there is one. ``error``: {code, message, status}.
    """

    id = IdField("experiment")
    agent = models.ForeignKey("Agent", models.CASCADE, related_name="experiments", db_index=False)
    step = models.ForeignKey("Step", models.CASCADE, related_name="experiments")
    status = models.TextField(choices=ExperimentStatus, default=ExperimentStatus.CREATED)
    changes = models.JSONField(default=dict)
    handle = models.TextField(blank=True, default="")
    url = models.TextField(blank=True, default="")
    segments: "ArrayField[list[UUID], list[UUID]]" = ArrayField(models.UUIDField(), default=list)
    request_digest = models.BinaryField(null=True)
    response = models.ForeignKey("Blob", models.PROTECT, null=True, related_name="+", db_index=False)
    answer = models.JSONField(null=True)
    error = models.JSONField(null=True)
    estimated_tokens = models.PositiveIntegerField(default=0)
    prompt_tokens = models.PositiveIntegerField(default=0)
    completion_tokens = models.PositiveIntegerField(default=0)
    cached_input_tokens = models.PositiveIntegerField(default=0)
    cost_usd = models.DecimalField(max_digits=14, decimal_places=8, null=True)
    first_token_ms = models.FloatField(null=True)
    model_ms = models.FloatField(null=True)
    cancel_requested = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=models.functions.Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "experiment"
        ordering = ("-created_at", "id")
        indexes = (models.Index(fields=["agent", "-created_at"], name="experiment_of_agent"),)
        constraints = (one_of("status", ExperimentStatus, "experiment_status_known"),)

    def __str__(self) -> str:
        return str(self.id)

    @property
    def is_open(self) -> bool:
        """Whether an answer may still come."""
        return self.status in (ExperimentStatus.CREATED, ExperimentStatus.RUNNING)


class Comparison(models.Model):
    """The tail of an agent's history from step ``from_step`` to ``to_step``, lived again in branches with the same inputs.

    ``inputs`` are the requests that were sent from there on, in order: [{run_id, messages: [{role, content, name, sender_id}], most_steps,
    calls_made, override_model …}]. The first has no messages: its step saw them. ``most_steps``: how many a branch may take for it.
    """

    id = IdField("comparison")
    agent = models.ForeignKey("Agent", models.CASCADE, related_name="comparisons", db_index=False)
    from_step = models.BigIntegerField()
    to_step = models.BigIntegerField()
    inputs = models.JSONField(default=list)
    created_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        db_table = "comparison"
        ordering = ("-created_at", "id")
        indexes = (models.Index(fields=["agent", "-created_at"], name="comparison_of_agent"),)

    def __str__(self) -> str:
        return str(self.id)


class Variant(models.Model):
    """A branch of a comparison: ``fork`` is the agent that lives the tail with ``changes``, as an ``Experiment`` has them.

    ``position`` counts from 1; the recorded tail itself stands before. ``first_step`` is the number of its first own step. ``fork`` is
    None once that agent was deleted. ``run_ids`` are its runs, one for each input; none before it was run.
    """

    id = IdField("variant")
    comparison = models.ForeignKey(Comparison, models.CASCADE, related_name="variants", db_index=False)
    position = models.PositiveSmallIntegerField()
    label = models.TextField()
    changes = models.JSONField(default=dict)
    fork = models.ForeignKey("Agent", models.SET_NULL, null=True, related_name="variant_of")
    first_step = models.BigIntegerField(default=0)
    run_ids: "ArrayField[list[str], list[str]]" = ArrayField(models.TextField(), default=list)
    adopted_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        db_table = "comparison_variant"
        ordering = ("comparison", "position")
        constraints = (models.UniqueConstraint(fields=["comparison", "position"], name="comparison_variant_once"),)

    def __str__(self) -> str:
        return self.label
