"""Runs (one request each), their steps (one model call each) and the tool calls of a step."""

from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models

from agents_core.models.base import IdField, of_conversation, one_of


class RunStatus(models.TextChoices):
    """``paused``: it stands at a breakpoint, and no process waits for it."""

    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


ACTIVE = (RunStatus.CREATED, RunStatus.RUNNING, RunStatus.PAUSED)


class Run(models.Model):
    """``request`` holds what the caller asked for (max_steps, override_model, client_tools …). ``first_seq`` is the
    number of its first event. ``request_key`` is the same for a request that is sent again.

    ``attempts`` counts the workers that took it up: more than one more than its ``pauses`` means that one of them died. ``paused_s`` is
    how long it stood, in seconds. ``suspended``: what the worker that takes it up needs to go on in the middle of a step
    (``runtime.pausing``). ``stop_at``: where a person wants it to stop next, "model", "any" or the number of a step.
    """

    id = IdField("run")
    agent = models.ForeignKey("Agent", models.CASCADE, related_name="runs")
    conversation = models.ForeignKey("Conversation", models.CASCADE, null=True, related_name="runs", db_index=False)
    status = models.TextField(choices=RunStatus, default=RunStatus.CREATED)
    stop_reason = models.TextField(null=True)
    batch = models.ForeignKey("Batch", models.SET_NULL, null=True, related_name="runs", db_index=False)
    request = models.JSONField(default=dict)
    request_key = models.TextField(null=True)
    background = models.BooleanField(default=False)
    metadata = models.JSONField(default=dict)
    error = models.JSONField(null=True)
    first_seq = models.BigIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    cancel_requested = models.BooleanField(default=False)
    pauses = models.PositiveSmallIntegerField(db_default=0)
    paused_s = models.FloatField(db_default=0)
    suspended = models.JSONField(null=True)
    stop_at = models.TextField(null=True)
    created_at = models.DateTimeField(db_default=models.functions.Now())
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    first_token_ms = models.FloatField(null=True)
    callback_url = models.TextField(null=True)
    callback_sent_at = models.DateTimeField(null=True)
    callback_status_code = models.PositiveSmallIntegerField(null=True)
    callback_error = models.TextField(null=True)

    class Meta:
        db_table = "run"
        indexes = (
            models.Index(fields=["-created_at", "id"], name="run_created"),
            models.Index(
                fields=["status"],
                condition=models.Q(status__in=ACTIVE),
                name="run_active",
            ),
            models.Index(fields=["agent"], condition=models.Q(status__in=("running", "paused")), name="run_at_work"),
            of_conversation("run_of_conversation"),
            models.Index(fields=["batch"], condition=models.Q(batch__isnull=False), name="run_of_batch"),
        )
        constraints = (
            one_of("status", RunStatus, "run_status_known"),
            models.UniqueConstraint(
                fields=["agent", "request_key"],
                condition=models.Q(request_key__isnull=False),
                name="run_request_once",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=ACTIVE, completed_at__isnull=True)
                | (~models.Q(status__in=ACTIVE) & models.Q(completed_at__isnull=False)),
                name="run_completed_at_iff_ended",
            ),
        )

    def __str__(self) -> str:
        return str(self.id)


class StepStatus(models.TextChoices):
    PENDING = "pending"
    SUCCESS = "success"
    FAILED = "failed"
    CANCELLED = "cancelled"


class StepKind(models.TextChoices):
    AGENT = "agent"
    SUMMARY = "summary"


