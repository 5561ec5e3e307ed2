"""The system prompt of an agent, compiled as an ordered list of parts. Source: contract, agent-loop section 4.

Plain values in, plain values out: the hot path, the preview in the IDE and the tests use the same function.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from html import escape
from typing import Any

from agents_core.memory.files.directory import Directory, FolderFacts
from agents_core.models.agents import AgentKind
from agents_core.models.record import SegmentKind

PLACEHOLDER = "{CORE_MEMORY}"
LINE_NUMBERS_NOTICE = "Line numbers are shown for reading only (as in 1→). Leave them out of what you write to memory."

_NUMBERED_KINDS = frozenset({AgentKind.SLEEPTIME, AgentKind.MEMGPT_V2, AgentKind.V1})
_MEMORY_INTRODUCTION = "These blocks are your core memory: always in view, and yours to change with the memory tools."
_MOST_CLOSED_FILES = 200
"""Of a folder; the names of more would fill the prompt."""

_RULES_INTRODUCTION = "These rules decide which tools may be called, and when. A call that breaks one is refused."


@dataclass(frozen=True, slots=True)
class BlockFacts:
    """What the prompt and the edits need of a block. ``limit`` counts characters."""

    id: str
    label: str
    value: str
    limit: int
    description: str | None = None
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class AgentFacts:
    """``shows_memory`` is false for kinds without core memory; ``numbered_lines``: see ``numbers_lines``."""

    id: str
    system: str
    shows_memory: bool = True
    numbered_lines: bool = False


@dataclass(frozen=True, slots=True)
class MetadataFacts:
    """``compiled_at`` is aware, in the agent's time zone. The counts are of messages out of context and of passages."""

    compiled_at: datetime
    conversation_id: str | None = None
    recall_messages: int = 0
    archival_passages: int = 0
    archival_tags: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class PromptPart:
    """A piece of the prompt, to become a segment of the record. ``source_id`` is the block, folder or file that it shows, or ""."""

    kind: SegmentKind
    source_id: str
    label: str
    text: str


def text_of(parts: Sequence[PromptPart]) -> str:
    return "".join(part.text for part in parts)


def stored_parts(parts: Sequence[PromptPart]) -> list[dict[str, Any]]:
    """The content of the message that holds a prompt: each part with what it shows, so that it can be told later what has changed."""
    return [{"type": "text", **asdict(part)} for part in parts]


def parts_of(content: Sequence[Mapping[str, Any]]) -> list[PromptPart]:
    """The parts that a stored system message holds; one that was not written by ``stored_parts`` is a single part."""
    return [
        PromptPart(
            SegmentKind(part.get("kind", SegmentKind.SYSTEM)),
            part.get("source_id", ""),
            part.get("label", "System prompt"),
            part["text"],
        )
        for part in content
        if part["type"] == "text"
    ]


def numbers_lines(agent_type: str, provider: str) -> bool:
    """Whether an agent of this type sees the lines of its blocks numbered; ``provider``: a key of ``PROVIDERS``."""
    return provider == "anthropic" and agent_type in _NUMBERED_KINDS


def compile_system(
    agent: AgentFacts,
    blocks: Sequence[BlockFacts],
    tool_rules: Sequence[str],
    metadata: MetadataFacts,
    directory: Directory | None = None,
) -> list[PromptPart]:
    """The prompt as parts: it is the plain concatenation of their texts. No part is empty.

    Args:
        blocks: in the order in which they are shown.
        tool_rules: one sentence a rule, from the tools.
        directory: the agent's folders, None if it has none.

    The memory stands where the instructions hold ``{CORE_MEMORY}`` (the first, if several), else after them.
    """
    before, placed, after = agent.system.partition(PLACEHOLDER)
    shown = blocks if agent.shows_memory else []
    sections = [
        _core(shown, agent.numbered_lines),
        _rules(tool_rules),
        _directories(directory),
        _metadata(agent.id, metadata),
    ]
    parts = [
        _system("instructions", before if placed or not before else f"{before}\n\n"),
        *_joined([section for section in sections if section]),
        _system("instructions", after),
    ]
    return [part for part in parts if part.text]


def _system(label: str, text: str) -> PromptPart:
    return PromptPart(SegmentKind.SYSTEM, "", label, text)


def _joined(sections: list[list[PromptPart]]) -> list[PromptPart]:
    """The sections with a blank line between: it stands at the end of the first one's last part."""
    parts: list[PromptPart] = []
    for section in sections:
        if parts:
            parts[-1] = replace(parts[-1], text=f"{parts[-1].text}\n\n")
        parts += section
    return parts


