"""Messages that are sent later, once or again and again, and batches of messages that are sent together."""

from django.db import models

from agents_core.models.base import IdField, Timestamped


class Schedule(models.Model):
    """Messages for an agent: at ``scheduled_at``, or whenever ``cron`` (five fields, in the agent's time zone) says.

    ``messages`` hold the fields of ``actions.messages.Input``, ``options`` what else the run is asked for. ``next_at`` is None when nothing
    is to come. ``last_run_id`` names the run of the last time that they were sent.
    """

    id = IdField("schedule")
    agent = models.ForeignKey("Agent", models.CASCADE, related_name="schedules")
    messages = models.JSONField()
    options = models.JSONField(default=dict)
    scheduled_at = models.DateTimeField(null=True)
    cron = models.TextField(null=True)
    next_at = models.DateTimeField(null=True)
    last_sent_at = models.DateTimeField(null=True)
    last_run_id = models.TextField(null=True)
    created_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        db_table = "schedule"
        indexes = (models.Index(fields=["next_at"], condition=models.Q(next_at__isnull=False), name="schedule_due"),)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(scheduled_at__isnull=True, cron__isnull=False)
                | models.Q(scheduled_at__isnull=False, cron__isnull=True),
                name="schedule_once_or_recurring",
            ),
        )

    def __str__(self) -> str:
        return self.id


class Batch(Timestamped):
    """Requests that were sent together, each a run of its own. ``completed_at`` is set once all of them have ended."""

    id = IdField("job")
    cancel_requested = models.BooleanField(default=False)
    completed_at = models.DateTimeField(null=True)
    callback_url = models.TextField(null=True)
    callback_sent_at = models.DateTimeField(null=True)
    callback_status_code = models.PositiveSmallIntegerField(null=True)
    callback_error = models.TextField(null=True)

    class Meta:
        db_table = "batch"
        verbose_name_plural = "batches"
        indexes = (
            models.Index(fields=["created_at"], condition=models.Q(completed_at__isnull=True), name="batch_open"),
            models.Index(fields=["-created_at", "id"], name="batch_created"),
        )

    def __str__(self) -> str:
        return self.id
