"""What a tool's author keeps of a tool: every version it ever had, and the cases it is tried with."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from agents_core.models.base import Timestamped, one_of
from agents_core.models.blocks import Author
from agents_core.models.tools import Tool


class ToolVersion(models.Model):
    """The code, the schema and the requirements of a tool as they stood after a change. ``number`` counts from 1 in each tool."""

    tool = models.ForeignKey(Tool, models.CASCADE, related_name="versions", db_index=False)
    number = models.PositiveIntegerField()
    source_code = models.TextField(null=True)
    json_schema = models.JSONField(default=dict)
    args_json_schema = models.JSONField(null=True)
    pip_requirements = models.JSONField(default=list)
    npm_requirements = models.JSONField(default=list)
    author = models.TextField(choices=Author)
    created_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        db_table = "tool_version"
        ordering = ("tool", "number")
        constraints = (
            models.UniqueConstraint(fields=["tool", "number"], name="tool_version_once"),
            one_of("author", Author, "tool_version_author_known"),
        )

    def __str__(self) -> str:
        return f"{self.tool_id} v{self.number}"


class Expectation(models.TextChoices):
    """What a case asks of the call. The last asks for an error; all others fail when there is one."""

    RETURNS = "returns", _("returns, whatever it is")
    EQUALS = "equals", _("returns exactly")
    CONTAINS = "contains", _("returns a text or JSON that contains")
    TYPE = "type", _("returns a value of type")
    RAISES = "raises", _("fails with an error that contains")


class CaseStatus(models.TextChoices):
    PASSED = "passed"
    FAILED = "failed"


class ToolCase(Timestamped):
    """A call of a tool with the outcome that is right. ``expected`` is the value, the text, or the name of a JSON type.

    ``got`` is what the last run gave, as text; ``ran_version`` the version of the tool that ran, None for text that was not saved.
    """

    tool = models.ForeignKey(Tool, models.CASCADE, related_name="cases", db_index=False)
    name = models.TextField()
    arguments = models.JSONField(default=dict)
    expectation = models.TextField(choices=Expectation, default=Expectation.RETURNS)
    expected = models.JSONField(null=True)
    status = models.TextField(choices=CaseStatus, null=True)
    got = models.TextField(blank=True, default="")
    ran_ms = models.FloatField(null=True)
    ran_at = models.DateTimeField(null=True)
    ran_version = models.PositiveIntegerField(null=True)

    class Meta:
        db_table = "tool_case"
        constraints = (
            models.UniqueConstraint(fields=["tool", "name"], name="tool_case_name_once"),
            models.CheckConstraint(condition=~models.Q(name=""), name="tool_case_named"),
            one_of("expectation", Expectation, "tool_case_expectation_known"),
        )

    def __str__(self) -> str:
        return self.name
