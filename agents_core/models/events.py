"""The event stream: everything that happens, numbered per agent without gaps."""

from django.db import models


class Event(models.Model):
    """Written only by agents_core.events.publish, read raw only by agents_core.events. ``payload`` holds ids and small facts."""

    # The publisher holds the agent's row when it writes: the database need not look for it again at each event.
    agent = models.ForeignKey("Agent", models.CASCADE, related_name="events", db_index=False, db_constraint=False)
    seq = models.BigIntegerField()
    type = models.TextField()
    run_id = models.TextField(null=True)
    step_id = models.TextField(null=True)
    payload = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        db_table = "event"
        ordering = ("agent", "seq")
        constraints = (models.UniqueConstraint(fields=["agent", "seq"], name="event_seq_once"),)

    def __str__(self) -> str:
        return f"{self.seq} {self.type}"
