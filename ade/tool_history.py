"""The versions of a tool, and what lies between any two: changed lines, and in them the words."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from agents_core.actions.tool_versions import find_version
from agents_core.models import Tool, ToolVersion
from agents_core.record.diff import Change, Op, diff_words

_SHOWN_VERSIONS = 200
_AROUND_LINES = 3


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a difference; ``parts`` are its texts, those that are ``changed`` within a line marked."""

    op: Literal["same", "added", "removed", "skipped"]
    parts: tuple[tuple[bool, str], ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs in one part of two versions."""

    title: str
    rows: list[Row]


def history_context(tool: Tool | None, to: int | None = None, since: int | None = None) -> dict[str, Any]:
    """The versions, newest first, and the way from ``since`` (else the one before) to ``to`` (else the newest).

    Raises ``NotFound`` when there is no such version.
    """
    if tool is None:
        return {"versions": []}
    versions = list(tool.versions.order_by("-number").only("tool", "number", "author", "created_at")[:_SHOWN_VERSIONS])
    if not versions:
        return {"versions": []}
    shown = find_version(tool.id, to if to is not None else versions[0].number)
    base_number = since if since is not None else shown.number - 1
    base = find_version(tool.id, base_number) if base_number else None
    return {
        "versions": versions,
        "shown_version": shown,
        "base_number": base_number,
        "is_newest": shown.number == versions[0].number,
        "differences": list(_differences(base, shown)),
    }


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) if value else ""


_PARTS: tuple[tuple[str, Callable[[ToolVersion], str]], ...] = (
    (gettext_noop("Source"), lambda version: version.source_code or ""),
    (gettext_noop("Schema"), lambda version: _json(version.json_schema)),
    (gettext_noop("Python packages"), lambda version: _json(version.pip_requirements)),
    (gettext_noop("npm packages"), lambda version: _json(version.npm_requirements)),
)


def _differences(base: ToolVersion | None, shown: ToolVersion) -> Iterator[Difference]:
    for title, part in _PARTS:
        old, new = part(base) if base else "", part(shown)
        if old != new:
            yield Difference(_(title), list(changed_rows(old, new)))


def changed_rows(old: str, new: str) -> Iterator[Row]:
    """The changed lines with three around them; "skipped" stands for those between."""
    before, after = old.splitlines(), new.splitlines()
    groups = list(SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(_AROUND_LINES))
    for at, group in enumerate(groups):
        if at:
            yield Row("skipped", ((False, "…"),))
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                yield from (Row("same", ((False, line),)) for line in before[i1:i2])
            else:
                yield from _changed(before[i1:i2], after[j1:j2])


def _changed(before: list[str], after: list[str]) -> Iterator[Row]:
    if not before or not after:
        yield from (Row("removed", ((False, line),)) for line in before)
        yield from (Row("added", ((False, line),)) for line in after)
        return
    changes = diff_words("\n".join(before), "\n".join(after))
    for op in ("removed", "added"):
        yield from (Row(op, tuple(parts)) for parts in _lines_of(changes, op))


def _lines_of(changes: Iterable[Change], op: Op) -> Iterator[list[tuple[bool, str]]]:
    """The lines of one side, each as its texts and whether they are on that side only."""
    line: list[tuple[bool, str]] = []
    for change in changes:
        if change.op not in {"same", op}:
            continue
        first, *others = change.text.split("\n")
        line.append((change.op == op, first))
        for text in others:
            yield line
            line = [(change.op == op, text)]
    yield line
