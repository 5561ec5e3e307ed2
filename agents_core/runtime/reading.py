"""What a turn is read from: the agent with all that its request is made of, in one statement, and the messages in its context."""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from agents_core.errors import NotFound
from agents_core.memory.files.directory import DIRECTORY_SQL, directory_of
from agents_core.memory.render import BlockFacts, parts_of
from agents_core.models import WAITING, pipeline
from agents_core.models.pipeline import Statement
from agents_core.runtime.state import CLIENT_TOOL, AgentFacts, BreakpointFacts, StoredMessage, Tended, ToolFacts, Turn
from agents_core.tools.base import BlockState

CLIENT_RETURN_CHARS = 50_000
"""How much of the result of a caller's tool the agent sees."""

_WORLD = """
SELECT agent.id, name, agent_type, system, agent.model, model_settings, context_window, embedding, tool_rules, compaction_settings,
    response_format, message_buffer_autoclear, timezone, budgets, ratio, samples,
    (SELECT coalesce(json_agg(json_build_array(block.id, block.label, coalesce(proposed.value, block.value), "limit", block.description,
        read_only, version, review AND agent_type IN ('sleeptime_agent', 'voice_sleeptime_agent'), proposed.id) ORDER BY agent_block.id),
        '[]') FROM agent_block JOIN block ON block.id = block_id LEFT JOIN block_proposal AS proposed ON proposed.block_id = block.id
        AND proposed.agent_id = agent.id AND proposed.status = 'pending' AND base_version = version AND review
        WHERE agent_block.agent_id = agent.id),
    (SELECT coalesce(json_agg(json_build_array(tool.id, tool.name, tool_type, tool.description, json_schema -> 'parameters', source_code,
        return_char_limit, enable_parallel_execution, source_type) ORDER BY agent_tool.id), '[]')
        FROM agent_tool JOIN tool ON tool.id = tool_id WHERE agent_id = agent.id),
    (SELECT coalesce(json_object_agg(archive_id, revision ORDER BY agent_archive.id), '{}')
        FROM agent_archive JOIN archive ON archive.id = archive_id WHERE agent_id = agent.id),
    (SELECT json_build_array(agent_group.id, sleeptime_agent_frequency, turns_counter, last_processed_seq,
        (SELECT coalesce(json_agg(group_agent.agent_id ORDER BY group_agent.id), '[]') FROM group_agent WHERE group_id = agent_group.id))
        FROM agent_group WHERE manager_id = agent.id AND manager_type IN ('sleeptime', 'voice_sleeptime') AND enable_sleeptime),
    (SELECT coalesce(json_agg(json_build_array(id, kind, target, pattern, threshold, condition, nth, log) ORDER BY created_at, id), '[]')
        FROM breakpoint WHERE enabled AND (agent_id = agent.id OR agent_id IS NULL)),
"""
_WORLD += f"""{DIRECTORY_SQL}
FROM agent LEFT JOIN token_ratio ON handle = coalesce((SELECT request ->> 'override_model' FROM run WHERE run.id = %s), agent.model)
WHERE agent.id = %s
"""
# As one value: reading a long conversation row by row takes several times as long.
_CONTEXT = """
SELECT coalesce(json_agg(json_build_array(id, role, content, tool_calls, tool_returns, context_position)
    ORDER BY nullif(context_position, %s) NULLS LAST, seq), '[]')
FROM message
WHERE agent_id = %s AND context_position IS NOT NULL AND conversation_id IS NOT DISTINCT FROM %s AND (context_position <> %s OR run_id = %s)
"""


def world(agent_id: str, run_id: str | None) -> Statement:
    """The statement whose row is the agent as the run's next step finds it; for ``turn_from`` and ``take_world``."""
    return Statement(_WORLD, (run_id, agent_id))


def context(agent_id: str, run_id: str | None, conversation_id: str | None) -> Statement:
    """The statement whose one value holds the messages in the thread's context, and those that wait for the run's first answer."""
    return Statement(_CONTEXT, (WAITING, agent_id, conversation_id, WAITING, run_id))


def turn_from(row: tuple[Any, ...], messages: Sequence[Sequence[Any]], **about: Any) -> Turn:
    """The turn of the rows of ``world`` and ``context``; ``about``: its further fields."""
    system, others = _split_system([StoredMessage(*row) for row in messages])
    turn = Turn(
        **about,
        agent=agent_from(row),
        blocks={},
        tools={},
        archive_ids=[],
        system_id=system.id if system else None,
        system_parts=parts_of(system.content) if system else [],
        messages=others,
    )
    take_world(turn, row)
    return turn


