"""Core memory as a folder of files, and edits of it as patches (contract: agent-loop, section 3)."""

from dataclasses import dataclass, field
from typing import Literal

from agents_core.memory import edits
from agents_core.models import ToolType
from agents_core.tools.base import ToolContext, ToolError, tool

_FOLDER = "/memories/"
_HEADERS = {
    "*** Add Block:": "add",
    "*** Delete Block:": "delete",
    "*** Update Block:": "update",
    "*** Move to:": "move",
}


def _label(path: str | None, argument: str = "path") -> str:
    """The label of a path such as /memories/human. Raises ``ToolError``."""
    label = (path or "").removeprefix(_FOLDER).strip("/")
    if not label:
        raise ToolError(f"Give {argument} as {_FOLDER}<label>, such as {_FOLDER}human.")
    return label


def _given(value: str | None, argument: str, command: str) -> str:
    if value is None:
        raise ToolError(f"The command {command} needs {argument}.")
    return value


@tool(ToolType.SLEEPTIME)
async def memory(
    ctx: ToolContext,
    command: Literal["create", "str_replace", "insert", "delete", "rename"],
    path: str | None = None,
    file_text: str | None = None,
    description: str | None = None,
    old_string: str | None = None,
    new_string: str | None = None,
    insert_line: int | None = None,
    insert_text: str | None = None,
    old_path: str | None = None,
    new_path: str | None = None,
) -> str:
    """Changes your core memory, whose blocks are the files of the folder /memories: creates, edits, deletes and renames them.

    Args:
        command: What to do. create needs path and description; str_replace needs path and old_string; insert needs path and
            insert_text; delete needs path; rename needs old_path and new_path, or path and a new description.
        path: The block, as /memories/<label>.
        file_text: create: the text of the new block; empty if left out.
        description: create, rename: what the block is for.
        old_string: str_replace: the text to replace, exactly as it stands in the block. It must stand there once.
        new_string: str_replace: the text to put in its place; left out to delete.
        insert_line: insert: the line after which to insert; 0 puts it at the top, -1 (which is the default) at the end.
        insert_text: insert: the text to insert.
        old_path: rename: the block as it is called now.
        new_path: rename: the block as it is to be called.
    """
    match command:
        case "create":
            label = _label(path)
            ctx.create_block(label, _given(description, "description", command), file_text or "")
            return f"Created the memory block {label!r}."
        case "str_replace":
            block = ctx.block(_label(path))
            old = _given(old_string, "old_string", command)
            return ctx.write_block(block, edits.memory_replace(block.value, old, new_string or ""))
        case "insert":
            block = ctx.block(_label(path))
            text, line = _given(insert_text, "insert_text", command), -1 if insert_line is None else insert_line
            return ctx.write_block(block, edits.memory_insert(block.value, text, line))
        case "delete":
            ctx.detach_block(ctx.block(_label(path)))
            return f"Deleted the memory block {_label(path)!r}."
        case "rename":
            return await _rename(ctx, path, description, old_path, new_path)
    raise ToolError(f"There is no command {command!r}: use create, str_replace, insert, delete or rename.")


async def _rename(
    ctx: ToolContext, path: str | None, description: str | None, old_path: str | None, new_path: str | None
) -> str:
    if old_path and new_path:
        old, new = _label(old_path, "old_path"), _label(new_path, "new_path")
        await ctx.rename_block(ctx.block(old), new)
        return f"Renamed the memory block {old!r} to {new!r}."
    if path and description is not None:
        ctx.describe_block(ctx.block(_label(path)), description)
        return f"Changed the description of the memory block {_label(path)!r}."
    raise ToolError("The command rename needs old_path and new_path, or path and a new description.")


@tool(ToolType.SLEEPTIME)
async def memory_apply_patch(ctx: ToolContext, label: str, patch: str) -> str:
    """Applies a patch to your core memory: a unified diff of one block, or several operations under headers.

    A diff has lines that begin with a space (context), - (removed) or + (added), and @@ between its parts; the context has to stand in the
    block exactly once, and a part of + lines alone is added at the end. The headers are "*** Add Block: label" (then, if wanted,
    "Description: …", then + lines), "*** Update Block: label" (then a diff), "*** Delete Block: label", and "*** Move to: label", which
    renames the block named last.

    Args:
        label: The block that a patch without headers changes.
        patch: The patch.
    """
    operations = _operations(patch)
    if not operations:
        block = ctx.block(label)
        return ctx.write_block(block, edits.apply_patch(block.value, patch))
    return "\n".join([await _perform(ctx, operation) for operation in operations])


@dataclass(slots=True)
class _Operation:
    """``named``: the block that the header before this one named, for "move"."""

    kind: str
    label: str
    named: str = ""
    lines: list[str] = field(default_factory=list)


def _operations(patch: str) -> list[_Operation]:
    found: list[_Operation] = []
    named = ""
    for line in patch.split("\n"):
        header = next((header for header in _HEADERS if line.startswith(header)), None)
        if header:
            label = _label(line[len(header) :].strip(), "the label")
            found.append(_Operation(_HEADERS[header], label, named))
            named = label
        elif found:
            found[-1].lines.append(line)
    return found


async def _perform(ctx: ToolContext, operation: _Operation) -> str:
    label = operation.label
    match operation.kind:
        case "add":
            ctx.create_block(label, *_new_block(operation.lines))
            return f"Added {label!r}."
        case "delete":
            ctx.detach_block(ctx.block(label))
            return f"Deleted {label!r}."
        case "update":
            block, patch = ctx.block(label), "\n".join(operation.lines)
            if patch.strip():
                ctx.write_block(block, edits.apply_patch(block.value, patch))
            return f"Updated {label!r}."
    if not operation.named:
        raise ToolError('"*** Move to:" renames the block of the header before it, and there is none.')
    await ctx.rename_block(ctx.block(operation.named), label)
    return f"Moved {operation.named!r} to {label!r}."


def _new_block(lines: list[str]) -> tuple[str, str]:
    """The description and the text in the lines under "*** Add Block:"."""
    description = next((line for line in lines if line.startswith("Description:")), "")
    text = "\n".join(line[1:] for line in lines if line.startswith("+"))
    return description.removeprefix("Description:").strip(), text
