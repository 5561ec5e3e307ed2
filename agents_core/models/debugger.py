"""Where runs are to stop, where they have stopped, and what people changed there."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from agents_core.models.base import IdField, one_of


class BreakpointKind(models.TextChoices):
    """When a breakpoint is looked at, and what it looks for."""

    MODEL = "model", _("before the model is called")
    ANSWER = "answer", _("after the model has answered")
    TOOL = "tool", _("before a tool runs")
    RESULT = "result", _("after a tool has run")
    ERROR = "error", _("when a model or a tool fails")
    APPROVAL = "approval", _("when a call has to be approved")
    BLOCK_WRITE = "block_write", _("when a block is about to change")
    BLOCK_CHANGED = "block_changed", _("when a block has changed since the step before")
    TEXT = "text", _("when a text appears in the context")
    CONTEXT = "context", _("when the context is fuller than a share of the window")
    EVICTION = "eviction", _("just before messages leave the context")
    REPEAT = "repeat", _("when the same call is made again and again")
    CACHE = "cache", _("when the request breaks the provider's prefix cache")
    EXPRESSION = "expression", _("when an expression becomes true")


class Breakpoint(models.Model):
    """Where runs of ``agent``, or of all agents, stop. What its kind does not look at is empty.

    ``target``: the name of the tool, or the label of the block; empty for any. ``pattern``: the regular expression of a text.
    ``threshold``: percent of the context window, or how many equal calls. ``condition``: an expression that has to be true besides
    (``record.expressions``). ``nth``: it stops from its nth hit on. ``log``: a logpoint, which says this and does not stop.
    """

    id = IdField("breakpoint")
    agent = models.ForeignKey("Agent", models.CASCADE, null=True, related_name="breakpoints")
    kind = models.TextField(choices=BreakpointKind)
    target = models.TextField(blank=True, default="")
    pattern = models.TextField(blank=True, default="")
    threshold = models.PositiveIntegerField(null=True)
    condition = models.TextField(blank=True, default="")
    nth = models.PositiveIntegerField(default=1)
    log = models.TextField(blank=True, default="")
    enabled = models.BooleanField(default=True)
    hits = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        db_table = "breakpoint"
        ordering = ("created_at", "id")
        constraints = (one_of("kind", BreakpointKind, "breakpoint_kind_known"),)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.target}".strip()


class PauseStage(models.TextChoices):
    """Where in a step a run stands: before its request goes out, before messages leave the context, after the answer and before its
    calls, after the calls and before their results are written, or after the model failed."""

    REQUEST = "request"
    EVICTION = "eviction"
    ANSWER = "answer"
    RESULTS = "results"
    FAILED = "failed"


class Pause(models.Model):
    """A stop of a run. ``reasons``: for each breakpoint that stopped it {"breakpoint_id", "kind", "text", "call_id", "label"}.

    ``proposed``: at RESULTS, the writes to blocks that would be made: {"call_id", "block_id", "label", "before", "after"}.
    ``recordings``: of the calls that were stepped into, by call id, the steps of their code (``sandbox.base.RecordedStep``).
    ``resolution``: how it went on: "continue", "over", "into", "out" or "cancel"; None while it stands.
    """

    id = IdField("pause")
    agent = models.ForeignKey("Agent", models.CASCADE, related_name="pauses", db_index=False)
    run = models.ForeignKey("Run", models.CASCADE, related_name="stops")
    step = models.ForeignKey("Step", models.CASCADE, related_name="pauses")
    stage = models.TextField(choices=PauseStage)
    reasons = models.JSONField(default=list)
    proposed = models.JSONField(default=list)
    recordings = models.JSONField(default=dict)
    resolution = models.TextField(null=True)
    created_at = models.DateTimeField(db_default=models.functions.Now())
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "pause"
        ordering = ("created_at", "id")
        constraints = (
            one_of("stage", PauseStage, "pause_stage_known"),
            models.UniqueConstraint(fields=["run"], condition=models.Q(resolved_at__isnull=True), name="pause_once"),
        )
        indexes = (models.Index(fields=["agent", "-created_at"], name="pause_of_agent"),)

    def __str__(self) -> str:
        return f"{self.stage} of {self.step_id}"


class Intervention(models.Model):
    """What a person changed while a run stood: ``kind`` of ``target`` from ``before`` to ``after``; never changed or deleted by itself.

    ``kind``: "system", "block", "message", "answer", "arguments", "result", "refused" or "write".
    """

    id = models.BigAutoField(primary_key=True)
    pause = models.ForeignKey(Pause, models.CASCADE, related_name="interventions")
    step = models.ForeignKey("Step", models.CASCADE, related_name="interventions")
    kind = models.TextField()
    target = models.TextField(blank=True, default="")
    before = models.TextField(blank=True, default="")
    after = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        db_table = "intervention"
        ordering = ("created_at", "id")

    def __str__(self) -> str:
        return f"{self.kind} {self.target}".strip()