_NEXT_RUN = """
SELECT run.id, request, attempts, step_count,
    (SELECT coalesce(json_agg(name ORDER BY step.number, position), '[]') FROM tool_call JOIN step ON step.id = step_id
        WHERE run_id = run.id AND (duration_ms > 0) IS NOT FALSE)
FROM agent LEFT JOIN run ON run.id = (SELECT id FROM run WHERE agent_id = %s AND conversation_id IS NOT DISTINCT FROM %s
    AND status IN ('created', 'running', 'paused') ORDER BY first_seq LIMIT 1) WHERE agent.id = %s
"""
_OVERRIDE = "SELECT model FROM conversation WHERE id = %s AND agent_id = %s"


async def read_turn(agent_id: str, conversation_id: str | None) -> Turn:
    """The turn as its next step would find it, nothing written: that of the thread's run that goes on or is queued, else of one that
    would begin now, without a message of its own. Raises ``NotFound``."""
    thread = (agent_id, conversation_id)
    found, conversation = await pipeline.run(
        [Statement(_NEXT_RUN, (*thread, agent_id)), Statement(_OVERRIDE, (conversation_id, agent_id))]
    )
    if not found:
        raise NotFound("Agent not found")
    if conversation_id and not conversation:
        raise NotFound("The agent has no such conversation: it may have been deleted.")
    run_id, request, attempts, step_count, called = found[0]
    found_world, messages = await pipeline.run([world(agent_id, run_id), context(agent_id, run_id, conversation_id)])
    if not found_world:
        raise NotFound("Agent not found")
    override = conversation[0][0] if conversation else None
    return turn_from(
        found_world[0],
        messages[0][0],
        run_id=run_id or "",
        conversation_id=conversation_id,
        request=request if run_id else {"override_model": override},
        attempt=attempts or 0,
        resumed=False,
        cancel_requested=False,
        started_seq=0,
        step_id="",
        step_number=step_count + 1,
        calls_made=called,
    )


async def refresh_world(turn: Turn) -> None:
    """Reads blocks, tools and archives anew, after another writer was first."""
    take_world(turn, (await pipeline.run([world(turn.agent.id, turn.run_id)]))[0][0])


def take_world(turn: Turn, row: tuple[Any, ...]) -> None:
    """Puts what the row of ``world`` says beside the agent itself into the turn."""
    ratio, samples, blocks, tools, turn.revisions, tended, breakpoints, directory = row[-8:]
    turn.archive_ids = list(turn.revisions)
    # A branch that is only compared goes on to its end.
    turn.breakpoints = [] if turn.is_compared else [BreakpointFacts(*facts) for facts in breakpoints]
    turn.directory = directory_of(directory)
    turn.tended = Tended(*tended) if tended else None
    turn.blocks = {
        label: BlockState(BlockFacts(block_id, label, *facts), version, review, proposal_id)
        for block_id, label, *facts, version, review, proposal_id in blocks
    }
    turn.tools = {name: ToolFacts(tool_id, name, *facts) for tool_id, name, *facts in tools}
    for tool in turn.request.get("client_tools", []):  # hides an own tool of the same name
        turn.tools[tool["name"]] = _client_tool(tool)
    turn.token_ratio, turn.token_samples = ratio or 1.0, samples or 0


def _client_tool(tool: dict[str, Any]) -> ToolFacts:
    parameters = tool.get("parameters") or {"type": "object", "properties": {}}
    name, description = tool["name"], tool.get("description") or ""
    return ToolFacts(CLIENT_TOOL, name, CLIENT_TOOL, description, parameters, None, CLIENT_RETURN_CHARS, False)


def agent_from(row: tuple[Any, ...]) -> AgentFacts:
    """The agent in the row of ``world``."""
    facts = (*row[:12], ZoneInfo(row[12]), row[13])
    return AgentFacts(*facts)


def _split_system(messages: Sequence[StoredMessage]) -> tuple[StoredMessage | None, list[StoredMessage]]:
    """The agent's own system message, which stands first, and the others."""
    if messages and messages[0].role == "system" and not messages[0].waiting:
        return messages[0], list(messages[1:])
    return None, list(messages)
