"""Tools that agents may call."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from agents_core.models.base import IdField, Timestamped, one_of


class ToolType(models.TextChoices):
    CUSTOM = "custom"
    CORE = "letta_core"
    MEMORY = "letta_memory_core"
    MULTI_AGENT = "letta_multi_agent_core"
    SLEEPTIME = "letta_sleeptime_core"
    VOICE_SLEEPTIME = "letta_voice_sleeptime_core"
    BUILTIN = "letta_builtin"
    FILES = "letta_files_core"
    MCP = "external_mcp"


class Tool(Timestamped):
    """``json_schema`` is {name, description, parameters}. ``source_code`` is empty for tools that are part of the product."""

    id = IdField("tool")
    name = models.TextField(unique=True)
    tool_type = models.TextField(choices=ToolType, default=ToolType.CUSTOM)
    description = models.TextField(null=True, blank=True)
    source_type = models.TextField(default="python")
    source_code = models.TextField(null=True, blank=True)
    json_schema = models.JSONField(default=dict)
    args_json_schema = models.JSONField(null=True, blank=True)
    tags: "ArrayField[list[str], list[str]]" = ArrayField(models.TextField(), default=list, blank=True)
    return_char_limit = models.PositiveIntegerField(default=50_000)
    pip_requirements = models.JSONField(default=list, blank=True)
    hosts: "ArrayField[list[str], list[str]]" = ArrayField(
        models.TextField(), default=list, blank=True, help_text="Names that its code may reach; none: no network."
    )
    npm_requirements = models.JSONField(default=list, blank=True)
    default_requires_approval = models.BooleanField(default=False)
    enable_parallel_execution = models.BooleanField(default=False)
    metadata = models.JSONField(default=dict, blank=True)

    class Meta:
        db_table = "tool"
        constraints = (
            one_of("tool_type", ToolType, "tool_type_known"),
            models.CheckConstraint(
                condition=models.Q(return_char_limit__gte=1, return_char_limit__lte=1_000_000),
                name="tool_return_char_limit_range",
            ),
        )

    def __str__(self) -> str:
        return self.name


class ToolVariable(models.Model):
    """A variable of a tool's environment, for every agent that calls it; ``sealed`` is encrypted (agents_core.models.sealed).

    The value of a ``secret`` is in no page again, and hidden in all that the tool says.
    """

    tool = models.ForeignKey(Tool, models.CASCADE, related_name="variables", db_index=False)
    key = models.TextField()
    sealed = models.BinaryField()
    secret = models.BooleanField(default=True)

    class Meta:
        db_table = "tool_variable"
        constraints = (models.UniqueConstraint(fields=["tool", "key"], name="tool_variable_once"),)

    def __str__(self) -> str:
        return self.key
