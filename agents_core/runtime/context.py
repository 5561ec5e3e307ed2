"""The context window of the next model call: the request, and beside it the plan of its segments."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from agents_core.llm import tokens
from agents_core.llm.types import ChatMessage, ModelRequest, ToolSpec
from agents_core.memory import render
from agents_core.models import Role, SegmentKind, pipeline
from agents_core.models.pipeline import Statement
from agents_core.record.segments import Piece, Plan
from agents_core.record.worlds import SETTINGS, World
from agents_core.runtime.compaction_settings import AT_COMPACTION
from agents_core.runtime.offering import offered_as, with_thoughts
from agents_core.runtime.state import CLIENT_TOOL, StoredMessage, Turn
from agents_core.runtime.transcript import chat_messages
from agents_core.tools import rules
from agents_core.tools.rules import Allowed

COMPACT_AT = 0.9
"""The share of the context window at which the oldest messages are summarised (contract: agent-loop, section 6)."""

_METADATA_START, _METADATA_END = "<memory_metadata>", "</memory_metadata>"


@dataclass(frozen=True, slots=True)
class ContextWindow:
    """A request and its plan. ``parts`` is the system prompt as it is stored.

    ``tokens`` is our estimate of the whole, corrected by the model's ratio. ``world``: what it was made from.
    """

    request: ModelRequest
    plan: Plan
    allowed: Allowed
    parts: list[render.PromptPart]
    tokens: int
    world: World


async def compile_context(turn: Turn, model: str, provider_name: str) -> ContextWindow:
    """The next request of a turn, for ``model`` of a provider."""
    parts = await compile_system(turn, provider_name)
    allowed = rules.allowed(turn.agent.tool_rules, turn.tools, turn.calls_made, _last_result(turn.messages))
    offered = [tool for tool in turn.tools.values() if tool.name in allowed.names]
    specs = tuple(offered_as(turn.agent, tool) for tool in offered)
    pairs = chat_messages(turn.messages)
    if turn.agent.thinks_in_arguments:
        pairs = [(stored, with_thoughts(chat)) for stored, chat in pairs]
    override = turn.request.get("override_system")
    plan = Plan(
        system=[_override(override)] if override else system_pieces(parts),
        tools=[
            Piece(SegmentKind.TOOL, tool.id, tool.name, tokens.count_tools([spec]))
            for tool, spec in zip(offered, specs, strict=True)
        ],
        messages=[message_piece(stored, chat) for stored, chat in pairs],
    )
    request = _request(turn, model, render.text_of(parts), tuple(chat for _, chat in pairs), specs, allowed)
    return ContextWindow(request, plan, allowed, parts, round(plan.tokens * turn.token_ratio), _world(turn))


def _world(turn: Turn) -> World:
    agent = turn.agent
    settings = {name: getattr(agent, name) for name in SETTINGS if hasattr(agent, name)}
    own = {"message_buffer_autoclear": agent.autoclear, "timezone": agent.timezone.key}
    return World(
        settings | own,
        [(block.facts.id, label, block.version) for label, block in turn.blocks.items()],
        [(tool.id, tool.name) for tool in turn.tools.values() if tool.tool_type != CLIENT_TOOL],
        list(turn.revisions.items()),
    )


def _request(
    turn: Turn,
    model: str,
    system_text: str,
    messages: tuple[ChatMessage, ...],
    specs: tuple[ToolSpec, ...],
    allowed: Allowed,
) -> ModelRequest:
    settings, policy = turn.agent.model_settings, turn.agent.policy
    return ModelRequest(
        model=model,
        system=str(turn.request.get("override_system") or system_text),
        messages=messages,
        tools=specs,
        tool_choice=_tool_choice(specs, allowed, policy.must_call),
        parallel_tool_calls=bool(settings.get("parallel_tool_calls")) and not _orders_calls(turn.agent.tool_rules),
        **turn.agent.sampling,
    )


def _tool_choice(specs: Sequence[ToolSpec], allowed: Allowed, must_call: bool) -> str:
    if not specs or not (must_call or allowed.must_call):
        return "auto"
    return specs[0].name if len(specs) == 1 else "required"


def _orders_calls(tool_rules: Sequence[dict[str, Any]]) -> bool:
    return any(rule["type"] != "requires_approval" for rule in tool_rules)


def system_pieces(parts: Sequence[render.PromptPart]) -> list[Piece]:
    return [Piece(part.kind, part.source_id, part.label, tokens.count(part.text), part.text) for part in parts]


def _override(text: str) -> Piece:
    return Piece(SegmentKind.SYSTEM, "", "system prompt of this run", tokens.count(text), text)


def message_piece(stored: StoredMessage, chat: ChatMessage) -> Piece:
    kind = SegmentKind.MESSAGE
    if chat.role == "tool":
        kind = SegmentKind.TOOL_RETURN
    elif stored.role == Role.SUMMARY:
        kind = SegmentKind.SUMMARY
    return Piece(kind, stored.id, chat.role, tokens.count_message(chat))


def _last_result(messages: Sequence[StoredMessage]) -> str | None:
    """What the last tool returned; a heartbeat may stand after it."""
    returns = next((message.tool_returns for message in reversed(messages) if message.tool_returns), None)
    return returns[-1].get("value") if returns else None


# --- the system prompt ----------------------------------------------------------------------------------------------


async def compile_system(turn: Turn, provider_name: str) -> list[render.PromptPart]:
    """The parts of the system prompt. Its counts and its time are taken anew only when something else in it changed, so that it stays
    the same, and in the provider's cache, while memory does; of an agent that recompiles at compaction, all of it stays."""
    if turn.system_parts and turn.agent.compaction_settings.get("recompile") == AT_COMPACTION:
        return turn.system_parts
    kept = _metadata_of(turn.system_text)
    if kept is not None:
        parts = [
            replace(part, text=kept) if part.kind == SegmentKind.METADATA else part
            for part in _parts(turn, provider_name, None)
        ]
        if render.text_of(parts) == turn.system_text:
            return parts
    return await compile_anew(turn, provider_name)


