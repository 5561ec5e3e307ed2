"""Forks of agents, and the branches that an agent has left: the times when its present was kept and it went on from somewhere else."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from agents_core.models.base import IdField, one_of
from agents_core.models.blocks import Author


class Fork(models.Model):
    """Where an agent was copied from: ``parent`` just before its step ``step_number``, or as it was then without one.

    The fork shares the numbers of messages and events with its parent up to ``seq``. ``parent`` is None once that was deleted.
    ``conversation_id``: the parent's thread that became its default one.
    """

    agent = models.OneToOneField("Agent", models.CASCADE, primary_key=True, related_name="origin")
    parent = models.ForeignKey("Agent", models.SET_NULL, null=True, related_name="forks")
    conversation_id = models.TextField(null=True)
    step_number = models.BigIntegerField(null=True)
    seq = models.BigIntegerField()
    author = models.TextField(choices=Author)
    created_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        db_table = "fork"
        constraints = (one_of("author", Author, "fork_author_known"),)

    def __str__(self) -> str:
        return f"{self.agent_id} from {self.parent_id}"


class Cause(models.TextChoices):
    """Why an agent left a branch: it went back to a step, came back to a branch, or took over a fork."""

    REWIND = "rewind", _("a rewind")
    COME_BACK = "come_back", _("coming back")
    ADOPT = "adopt", _("adopting a fork")


class Branch(models.Model):
    """The present that an agent left, kept so that it can come back.

    ``state``: a ``record.states.AgentState``; ``digest``: the SHA-256 of what it made the agent do. ``line``: the parts of the agent's
    stream that led here, [[first, last]] numbers of events; ``base``: those that led to where it went instead, to which all that came
    after ``seq`` belongs. ``first_step`` to ``last_step``: the steps that were left, None when there are none. ``target``: the branch it
    came back to; ``fork_id``: the agent it took over.
    """

    id = IdField("branch")
    agent = models.ForeignKey("Agent", models.CASCADE, related_name="branches", db_index=False)
    conversation = models.ForeignKey("Conversation", models.CASCADE, null=True, related_name="+", db_index=False)
    name = models.TextField()
    cause = models.TextField(choices=Cause)
    step_number = models.BigIntegerField(null=True)
    target = models.ForeignKey("self", models.SET_NULL, null=True, related_name="+", db_index=False)
    fork_id = models.TextField(null=True)
    seq = models.BigIntegerField()
    first_step = models.BigIntegerField(null=True)
    last_step = models.BigIntegerField(null=True)
    line = models.JSONField(default=list)
    base = models.JSONField(default=list)
    state = models.JSONField()
    digest = models.BinaryField()
    author = models.TextField(choices=Author)
    created_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        db_table = "branch"
        verbose_name_plural = "branches"
        ordering = ("agent", "seq")
        constraints = (
            one_of("cause", Cause, "branch_cause_known"),
            one_of("author", Author, "branch_author_known"),
            models.UniqueConstraint(fields=["agent", "seq"], name="branch_seq_once"),
        )

    def __str__(self) -> str:
        return self.name
