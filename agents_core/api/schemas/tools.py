"""Tools on the wire (contract: wire, section 5)."""

from typing import Any, Literal

from pydantic import Field

from agents_core.api.paging import Cursor
from agents_core.api.schemas.common import Answer, Body, StrictBody
from agents_core.models import Tool


class ToolResponse(Answer):
    id: str
    name: str
    tool_type: str
    description: str | None
    source_type: str
    source_code: str | None
    json_schema: dict[str, Any]
    args_json_schema: dict[str, Any] | None
    tags: list[str]
    return_char_limit: int
    pip_requirements: list[dict[str, Any]]
    npm_requirements: list[dict[str, Any]]
    hosts: list[str]
    default_requires_approval: bool
    enable_parallel_execution: bool
    metadata_: dict[str, Any]
    project_id: str | None = None
    created_by_id: str | None = None
    last_updated_by_id: str | None = None

    @classmethod
    def of(cls, tool: Tool) -> "ToolResponse":
        stored = {name: getattr(tool, name) for name in _STORED}
        return cls.model_construct(**stored, metadata_=tool.metadata)


_STORED = (
    "id",
    "name",
    "tool_type",
    "description",
    "source_type",
    "source_code",
    "json_schema",
    "args_json_schema",
    "tags",
    "return_char_limit",
    "pip_requirements",
    "npm_requirements",
    "hosts",
    "default_requires_approval",
    "enable_parallel_execution",
)


class Requirement(StrictBody):
    name: str
    version: str | None = None


class _ToolFields(StrictBody):
    description: str | None = None
    source_type: str | None = None
    json_schema: dict[str, Any] | None = None
    args_json_schema: dict[str, Any] | None = None
    tags: list[str] | None = None
    return_char_limit: int | None = Field(None, ge=1, le=1_000_000)
    pip_requirements: list[Requirement] | None = None
    npm_requirements: list[Requirement] | None = None
    hosts: list[str] | None = None
    default_requires_approval: bool | None = None
    enable_parallel_execution: bool | None = None

    def stored(self) -> dict[str, Any]:
        """The given fields under the names of ``agents_core.models.Tool``."""
        fields: dict[str, Any] = self.given()
        for name in ("pip_requirements", "npm_requirements"):
            if name in fields:
                fields[name] = [requirement.model_dump() for requirement in fields[name]]
        if "metadata_" in fields:
            fields["metadata"] = fields.pop("metadata_")
        return fields


class ToolCreate(_ToolFields):
    source_code: str


class ToolUpdate(_ToolFields):
    """Unknown fields are ignored here, as clients send back whole tools."""

    model_config = {"extra": "ignore"}

    source_code: str | None = None
    metadata_: dict[str, Any] | None = None


class ToolFilter(Cursor):
    name: str | None = None
    names: list[str] | None = None
    tool_ids: list[str] | None = None
    search: str | None = None
    tool_types: list[str] | None = None
    exclude_tool_types: list[str] | None = None
    return_only_letta_tools: bool = False


class AgentToolCursor(Cursor):
    limit: int = Field(10, ge=1, le=1000)


class ToolSearch(StrictBody):
    query: str | None = None
    search_mode: Literal["vector", "fts", "hybrid"] = "hybrid"
    tool_types: list[str] | None = None
    tags: list[str] | None = None
    limit: int = Field(50, ge=1, le=100)


class ToolRun(StrictBody):
    """A source to try, and what to call it with. ``agent_id``: the agent that calls; what it changes of its memory is written nowhere."""

    source_code: str
    args: dict[str, Any]
    env_vars: dict[str, str] | None = None
    name: str | None = None
    source_type: str | None = None
    args_json_schema: dict[str, Any] | None = None
    json_schema: dict[str, Any] | None = None
    pip_requirements: list[Requirement] | None = None
    npm_requirements: list[Requirement] | None = None
    agent_id: str | None = None


class AgentToolRun(Body):
    args: dict[str, Any] = Field(default_factory=dict)


class ApprovalFlag(StrictBody):
    requires_approval: bool


class ToolExecutionResult(Answer):
    status: Literal["success", "error"]
    func_return: Any = None
    stdout: list[str] | None = None
    stderr: list[str] | None = None
    agent_state: None = None
    sandbox_config_fingerprint: str | None = None
