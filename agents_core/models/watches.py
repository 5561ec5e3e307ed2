"""Watches: expressions whose value is followed over the steps of agents."""

from django.db import models

from agents_core.models.base import IdField


class Watch(models.Model):
    """``expression`` (agents_core.record.expressions) is looked at on every step of ``agent``, or of all agents. Without a ``name`` it is
    called by its text."""

    id = IdField("watch")
    agent = models.ForeignKey("Agent", models.CASCADE, null=True, related_name="watches")
    expression = models.TextField()
    name = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        db_table = "watch"
        verbose_name_plural = "watches"
        ordering = ("created_at", "id")

    def __str__(self) -> str:
        return self.name or self.expression
