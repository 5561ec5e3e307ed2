"""The edits that the memory tools make, as functions of a block's text. Source: contract, agent-loop section 3.

Each gives the new text, or raises ``BlockEditError`` with a sentence from which a model can do better.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from agents_core.errors import Refused
from agents_core.memory.render import LINE_NUMBERS_NOTICE, BlockFacts

_NUMBERED_LINE = re.compile(r"^[ +-]?\s*\d+→", re.MULTILINE)
_PATCH_HEADER = re.compile(r"\A\s*--- .*\n\+\+\+ .*\n")


class BlockEditError(Refused):
    """An edit that cannot be made: the message says what to do instead."""

    code = "block_edit"


class BlockReadOnlyError(BlockEditError):
    code = "block_read_only"


class BlockLimitError(BlockEditError):
    code = "block_limit"
    http_status: ClassVar[int] = 422


def checked(block: BlockFacts, new_value: str) -> str:
    """``new_value`` if an agent may write it into ``block``.

    Raises ``BlockReadOnlyError`` and ``BlockLimitError``.
    """
    if block.read_only:
        raise BlockReadOnlyError("Error: This block is read-only and cannot be edited.")
    return within_limit(new_value, block.limit)


def within_limit(value: str, limit: int) -> str:
    """``value`` if it has at most ``limit`` characters. Raises ``BlockLimitError``."""
    if len(value) > limit:
        raise BlockLimitError(f"Edit failed: Exceeds {limit} character limit (requested {len(value)})")
    return value


def core_memory_append(value: str, content: str) -> str:
    return f"{value}\n{content}"


def core_memory_replace(value: str, old_content: str, new_content: str) -> str:
    """Every occurrence of ``old_content`` replaced; an empty ``new_content`` deletes."""
    _find(value, old_content)
    return value.replace(old_content, new_content)


def memory_replace(value: str, old_string: str, new_string: str) -> str:
    """The one occurrence of ``old_string`` replaced. Tabs are expanded in all three texts."""
    _refuse_line_numbers(old_string, new_string)
    value, old_string, new_string = value.expandtabs(), old_string.expandtabs(), new_string.expandtabs()
    starts = _find(value, old_string)
    if len(starts) > 1:
        lines = ", ".join(str(value.count("\n", 0, start) + 1) for start in starts)
        raise BlockEditError(
            f"The text to replace occurs {len(starts)} times, beginning on lines {lines}. "
            "Give more of the text around the occurrence you mean, so that only one matches."
        )
    return value.replace(old_string, new_string, 1)


def memory_insert(value: str, new_string: str, insert_line: int = -1) -> str:
    """``new_string`` as lines of its own after line ``insert_line``: 0 is the top, -1 the end. Tabs are expanded."""
    _refuse_line_numbers(new_string)
    lines = value.expandtabs().split("\n") if value else []
    if not -1 <= insert_line <= len(lines):
        raise BlockEditError(
            f"There is no line {insert_line}: give a number from 0 (top) to {len(lines)}, or -1 for the end."
        )
    at = len(lines) if insert_line == -1 else insert_line
    return "\n".join([*lines[:at], *new_string.expandtabs().split("\n"), *lines[at:]])


def memory_rethink(value: str, new_memory: str) -> str:
    """``new_memory`` in place of the whole text."""
    _refuse_line_numbers(new_memory)
    return new_memory


def apply_patch(value: str, patch: str) -> str:
    """``value`` after the hunks of a unified diff.

    Lines begin with " " (context), "-" or "+"; "@@" lines part hunks and their numbers are not read. The context and
    removed lines of a hunk must stand in the text exactly once; a hunk of "+" lines alone is added at the end.
    """
    _refuse_line_numbers(patch)
    hunks = list(_hunks(patch))
    if not hunks:
        raise BlockEditError('The patch changes nothing: begin lines with "+" to add, "-" to remove, " " for context.')
    lines = value.split("\n") if value else []
    for hunk in hunks:
        lines = _apply_hunk(lines, hunk)
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class _Hunk:
    old: list[str]
    new: list[str]


def _hunks(patch: str) -> Iterator[_Hunk]:
    for part in re.split(r"^@@.*$", _PATCH_HEADER.sub("", patch), flags=re.MULTILINE):
        # An editor that trims line ends makes "" of an empty line of context.
        lines = [line or " " for line in part.strip("\n").split("\n") if not line.startswith("\\")]
        if unmarked := next((line for line in lines if line[0] not in " +-"), None):
            raise BlockEditError(f'This line of the patch begins with neither "+", "-" nor a space: {unmarked[:100]!r}')
        if any(line[0] in "+-" for line in lines):
            yield _Hunk([line[1:] for line in lines if line[0] != "+"], [line[1:] for line in lines if line[0] != "-"])


def _apply_hunk(lines: list[str], hunk: _Hunk) -> list[str]:
    if not hunk.old:
        return [*lines, *hunk.new]
    size = len(hunk.old)
    starts = [at for at in range(len(lines) - size + 1) if lines[at : at + size] == hunk.old]
    if len(starts) != 1:
        found = f"{len(starts)} times" if starts else "nowhere"
        raise BlockEditError(
            f"The context of a hunk stands {found} in the block, and must stand exactly once. It begins with "
            f"{hunk.old[0][:100]!r}. Copy the lines exactly as they are, and enough of them."
        )
    return [*lines[: starts[0]], *hunk.new, *lines[starts[0] + size :]]


def _find(value: str, wanted: str) -> list[int]:
    if not wanted:
        raise BlockEditError("The text to replace is empty: give the exact text that should change.")
    starts = [match.start() for match in re.finditer(re.escape(wanted), value)]
    if not starts:
        raise BlockEditError(
            f"The text to replace was not found: {wanted[:200]!r}. It must match the block exactly, with case, "
            "punctuation and line breaks."
        )
    return starts


def _refuse_line_numbers(*arguments: str) -> None:
    for argument in arguments:
        if _NUMBERED_LINE.search(argument) or LINE_NUMBERS_NOTICE in argument:
            raise BlockEditError(
                "An argument holds line numbers (as in 1→): they are shown for reading and are no part of the block. "
                "Give the text without them."
            )
