"""The versions of tools: each change of what a tool is or what its model is told is kept."""

from agents_core.errors import NotFound
from agents_core.models import Author, Tool, ToolVersion

VERSIONED = ("source_code", "json_schema", "args_json_schema", "pip_requirements", "npm_requirements")


def record_version(tool: Tool, author: Author) -> None:
    """Keeps ``tool`` as its next version, unless nothing of a version changed. The tool's row is locked, or new."""
    fields = {name: getattr(tool, name) for name in VERSIONED}
    newest = ToolVersion.objects.filter(tool=tool).last()
    if newest is None or any(getattr(newest, name) != value for name, value in fields.items()):
        ToolVersion.objects.create(tool=tool, number=newest.number + 1 if newest else 1, author=author, **fields)


def find_version(tool_id: str, number: int) -> ToolVersion:
    """Raises ``NotFound``."""
    version = ToolVersion.objects.filter(tool=tool_id, number=number).first()
    if version is None:
        raise NotFound(f"The tool has no version {number}.")
    return version