async def compile_anew(turn: Turn, provider_name: str, leaving: int = 0) -> list[render.PromptPart]:
    """The parts from the memory of this moment; ``leaving``: how many messages are about to leave the context."""
    facts = await _metadata(turn)
    return _parts(turn, provider_name, replace(facts, recall_messages=facts.recall_messages + leaving))


def _parts(turn: Turn, provider_name: str, metadata: render.MetadataFacts | None) -> list[render.PromptPart]:
    return render.compile_system(
        render.AgentFacts(
            turn.agent.id,
            turn.agent.system,
            turn.agent.policy.shows_memory,
            render.numbers_lines(turn.agent.agent_type, provider_name),
        ),
        [block.facts for block in turn.blocks.values()],
        rules.sentences(turn.agent.tool_rules),
        metadata or render.MetadataFacts(datetime.now(UTC)),
        turn.directory,
    )


def _metadata_of(system_text: str) -> str | None:
    start, end = system_text.rfind(_METADATA_START), system_text.rfind(_METADATA_END)
    return system_text[start : end + len(_METADATA_END)] if 0 <= start < end else None


_RECALL_COUNT = "SELECT count(*) FROM message WHERE agent_id = %s AND context_position IS NULL AND NOT abandoned"
_PASSAGES = "SELECT count(*) FROM passage WHERE archive_id = ANY(%s) AND NOT is_deleted"
_TAGS = "SELECT DISTINCT unnest(tags) AS tag FROM passage WHERE archive_id = ANY(%s) AND NOT is_deleted ORDER BY tag LIMIT 50"


async def _metadata(turn: Turn) -> render.MetadataFacts:
    recall, passages, tags = await pipeline.run(
        [
            Statement(_RECALL_COUNT, (turn.agent.id,)),
            Statement(_PASSAGES, (turn.archive_ids,)),
            Statement(_TAGS, (turn.archive_ids,)),
        ]
    )
    return render.MetadataFacts(
        datetime.now(turn.agent.timezone), turn.conversation_id, recall[0][0], passages[0][0], [tag for (tag,) in tags]
    )
