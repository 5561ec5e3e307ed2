"""What the names of an expression mean in one request: read from its segments."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agents_core.models import SegmentKind
from agents_core.record.said import said
from agents_core.record.steps import readable

MESSAGE_KINDS = frozenset({SegmentKind.MESSAGE, SegmentKind.TOOL_RETURN, SegmentKind.SUMMARY})
PROMPT_KINDS = frozenset(
    {SegmentKind.SYSTEM, SegmentKind.CORE, SegmentKind.RULES, SegmentKind.FILE, SegmentKind.METADATA}
)

_FIELD_OF: Mapping[str, str] = {
    SegmentKind.CORE: "core",
    SegmentKind.TOOL: "tools",
    SegmentKind.SUMMARY: "summary",
    SegmentKind.MESSAGE: "messages",
    SegmentKind.TOOL_RETURN: "messages",
    SegmentKind.SYSTEM: "system",
    SegmentKind.RULES: "system",
    SegmentKind.FILE: "system",
    SegmentKind.METADATA: "system",
}
"""The field of ``tokens`` that counts the segments of a kind."""

_VALUE = re.compile(r"- chars_current=(\d+)\n- chars_limit=\d+\n</metadata>\n(<warning>\n.*?\n</warning>\n)?<value>\n")
_END = "\n</value>\n</"
_NUMBER = re.compile(r"^\d+→ ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class SeenPart:
    """A segment as expressions see it. ``text``: as the model read it; ``value``: of a block, its value alone. Both are empty where no name
    needs them."""

    kind: str
    label: str
    tokens: int
    text: str = ""
    value: str = ""


def seen_part(kind: str, label: str, tokens: int, raw: bytes) -> SeenPart:
    """A segment, out of the bytes that were sent of it. Of the JSON around the others nothing is left but that it parts them."""
    if kind == SegmentKind.ENVELOPE:
        return SeenPart(kind, label, tokens, "\n")
    text = said(raw) if kind in MESSAGE_KINDS else readable(kind, raw)
    return SeenPart(kind, label, tokens, text, block_value(text) if kind == SegmentKind.CORE else "")


def request_scope(
    parts: Sequence[SeenPart], names: Collection[str], limit: int, reported: int | None
) -> dict[str, Any]:
    """What those of ``names`` mean that a request answers: block, context, system, messages, tokens.

    ``parts`` are all of the request's, in the order sent; ``limit`` is the context window in tokens, ``reported`` the provider's count.
    """
    roots = roots_of(names)
    scope: dict[str, Any] = {}
    if "block" in roots:
        scope["block"] = {part.label: part.value for part in parts if part.kind == SegmentKind.CORE}
    if "context" in roots:
        scope["context"] = "".join(
            part.text if part.kind in PROMPT_KINDS else f"{part.text}\n" for part in parts
        ).strip("\n")
    if "system" in roots:
        scope["system"] = "".join(part.text for part in parts if part.kind in PROMPT_KINDS)
    if "messages" in roots:
        scope["messages"] = [{"role": part.label, "text": part.text} for part in parts if part.kind in MESSAGE_KINDS]
    if "tokens" in roots:
        scope["tokens"] = _tokens(parts, limit, reported)
    return scope


def roots_of(names: Collection[str]) -> set[str]:
    """``block`` of ``block.human``."""
    return {name.partition(".")[0] for name in names}


def _tokens(parts: Sequence[SeenPart], limit: int, reported: int | None) -> dict[str, Any]:
    fields = dict.fromkeys(("system", "core", "tools", "messages", "summary"), 0)
    for part in parts:
        if field := _FIELD_OF.get(part.kind):
            fields[field] += part.tokens
    total = sum(fields.values())
    return {**fields, "total": total, "limit": limit, "share": total / limit if limit else None, "reported": reported}


def block_value(text: str) -> str:
    """The value of a block out of the text that shows it in the prompt (``memory.render.block_text``), without line numbers."""
    for found in _VALUE.finditer(text):
        shown = text[found.end() : text.rfind(_END)]
        value = _NUMBER.sub("", shown) if found[2] else shown
        if len(value) == int(found[1]):  # The description may hold the same words.
            return value
    return text
