"""Reading the files of the agent's folders (contract: agent-loop, section 3, "Files")."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from agents_core.events.types import AgentChanged
from agents_core.memory.files import grep
from agents_core.memory.files.opening import Opened, open_statements
from agents_core.memory.files.views import View, view_of
from agents_core.models import ToolType, pipeline
from agents_core.models.pipeline import Statement
from agents_core.tools.base import ToolContext, ToolError, tool

_MOST_PASSAGES = 50
_SHOWN_NAMES = 50

_LIMITS = "SELECT max_files_open, per_file_view_window_char_limit FROM agent WHERE id = %s"
_FILES = """
SELECT folder.name || '/' || file.name AS name, file.id, is_open FROM agent_file JOIN file ON file.id = file_id
JOIN folder ON folder.id = folder_id WHERE agent_file.agent_id = %s
ORDER BY last_accessed_at DESC NULLS LAST, agent_file.id
"""
_TEXT = "SELECT text, error FROM file_content JOIN file ON file.id = file_id WHERE file_id = %s"


@dataclass(frozen=True, slots=True)
class _Request:
    """What is to be seen of a file: ``length`` lines from ``offset`` on, all that fits for None."""

    name: str
    offset: int
    length: int | None


@tool(ToolType.FILES)
async def open_files(ctx: ToolContext, file_requests: list[dict[str, Any]], close_all_others: bool = False) -> str:
    """Opens files, or other parts of files that are open: they then stand in your context, in <directories>, until they are closed.

    When more files are open than may be, those that you have not opened for longest are closed.

    Args:
        file_requests: The files to open, each by its name as it stands in <directories>.
        close_all_others: Whether to close all files that you do not name here.
    """
    requests = [_request(given) for given in _list(file_requests)]
    max_open, view_chars = (await pipeline.run([Statement(_LIMITS, (ctx.agent_id,))]))[0][0]
    if len(requests) > max_open:
        raise ToolError(f"You can have {max_open} files open at once, and asked for {len(requests)}.")
    rows = (await pipeline.run([Statement(_FILES, (ctx.agent_id,))]))[0]
    ids = {name: file_id for name, file_id, _ in rows}
    opened = []
    for request in requests:
        text, error = (await pipeline.run([Statement(_TEXT, (_found(ids, request.name),))]))[0][0]
        if text is None and error:
            raise ToolError(f"{request.name} could not be read: {error}")
        opened.append(Opened(ids[request.name], view_of(text, request.offset, request.length, view_chars)))
    ctx.statements += open_statements(ctx.agent_id, opened, close_others=close_all_others)
    ctx.events.append(AgentChanged(["files"]))
    asked = [request.name for request in requests]
    others = [name for name, _, is_open in rows if is_open and name not in asked]
    closed = others if close_all_others else others[max(max_open - len(asked), 0) :]
    return _told(requests, [each.view for each in opened], closed)


_REQUEST = {
    "type": "object",
    "properties": {
        "file_name": {"type": "string", "description": "The name of the file, with its folder."},
        "offset": {"type": "integer", "description": "The line to begin with; 0, the first, by default."},
        "length": {"type": "integer", "description": "How many lines to show; by default as many as fit."},
    },
    "required": ["file_name"],
}
_properties = open_files.parameters["properties"]
open_files = replace(
    open_files,
    parameters={
        **open_files.parameters,
        "properties": {**_properties, "file_requests": {**_properties["file_requests"], "items": _REQUEST}},
    },
)


def _list(given: Any) -> list[Any]:
    """Some models send one request bare."""
    requests = given if isinstance(given, list) else [given]
    if not requests:
        raise ToolError("Name at least one file, such as [{'file_name': 'folder/name.md'}].")
    return requests


def _request(given: Any) -> _Request:
    asked = {"file_name": given} if isinstance(given, str) else given
    if not isinstance(asked, dict) or not isinstance(asked.get("file_name"), str):
        raise ToolError("A file request is {'file_name': …, 'offset': …, 'length': …}; the last two may be left out.")
    offset, length = asked.get("offset") or 0, asked.get("length")
    if not isinstance(offset, int) or offset < 0 or not (length is None or (isinstance(length, int) and length > 0)):
        raise ToolError("offset is a line from 0 on, and length a number of lines from 1 on.")
    return _Request(asked["file_name"], offset, length)


def _found(ids: dict[str, str], name: str) -> str:
    if name in ids:
        return ids[name]
    known = ", ".join(sorted(ids)[:_SHOWN_NAMES]) or "none: no folder is attached to you"
    more = f" and {len(ids) - _SHOWN_NAMES} more" if len(ids) > _SHOWN_NAMES else ""
    raise ToolError(f"You have no file {name!r}. Your files: {known}{more}.")


def _told(requests: Sequence[_Request], views: Sequence[View], closed: Sequence[str]) -> str:
    lines = [
        f"Opened {request.name}, lines {view.start + 1} to {view.end}." if view.end > view.start
        else f"Opened {request.name}, which is still being read: its text comes when it is ready."
        for request, view in zip(requests, views, strict=True)
    ]  # fmt: skip
    return "\n".join([*lines, *([f"Closed {', '.join(closed)}."] if closed else [])])


@tool(ToolType.FILES, parallel=True)
async def grep_files(
    ctx: ToolContext, pattern: str, include: str | None = None, context_lines: int | None = 1, offset: int | None = None
) -> str:
    """Finds the lines of your files that match a regular expression, upper and lower case alike. Shows 20 matches at once.

    Args:
        pattern: The regular expression, such as error.*timeout.
        include: Only files with this in their name, or whose name matches it with * for anything, such as *.py.
        context_lines: How many lines to show before and after each match.
        offset: How many matches to pass over, to see those after the first 20.
    """
    start = max(offset or 0, 0)
    found = await grep.grep(ctx.agent_id, pattern, include, 1 if context_lines is None else context_lines, start)
    if not found.searched:
        what = f"No file that was read has {include!r} in its name." if include else "You have no files to search."
        raise ToolError(f"{what} Look into <directories> for what there is.")
    if not found.shown:
        return f"{found.total} matches in {found.files} of {found.searched} files" + (
            ", none after the offset." if start else "."
        )
    last = start + len(found.shown)
    more = f" Call again with offset {last} for more." if last < found.total else ""
    heading = (
        f"{found.total} matches in {found.files} of {found.searched} files; these are {start + 1} to {last}.{more}"
    )
    return "\n\n".join(
        [heading, *(_shown(name, list(group)) for name, group in groupby(found.shown, lambda match: match.file_name))]
    )


def _shown(name: str, matches: Sequence[grep.Match]) -> str:
    blocks = [
        "\n".join(f"{'>' if number == match.number else ' '} {number}: {line}" for number, line in match.lines)
        for match in matches
    ]
    return "\n".join([name, "\n--\n".join(blocks)])


@tool(ToolType.FILES, parallel=True)
async def semantic_search_files(ctx: ToolContext, query: str, limit: int | None = 5) -> str:
    """Finds the passages of your files that fit a question, by meaning and by words.

    Args:
        query: What you want to know, as a question or as key words.
        limit: How many passages to show at most, 1 to 50; 5 by default.
    """
    if not query.strip():
        raise ToolError("There is nothing to search for: say what you want to know as query.")
    passages = await ctx.memory.search_files(ctx, query, max(1, min(limit or 5, _MOST_PASSAGES)))
    if not passages:
        return "No passage of your files fits."
    ordered: dict[str, list[dict[str, Any]]] = {}
    for passage in passages:
        ordered.setdefault(passage["file_name"], []).append(passage)
    return "\n\n".join(
        "\n\n".join([name, *(f"[from line {passage['line'] + 1}]\n{passage['text']}" for passage in found)])
        for name, found in ordered.items()
    )
