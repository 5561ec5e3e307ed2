"""Groups of agents, their turns, and which run waits for which."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from agents_core.models.base import IdField, Timestamped, one_of
from agents_core.models.runs import RunStatus


class GroupKind(models.TextChoices):
    """How a group decides who speaks (contract: wire, section 19)."""

    ROUND_ROBIN = "round_robin"
    SUPERVISOR = "supervisor"
    DYNAMIC = "dynamic"
    SLEEPTIME = "sleeptime"
    VOICE_SLEEPTIME = "voice_sleeptime"


SLEEPTIME_GROUPS = (GroupKind.SLEEPTIME, GroupKind.VOICE_SLEEPTIME)


class Group(Timestamped):
    """``manager`` leads a group of every kind but ``round_robin``; of a sleep-time group it is the agent whose memory the others tend.

    ``turns_counter`` counts the manager's requests modulo ``sleeptime_agent_frequency`` (None: every request counts), from -1; the others
    are called when it is 0. ``sleeptime_idle_s``: they are also called when the manager was left alone for so many seconds with something
    they have not seen. ``last_processed_message_id`` and ``last_processed_seq``: the manager's message up to which they have seen all.
    """

    id = IdField("group")
    manager_type = models.TextField(choices=GroupKind, default=GroupKind.ROUND_ROBIN)
    description = models.TextField(blank=True, default="")
    manager = models.ForeignKey("Agent", models.CASCADE, null=True, related_name="managed_groups")
    termination_token = models.TextField(null=True)
    max_turns = models.PositiveIntegerField(null=True)
    sleeptime_agent_frequency = models.PositiveIntegerField(null=True)
    sleeptime_idle_s = models.PositiveIntegerField(null=True)
    turns_counter = models.IntegerField(default=-1)
    last_processed_message_id = models.TextField(null=True)
    last_processed_seq = models.BigIntegerField(default=0)
    max_message_buffer_length = models.PositiveIntegerField(null=True)
    min_message_buffer_length = models.PositiveIntegerField(null=True)
    shared_block_ids: "ArrayField[list[str], list[str]]" = ArrayField(models.TextField(), default=list, blank=True)
    hidden = models.BooleanField(default=False)

    class Meta:
        db_table = "agent_group"
        indexes = (models.Index(fields=["-created_at", "id"], name="agent_group_created"),)
        constraints = (
            one_of("manager_type", GroupKind, "agent_group_kind_known"),
            models.UniqueConstraint(
                fields=["manager"],
                condition=models.Q(manager_type__in=SLEEPTIME_GROUPS),
                name="agent_group_sleeptime_once",
            ),
            models.CheckConstraint(
                condition=models.Q(manager_type=GroupKind.ROUND_ROBIN) | models.Q(manager__isnull=False),
                name="agent_group_managed",
            ),
            models.CheckConstraint(
                condition=models.Q(sleeptime_agent_frequency__isnull=True) | models.Q(sleeptime_agent_frequency__gte=1),
                name="agent_group_frequency_positive",
            ),
        )

    def __str__(self) -> str:
        return self.description or self.id


class GroupAgent(models.Model):
    """A member, in the order of speaking; the manager is none."""

    group = models.ForeignKey(Group, models.CASCADE, related_name="members")
    agent = models.ForeignKey("Agent", models.CASCADE, related_name="group_links")

    class Meta:
        db_table = "group_agent"
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=["group", "agent"], name="group_agent_once"),)


class GroupTurn(models.Model):
    """One request to a group. The runs that its agents make carry its id in their metadata; all that else matters follows from those.

    ``request``: {messages: what was said to the group, options: what its runs are asked for, group: who was in it and how they take turns
    when the turn began}.
    """

    id = IdField("group_turn")
    group = models.ForeignKey(Group, models.CASCADE, related_name="turns")
    status = models.TextField(choices=RunStatus, default=RunStatus.CREATED)
    stop_reason = models.TextField(null=True)
    request = models.JSONField(default=dict)
    error = models.JSONField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    cancel_requested = models.BooleanField(default=False)
    run_ids: "ArrayField[list[str], list[str]]" = ArrayField(models.TextField(), default=list, blank=True)
    created_at = models.DateTimeField(db_default=models.functions.Now())
    completed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "group_turn"
        ordering = ("-created_at", "id")
        constraints = (one_of("status", RunStatus, "group_turn_status_known"),)


class RunWait(models.Model):
    """``run`` waits for the end of ``awaited``; gone when it no longer does. What deadlocks are found by."""

    run = models.ForeignKey("Run", models.CASCADE, related_name="waits")
    awaited = models.ForeignKey("Run", models.CASCADE, related_name="awaited_by")

    class Meta:
        db_table = "run_wait"
        constraints = (models.UniqueConstraint(fields=["run", "awaited"], name="run_wait_once"),)