def _core(blocks: Sequence[BlockFacts], numbered: bool) -> list[PromptPart]:
    if not blocks:
        return []
    return [
        _system("memory_blocks", f"<memory_blocks>\n{_MEMORY_INTRODUCTION}\n\n"),
        *(PromptPart(SegmentKind.CORE, block.id, block.label, block_text(block, numbered)) for block in blocks),
        _system("memory_blocks", "</memory_blocks>"),
    ]


def block_text(block: BlockFacts, numbered: bool = False) -> str:
    """One block as the prompt shows it, with the blank line after it."""
    facts = [
        *(["- read_only=true"] if block.read_only else []),
        f"- chars_current={len(block.value)}",
        f"- chars_limit={block.limit}",
    ]
    return "\n".join(
        [
            f"<{block.label}>",
            _element("description", block.description or ""),
            _element("metadata", "\n".join(facts)),
            *([_element("warning", LINE_NUMBERS_NOTICE)] if numbered else []),
            _element("value", _with_line_numbers(block.value) if numbered else block.value),
            f"</{block.label}>\n\n",
        ]
    )


def _with_line_numbers(value: str) -> str:
    return "\n".join(f"{number}→ {line}" for number, line in enumerate(value.split("\n"), start=1))


def _rules(rules: Sequence[str]) -> list[PromptPart]:
    if not rules:
        return []
    body = "\n".join([_RULES_INTRODUCTION, *(_element("tool_rule", rule) for rule in rules)])
    return [PromptPart(SegmentKind.RULES, "", "tool_usage_rules", _element("tool_usage_rules", body))]


def _directories(directory: Directory | None) -> list[PromptPart]:
    if directory is None:
        return []
    limits = f"- current_files_open={directory.open_count}\n- max_files_open={directory.max_open}"
    return [
        _system("directories", f"<directories>\n{_element('file_limits', limits)}\n"),
        *(part for folder in directory.folders for part in _folder(folder, directory.view_chars)),
        _system("directories", "</directories>"),
    ]


def _folder(folder: FolderFacts, view_chars: int) -> list[PromptPart]:
    """The folder: what it is for, each open file as a part of its own, and the names of the others."""
    about = [
        *([_element("description", folder.description)] if folder.description else []),
        *([_element("instructions", folder.instructions)] if folder.instructions else []),
    ]
    closed = [file.name for file in folder.files if file.view is None]
    hidden = len(closed) - _MOST_CLOSED_FILES
    names = "".join(f'<file status="closed" name={_quoted(name)}/>\n' for name in closed[:_MOST_CLOSED_FILES])
    more = f"({_counted(hidden, 'more file')}: find them with grep_files)\n" if hidden > 0 else ""
    return [
        _file_part(folder.id, folder.name, "\n".join([f"<directory name={_quoted(folder.name)}>", *about, ""])),
        *(
            _file_part(file.id, file.name, _open_file(file.name, file.view, view_chars))
            for file in folder.files
            if file.view is not None
        ),
        _file_part(folder.id, folder.name, f"{names}{more}</directory>\n"),
    ]


def _file_part(source_id: str, label: str, text: str) -> PromptPart:
    return PromptPart(SegmentKind.FILE, source_id, label, text)


def _open_file(name: str, view: str, view_chars: int) -> str:
    facts = f"- read_only=true\n- chars_current={len(view)}\n- chars_limit={view_chars}"
    inner = f"{_element('metadata', facts)}\n{_element('value', view)}"
    return f'<file status="open" name={_quoted(name)}>\n{inner}\n</file>\n'


def _quoted(name: str) -> str:
    return f'"{escape(name)}"'


def _metadata(agent_id: str, facts: MetadataFacts) -> list[PromptPart]:
    lines = [
        f"- AGENT_ID: {agent_id}",
        f"- CONVERSATION_ID: {facts.conversation_id or 'default'}",
        f"- System prompt last recompiled: {facts.compiled_at:%Y-%m-%d %I:%M:%S %p %Z%z}",
        f"- {_counted(facts.recall_messages, 'earlier message')} can be found in recall memory",
    ]
    if facts.archival_passages:
        lines.append(f"- {_counted(facts.archival_passages, 'passage')} can be found in archival memory")
    if facts.archival_tags:
        lines.append(f"- Available archival memory tags: {', '.join(facts.archival_tags)}")
    return [PromptPart(SegmentKind.METADATA, "", "memory_metadata", _element("memory_metadata", "\n".join(lines)))]


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _element(tag: str, body: str) -> str:
    return f"<{tag}>\n{body}\n</{tag}>"
