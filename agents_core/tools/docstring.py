"""Google-style docstrings, read for what a language model should be told."""

import re
from dataclasses import dataclass, field

_SECTION = re.compile(
    r"(Args|Arguments|Parameters|Params|Attributes|Examples?|Returns?|Yields?|Raises|Notes?|Warnings?|Todo):\s*$"
)
_ARGUMENT_SECTIONS = {"Args", "Arguments", "Parameters", "Params", "Attributes"}
_EXAMPLE_SECTIONS = {"Example", "Examples"}
_ENTRY = re.compile(r"\*{0,2}(?P<name>\w+)\s*(?:\((?P<type>[^)]*(?:\([^)]*\)[^)]*)*)\))?\s*:(?!:)\s*(?P<text>.*)$")


@dataclass(slots=True)
class Docstring:
    """``description`` is the short and the long part, then the examples; ``arguments`` what ``Args:`` says of each."""

    description: str = ""
    arguments: dict[str, str] = field(default_factory=dict)


def parse(text: str) -> Docstring:
    """Read a docstring whose indentation is cleaned already (``ast.get_docstring`` does). Refuses nothing."""
    sections = _sections(text)
    parts = ["\n".join(sections.get("", [])).strip()]
    arguments: dict[str, str] = {}
    for name, lines in sections.items():
        if name in _ARGUMENT_SECTIONS:
            arguments |= _entries(lines)
        elif name in _EXAMPLE_SECTIONS:
            parts.append("Examples:\n" + "\n".join(lines).rstrip())
    return Docstring("\n\n".join(part for part in parts if part), arguments)


def _sections(text: str) -> dict[str, list[str]]:
    """Lines by section; what stands before the first one is under the empty name."""
    sections: dict[str, list[str]] = {"": []}
    current = ""
    for line in text.splitlines():
        if heading := _SECTION.match(line):
            current = heading[1]
            sections.setdefault(current, [])
        else:
            sections[current].append(line)
    return sections


def _entries(lines: list[str]) -> dict[str, str]:
    """``name (type): text`` entries; deeper lines go on with the one above."""
    entries: dict[str, list[str]] = {}
    indent, name = -1, ""
    for line in lines:
        depth = len(line) - len(line.lstrip())
        entry = _ENTRY.match(line.strip())
        if entry and (indent < 0 or depth <= indent):
            indent, name = depth, entry["name"]
            entries[name] = [entry["text"]]
        elif name and line.strip():
            entries[name].append(line.strip())
    return {name: " ".join(text).strip() for name, text in entries.items()}
