"""A recorded step's request as plain values again, so that it can be sent another way: to another model, with another prompt or memory.

What was sent stands in the record; what the messages said stands where they are stored, in no provider's format.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agents_core.errors import Refused
from agents_core.llm import tokens
from agents_core.llm.types import ModelRequest, ToolSpec
from agents_core.memory.render import LINE_NUMBERS_NOTICE, PLACEHOLDER, BlockFacts, PromptPart, block_text, text_of
from agents_core.models import Block, BlockVersion, Message, SegmentKind, Step, StepKind
from agents_core.record.segments import Piece, Plan
from agents_core.record.steps import SYSTEM_KINDS, SegmentView, request_bytes, segments_of
from agents_core.runtime.context import message_piece, system_pieces
from agents_core.runtime.offering import with_thoughts
from agents_core.runtime.preview import Changes
from agents_core.runtime.state import AgentFacts, StoredMessage
from agents_core.runtime.transcript import chat_messages

_OVERRIDE = "system prompt of this run"
_INSTRUCTIONS = "instructions"
_STORED = ("id", "role", "content", "tool_calls", "tool_returns")


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a step sent. ``tools`` are the definitions with the segments that they stood in."""

    parts: list[PromptPart]
    tools: list[tuple[SegmentView, ToolSpec]]
    messages: list[StoredMessage]
    tool_choice: str
    parallel_tool_calls: bool


def recorded(step: Step) -> Recorded:
    """Raises ``Refused`` for a step that did not ask the agent's model, or whose messages are gone; ``NotFound`` without a request."""
    if step.kind != StepKind.AGENT:
        raise Refused(f"Step {step.number} made a summary: only a call that asked the agent itself can be made again.")
    body = json.loads(request_bytes(step))
    segments = segments_of(step)
    tools = [(segment, _spec(segment)) for segment in segments if segment.kind == SegmentKind.TOOL]
    return Recorded(
        [PromptPart(SegmentKind(s.kind), s.source_id, s.label, s.text) for s in segments if s.kind in SYSTEM_KINDS],
        tools,
        _messages(step, segments),
        _tool_choice(body.get("tool_choice")),
        _parallel(body),
    )


def _spec(segment: SegmentView) -> ToolSpec:
    """The tool as any of the wire formats tells of it."""
    told = json.loads(segment.raw.removeprefix(b","))
    told = told.get("function", told)
    return ToolSpec(told["name"], told.get("description", ""), told.get("parameters") or told.get("input_schema") or {})


_MESSAGES = {SegmentKind.MESSAGE, SegmentKind.TOOL_RETURN, SegmentKind.SUMMARY}


def _messages(step: Step, segments: Sequence[SegmentView]) -> list[StoredMessage]:
    ids = list(dict.fromkeys(segment.source_id for segment in segments if segment.kind in _MESSAGES))
    found = {row["id"]: StoredMessage(**row) for row in Message.objects.filter(id__in=ids).values(*_STORED)}
    if missing := [message_id for message_id in ids if message_id not in found]:
        raise Refused(
            f"{len(missing)} messages that step {step.number} saw were deleted since, so its call cannot be made again."
        )
    return [found[message_id] for message_id in ids]


def _tool_choice(told: Any) -> str:
    match told:
        case "auto" | "required" | "none":
            return str(told)
        case {"type": "any"}:
            return "required"
        case {"type": "none"}:
            return "none"
        case {"name": str(name)} | {"function": {"name": str(name)}}:
            return name
    return "auto"


def _parallel(body: Mapping[str, Any]) -> bool:
    choice = body.get("tool_choice")
    if isinstance(choice, dict) and choice.get("type") in ("auto", "any", "tool"):
        return not choice.get("disable_parallel_tool_use", False)
    return bool(body.get("parallel_tool_calls"))


# --- sent another way ------------------------------------------------------------------------------------------------


def request_with(
    recorded: Recorded, agent: AgentFacts, model: str, changes: Changes, step: Step
) -> tuple[ModelRequest, Plan]:
    """The request with ``changes`` of system and blocks, to ``model`` at its provider, and the plan of its segments.

    What the record does not hold in words, such as a temperature, is as the agent has it now. Raises ``Refused``.
    """
    parts = changed_parts(recorded.parts, changes, step)
    pairs = chat_messages(recorded.messages)
    if agent.thinks_in_arguments:
        pairs = [(stored, with_thoughts(chat)) for stored, chat in pairs]
    plan = Plan(
        system_pieces(parts),
        [Piece(SegmentKind.TOOL, s.source_id, s.label, tokens.count_tools([spec])) for s, spec in recorded.tools],
        [message_piece(stored, chat) for stored, chat in pairs],
    )
    request = ModelRequest(
        model,
        text_of(parts),
        tuple(chat for _, chat in pairs),
        tuple(spec for _, spec in recorded.tools),
        recorded.tool_choice,
        recorded.parallel_tool_calls,
        **agent.sampling,
    )
    return request, plan


def changed_parts(parts: Sequence[PromptPart], changes: Changes, step: Step) -> list[PromptPart]:
    """The prompt's parts with other instructions and other texts of blocks. Raises ``Refused`` for what the prompt does not show."""
    changed = list(parts)
    for label, value in changes.blocks.items():
        at = next(
            (at for at, part in enumerate(changed) if part.kind == SegmentKind.CORE and part.label == label), None
        )
        if at is None:
            raise Refused(f"Step {step.number} saw no block {label!r}.")
        shown = changed[at]
        changed[at : at + 1] = [] if value is None else [_with_value(shown, value, step)]
    return changed if changes.system is None else _with_system(changed, changes.system, step)


def _with_value(part: PromptPart, value: str, step: Step) -> PromptPart:
    """The block as it was then, with another text."""
    versions = BlockVersion.objects.filter(block=part.source_id, created_at__lte=step.started_at).order_by("-version")
    block: Block | BlockVersion | None = versions.first() or Block.objects.filter(id=part.source_id).first()
    if block is None:
        raise Refused(f"The block {part.label} was deleted since, so it can only stay as it was or go.")
    if len(value) > block.limit:
        raise Refused(f"{part.label} may hold {block.limit:,} characters: {len(value):,} are too many.")
    facts = BlockFacts(part.source_id, part.label, value, block.limit, block.description, block.read_only)
    text = block_text(facts, LINE_NUMBERS_NOTICE in part.text)
    return PromptPart(part.kind, part.source_id, part.label, text)


def _with_system(parts: Sequence[PromptPart], system: str, step: Step) -> list[PromptPart]:
    """As ``render.compile_system`` puts instructions around the memory."""
    if any(part.label == _OVERRIDE for part in parts):
        return [PromptPart(SegmentKind.SYSTEM, "", _OVERRIDE, system)]
    if not any(part.label == _INSTRUCTIONS for part in parts):
        raise Refused(
            f"The prompt of step {step.number} is recorded as one piece, so its instructions cannot be changed alone."
        )
    before, placed, after = system.partition(PLACEHOLDER)
    around = [before if placed or not before else f"{before}\n\n", after]
    first, last = (PromptPart(SegmentKind.SYSTEM, "", _INSTRUCTIONS, text) for text in around)
    others = [part for part in parts if part.label != _INSTRUCTIONS or part.kind != SegmentKind.SYSTEM]
    return [part for part in (first, *others, last) if part.text]
