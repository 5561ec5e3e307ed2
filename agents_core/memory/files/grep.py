"""Looking for a pattern in the texts of an agent's files, line by line."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from agents_core.errors import Refused
from agents_core.models import pipeline
from agents_core.models.pipeline import Statement
from agents_core.record.expressions.functions import MOST_REPEATS, repeats

PAGE = 20
"""Matches that are shown at once."""

TIMEOUT_S = 30.0
LONGEST_PATTERN = 1_000
_MOST_CONTEXT_LINES = 20
_LINE_CHARS = 400

_FILES = """
SELECT file.id, folder.name || '/' || file.name AS name FROM agent_file JOIN file ON file.id = file_id JOIN folder ON folder.id = folder_id
WHERE agent_file.agent_id = %s AND chars IS NOT NULL ORDER BY name
"""
_TEXT = "SELECT text FROM file_content WHERE file_id = %s"


class PatternRefused(Refused):
    """The pattern is no regular expression, or takes too long."""

    code = "pattern_refused"


@dataclass(frozen=True, slots=True)
class Match:
    """The line ``number`` (1 is the first) of a file, with the numbered lines around it."""

    file_name: str
    number: int
    lines: list[tuple[int, str]]


@dataclass(slots=True)
class Matches:
    """``total`` counts all, in ``files`` files of ``searched``; ``shown`` are those of the page."""

    total: int = 0
    files: int = 0
    searched: int = 0
    shown: list[Match] = field(default_factory=list)


async def grep(agent_id: str, pattern: str, include: str | None, context_lines: int, offset: int) -> Matches:
    """The matches from ``offset`` on, with ``context_lines`` around each. ``include`` is part of a file's name, or a pattern with ``*``.

    Raises ``PatternRefused``.
    """
    compiled = _compiled(pattern)
    deadline = time.monotonic() + TIMEOUT_S
    found = Matches()
    around = max(0, min(context_lines, _MOST_CONTEXT_LINES))
    for file_id, name in (await pipeline.run([Statement(_FILES, (agent_id,))]))[0]:
        if include and not _named(name, include):
            continue
        rows = (await pipeline.run([Statement(_TEXT, (file_id,))]))[0]
        lines = (rows[0][0] or "").split("\n") if rows else []
        try:
            numbers = await asyncio.to_thread(_numbers, compiled, lines, deadline)
        except TimeoutError:
            raise PatternRefused(
                f"The search took longer than {TIMEOUT_S:g} s: use a simpler pattern, or name files with include."
            ) from None
        found.searched += 1
        found.files += bool(numbers)
        for number in numbers:
            if offset <= found.total < offset + PAGE:
                found.shown.append(_match(name, lines, number, around))
            found.total += 1
    return found


def _compiled(pattern: str) -> Any:
    import regex

    if not pattern or len(pattern) > LONGEST_PATTERN:
        raise PatternRefused(f"A pattern has 1 to {LONGEST_PATTERN:,} characters, and this has {len(pattern):,}.")
    if repeats(pattern) > MOST_REPEATS:
        raise PatternRefused(f"The counts in {{…}} of a pattern multiply to {MOST_REPEATS:,} at most: repeat less.")
    try:
        return regex.compile(pattern, regex.IGNORECASE)
    except (regex.error, OverflowError, RecursionError) as error:
        raise PatternRefused(f"{pattern[:100]!r} is no regular expression: {error}") from None


def _named(name: str, include: str) -> bool:
    name, include = name.casefold(), include.casefold()
    return fnmatchcase(name, include) or fnmatchcase(name.rpartition("/")[2], include) or include in name


def _numbers(compiled: Any, lines: list[str], deadline: float) -> list[int]:
    return list(_matching(compiled, lines, deadline))


def _matching(compiled: Any, lines: list[str], deadline: float) -> Iterator[int]:
    for number, line in enumerate(lines):
        # ``concurrent`` lets others run meanwhile, ``timeout`` ends a pattern that would go on for ever.
        if compiled.search(line, timeout=max(deadline - time.monotonic(), 0.001), concurrent=True):
            yield number


def _match(name: str, lines: list[str], number: int, around: int) -> Match:
    first, last = max(0, number - around), min(len(lines), number + around + 1)
    return Match(name, number + 1, [(n + 1, _cut(lines[n])) for n in range(first, last)])


def _cut(line: str) -> str:
    return line if len(line) <= _LINE_CHARS else f"{line[:_LINE_CHARS]}…"
