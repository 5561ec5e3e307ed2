"""MCP servers: how each is reached, the tools it gave, and signing in to one."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from agents_core.models.base import IdField, Timestamped, one_of
from agents_core.models.tools import Tool


class McpKind(models.TextChoices):
    STDIO = "stdio"
    SSE = "sse"
    STREAMABLE_HTTP = "streamable_http"


class McpServer(Timestamped):
    """A server of tools. A stdio one is a program (``command``, ``args``), the others are at ``url``.

    ``sealed_secrets``: JSON {env, headers, auth_header, auth_token}; ``sealed_sign_in``: what OAuth gave (agents_core.tools.mcp.oauth);
    ``last_check``: what came of the last connection (agents_core.actions.mcp); ``call_timeout_s``: how long one call may take.
    """

    id = IdField("mcp_server")
    name = models.TextField(unique=True)
    kind = models.TextField(choices=McpKind)
    command = models.TextField(default="", blank=True)
    args: "ArrayField[list[str], list[str]]" = ArrayField(models.TextField(), default=list, blank=True)
    url = models.TextField(default="", blank=True)
    sealed_secrets = models.BinaryField(null=True)
    sealed_sign_in = models.BinaryField(null=True)
    call_timeout_s = models.PositiveIntegerField(default=60)
    last_check = models.JSONField(null=True, blank=True)

    class Meta:
        db_table = "mcp_server"
        verbose_name = "MCP server"
        constraints = (one_of("kind", McpKind, "mcp_server_kind_known"),)

    def __str__(self) -> str:
        return self.name


class McpTool(models.Model):
    """Which server a tool is of, and its name there, which may differ from the one that agents call it by."""

    tool = models.OneToOneField(Tool, models.CASCADE, primary_key=True, related_name="mcp")
    server = models.ForeignKey(McpServer, models.CASCADE, related_name="tools", db_index=False)
    remote_name = models.TextField()

    class Meta:
        db_table = "mcp_tool"
        constraints = (models.UniqueConstraint(fields=["server", "remote_name"], name="mcp_tool_once"),)

    def __str__(self) -> str:
        return self.remote_name


class McpSignIn(models.Model):
    """A person who was sent to sign in to a server. ``sealed_answer`` is the code that came back, or ``problem`` why there is none."""

    id = IdField("mcp-oauth")
    server = models.ForeignKey(McpServer, models.CASCADE, related_name="sign_ins")
    state = models.TextField(unique=True)
    sealed_answer = models.BinaryField(null=True)
    problem = models.TextField(default="", blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "mcp_sign_in"

    def __str__(self) -> str:
        return self.id
