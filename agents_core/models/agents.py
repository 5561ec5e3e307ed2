"""Agents, the tools, blocks and archives they hold, and their conversations."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from agents_core.models.base import IdField, Timestamped, one_of

if TYPE_CHECKING:
    from agents_core.models.archives import Archive
    from agents_core.models.blocks import Block
    from agents_core.models.tools import Tool


class AgentKind(models.TextChoices):
    """The kinds of the V1 contract; what each means is a ``LoopPolicy`` (agents_core.runtime.policy)."""

    MEMGPT = "memgpt_agent"
    MEMGPT_V2 = "memgpt_v2_agent"
    V1 = "letta_v1_agent"
    REACT = "react_agent"
    WORKFLOW = "workflow_agent"
    SPLIT_THREAD = "split_thread_agent"
    SLEEPTIME = "sleeptime_agent"
    VOICE = "voice_convo_agent"
    VOICE_SLEEPTIME = "voice_sleeptime_agent"


class Agent(Timestamped):
    """``event_seq`` and ``step_count`` are the last numbers given to an event, a message and a step of this agent."""

    id = IdField("agent")
    name = models.TextField()
    description = models.TextField(null=True, blank=True)
    agent_type = models.TextField(choices=AgentKind, default=AgentKind.V1)
    system = models.TextField(help_text="The system instructions, before memory is compiled into them.")
    model = models.TextField(help_text="Model handle: provider/name.")
    model_settings = models.JSONField(default=dict, blank=True)
    context_window = models.PositiveIntegerField(help_text="Tokens that a request may hold at most.")
    embedding = models.TextField(null=True, blank=True, help_text="Embedding handle: provider/name.")
    tool_rules = models.JSONField(default=list, blank=True)
    compaction_settings = models.JSONField(default=dict, blank=True)
    budgets = models.JSONField(
        default=dict, blank=True, help_text="What its runs may use; see agents_core.runtime.budgets."
    )
    response_format = models.JSONField(null=True, blank=True)
    message_buffer_autoclear = models.BooleanField(default=False)
    enable_sleeptime = models.BooleanField(default=False)
    max_files_open = models.PositiveIntegerField(default=5)
    per_file_view_window_char_limit = models.PositiveIntegerField(default=15_000)
    tags: "ArrayField[list[str], list[str]]" = ArrayField(models.TextField(), default=list, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    timezone = models.TextField(default="UTC")
    hidden = models.BooleanField(default=False)
    last_run_completion = models.DateTimeField(null=True, editable=False)
    last_run_duration_ms = models.BigIntegerField(null=True, editable=False)
    last_stop_reason = models.TextField(null=True, editable=False)
    event_seq = models.BigIntegerField(default=0, editable=False)
    step_count = models.BigIntegerField(default=0, editable=False)
    tools: "models.ManyToManyField[Tool, AgentTool]" = models.ManyToManyField(
        "Tool", through="AgentTool", related_name="agents"
    )
    blocks: "models.ManyToManyField[Block, AgentBlock]" = models.ManyToManyField(
        "Block", through="AgentBlock", related_name="agents"
    )
    archives: "models.ManyToManyField[Archive, AgentArchive]" = models.ManyToManyField(
        "Archive", through="AgentArchive", related_name="agents"
    )

    class Meta:
        db_table = "agent"
        indexes = (
            GinIndex(fields=["tags"], name="agent_tags"),
            models.Index(fields=["-created_at", "id"], name="agent_created"),
        )
        constraints = (
            one_of("agent_type", AgentKind, "agent_type_known"),
            models.CheckConstraint(
                condition=models.Q(context_window__gte=1024),
                name="agent_context_window_min",
            ),
            models.CheckConstraint(condition=~models.Q(name=""), name="agent_name_given"),
        )

    def __str__(self) -> str:
        return self.name

    @classmethod
    def tagged(cls, match_all: Sequence[str], match_some: Sequence[str], *, but: str) -> "models.QuerySet[Agent]":
        """The agents, oldest first, without the one of the id ``but``, that have all tags of ``match_all`` and, unless it is empty, one
        of ``match_some``."""
        agents = cls.objects.exclude(id=but).filter(tags__contains=list(match_all)).order_by("created_at", "id")
        return agents.filter(tags__overlap=list(match_some)) if match_some else agents


class AgentTool(models.Model):
    agent = models.ForeignKey(Agent, models.CASCADE, related_name="tool_links")
    tool = models.ForeignKey("Tool", models.CASCADE, related_name="agent_links")

    class Meta:
        db_table = "agent_tool"
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=["agent", "tool"], name="agent_tool_once"),)


class AgentBlock(models.Model):
    """``label`` repeats the block's, so that the database can keep labels unique within an agent."""

    agent = models.ForeignKey(Agent, models.CASCADE, related_name="block_links")
    block = models.ForeignKey("Block", models.CASCADE, related_name="agent_links")
    label = models.TextField()

    class Meta:
        db_table = "agent_block"
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=["agent", "block"], name="agent_block_once"),
            models.UniqueConstraint(fields=["agent", "label"], name="agent_block_label_once"),
        )


class AgentArchive(models.Model):
    agent = models.ForeignKey(Agent, models.CASCADE, related_name="archive_links")
    archive = models.ForeignKey("Archive", models.CASCADE, related_name="agent_links")

    class Meta:
        db_table = "agent_archive"
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=["agent", "archive"], name="agent_archive_once"),)


class AgentVariable(models.Model):
    """A secret of an agent, given to its tools as an environment variable; ``sealed`` is encrypted (agents_core.models.sealed)."""

    id = IdField("agent-env")
    agent = models.ForeignKey(Agent, models.CASCADE, related_name="variables")
    key = models.TextField()
    sealed = models.BinaryField()
    description = models.TextField(null=True, blank=True)

    class Meta:
        db_table = "agent_variable"
        constraints = (models.UniqueConstraint(fields=["agent", "key"], name="agent_variable_once"),)

    def __str__(self) -> str:
        return self.key


class Conversation(Timestamped):
    """A thread of an agent beside its default one. Messages outside any conversation are the default thread's."""

    id = IdField("conv")
    agent = models.ForeignKey(Agent, models.CASCADE, related_name="conversations")
    summary = models.TextField(null=True, blank=True)
    model = models.TextField(null=True, blank=True)
    model_settings = models.JSONField(null=True, blank=True)
    last_message_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        db_table = "conversation"
        indexes = (models.Index(fields=["agent", "-created_at"], name="conversation_of_agent"),)

    def __str__(self) -> str:
        return self.summary or self.id