class Step(models.Model):
    """One model call and what followed from it. ``number`` counts the steps of an agent from 1.

    ``seq``: the last event of the transaction that began it: all up to there was so before. ``world``: the agent as the request was made
    from it (agents_core.record.states), None for steps that sent none.

    The request is rebuilt by joining the blobs of ``segments`` in order; ``request_digest`` is the SHA-256 of the bytes that
    were sent. ``estimated_tokens`` is our count before the call, ``prompt_tokens`` the provider's after it.
    """

    id = IdField("step")
    agent = models.ForeignKey("Agent", models.CASCADE, related_name="steps", db_index=False)
    run = models.ForeignKey(Run, models.CASCADE, related_name="steps")
    conversation = models.ForeignKey("Conversation", models.CASCADE, null=True, related_name="steps", db_index=False)
    number = models.BigIntegerField()
    kind = models.TextField(choices=StepKind, default=StepKind.AGENT)
    status = models.TextField(choices=StepStatus, default=StepStatus.PENDING)
    stop_reason = models.TextField(null=True)
    provider = models.TextField()
    model = models.TextField(help_text="The name sent to the provider.")
    handle = models.TextField(help_text="The handle the agent names.")
    url = models.TextField(blank=True, default="")
    context_window = models.PositiveIntegerField()
    compacts_at = models.PositiveIntegerField(default=0)
    segments: "ArrayField[list[UUID], list[UUID]]" = ArrayField(models.UUIDField(), default=list)
    request_digest = models.BinaryField(null=True)
    seq = models.BigIntegerField(null=True)
    world = models.ForeignKey("Blob", models.PROTECT, null=True, related_name="+", db_index=False)
    response = models.ForeignKey("Blob", models.PROTECT, null=True, related_name="+", db_index=False)
    request_id = models.TextField(null=True)
    estimated_tokens = models.PositiveIntegerField(default=0)
    prompt_tokens = models.PositiveIntegerField(default=0)
    completion_tokens = models.PositiveIntegerField(default=0)
    cached_input_tokens = models.PositiveIntegerField(default=0)
    cache_write_tokens = models.PositiveIntegerField(default=0)
    reasoning_tokens = models.PositiveIntegerField(default=0)
    cost_usd = models.DecimalField(max_digits=14, decimal_places=8, null=True)
    error = models.JSONField(null=True)
    feedback = models.TextField(null=True)
    tags: "ArrayField[list[str], list[str]]" = ArrayField(models.TextField(), default=list)
    started_at = models.DateTimeField(db_default=models.functions.Now())
    finished_at = models.DateTimeField(null=True)
    first_token_ms = models.FloatField(null=True)
    model_ms = models.FloatField(null=True)
    tools_ms = models.FloatField(null=True)

    class Meta:
        db_table = "step"
        ordering = ("agent", "number")
        indexes = (of_conversation("step_of_conversation"),)
        constraints = (
            models.UniqueConstraint(fields=["agent", "number"], name="step_number_once"),
            one_of("status", StepStatus, "step_status_known"),
        )

    def __str__(self) -> str:
        return f"step {self.number}"


class ToolCallStatus(models.TextChoices):
    """``awaiting``: a person has to approve it, or the caller to answer it. ``held``: it runs together with those that awaited an
    answer, once they have one. ``paused``: its run stands at a breakpoint before it or after it."""

    AWAITING = "awaiting"
    HELD = "held"
    PAUSED = "paused"
    INTENDED = "intended"
    OK = "ok"
    ERROR = "error"
    INTERRUPTED = "interrupted"


class ToolCall(models.Model):
    """A tool call of a step: committed as *intended* before it runs, so that a crash can never repeat it unseen.

    ``code_digest`` is the SHA-256 of the source that ran, None for builtin tools. ``result`` is the text the agent sees.
    """

    step = models.ForeignKey(Step, models.CASCADE, related_name="calls")
    agent = models.ForeignKey("Agent", models.CASCADE, related_name="calls")
    call_id = models.TextField()
    position = models.PositiveSmallIntegerField(default=0)
    name = models.TextField()
    arguments = models.JSONField(default=dict)
    status = models.TextField(choices=ToolCallStatus, default=ToolCallStatus.INTENDED)
    result = models.TextField(null=True)
    stdout = models.TextField(blank=True, default="")
    stderr = models.TextField(blank=True, default="")
    code_digest = models.BinaryField(null=True)
    created_at = models.DateTimeField(db_default=models.functions.Now())
    started_ms = models.FloatField(default=0, help_text="Milliseconds after the step's start.")
    duration_ms = models.FloatField(null=True)

    class Meta:
        db_table = "tool_call"
        ordering = ("step", "position")
        indexes = (
            models.Index(fields=["name", "-created_at"], name="tool_call_of_tool"),
            models.Index(
                fields=["agent"],
                condition=models.Q(status=ToolCallStatus.AWAITING),
                name="tool_call_awaiting",
            ),
        )
        constraints = (
            models.UniqueConstraint(fields=["step", "call_id"], name="tool_call_once"),
            one_of("status", ToolCallStatus, "tool_call_status_known"),
        )

    def __str__(self) -> str:
        return f"{self.name} {self.call_id}"

    @property
    def awaits(self) -> bool:
        return self.status == ToolCallStatus.AWAITING
