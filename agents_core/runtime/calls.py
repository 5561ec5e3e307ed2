"""The tool calls of a step: run where they belong, and written down together with what they changed."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from json import dumps
from random import random
from time import perf_counter
from typing import Any, TypeVar

from psycopg.errors import DeadlockDetected, SerializationFailure

from agents_core.events.types import AnyEvent, BlockChanged, ToolCalled, ToolReturned
from agents_core.llm.types import ToolCall
from agents_core.memory.blocks import write_statements
from agents_core.models import Author, Role, ToolCallStatus, new_id, pipeline
from agents_core.models.pipeline import Statement, json
from agents_core.models.sealed import unseal
from agents_core.runtime.memory import AgentMemory
from agents_core.runtime.persist import Commit, NewMessage, refresh_world
from agents_core.runtime.state import ToolFacts, Turn
from agents_core.runtime.transcript import local_time, packed_return
from agents_core.tools.base import BUILTIN_TOOLS, BlockEdit, ToolContext, ToolResult
from agents_core.tools.execute import own_arguments, read_arguments, run_builtin, run_custom
from agents_core.tools.rules import Allowed

STOPPED = "Interrupted: the run was ended during this call, so its outcome is unknown. Check before you do it again."
_WRITE_TRIES = 30
_LONGEST_PAUSE_S = 0.05


@dataclass(slots=True)
class PlannedCall:
    """A call that the model made. ``arguments`` as the tool gets them; ``heartbeat`` is whether the model asked to be called again;
    ``refused``: it is not run, because there is no such tool or a rule forbids it now; ``waits``: AWAITING or HELD, for an answer;
    ``interrupted``: it was stopped on its way; ``note``: what the model is told beside the result."""

    call: ToolCall
    position: int
    tool: ToolFacts | None
    arguments: dict[str, Any]
    heartbeat: bool
    refused: bool = False
    interrupted: bool = False
    waits: ToolCallStatus | None = None
    result: ToolResult | None = None
    note: str = ""
    started_ms: float = 0.0
    edits: list[BlockEdit] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    events: list[AnyEvent] = field(default_factory=list)

    @property
    def is_builtin(self) -> bool:
        """Whether all that it does is part of the step's own commit, so that it can be run again if that fails."""
        return self.tool is None or self.tool.name in BUILTIN_TOOLS

    @property
    def has_effects(self) -> bool:
        """Whether running it changes what no commit can undo."""
        return not self.is_builtin

    @property
    def awaits(self) -> bool:
        return self.waits == ToolCallStatus.AWAITING

    @property
    def failed(self) -> bool:
        return self.result is not None and self.result.status == "error"


def plan_calls(turn: Turn, calls: Sequence[ToolCall], allowed: Allowed) -> list[PlannedCall]:
    planned = []
    for position, call in enumerate(calls):
        arguments = {**read_arguments(call.arguments), **allowed.prefilled.get(call.name, {})}
        tool = turn.tools.get(call.name)
        plan = PlannedCall(call, position, tool, own_arguments(arguments), bool(arguments.get("request_heartbeat")))
        if tool is None or call.name not in allowed.names:
            plan.refused, plan.result = True, _refusal(call.name, turn, allowed)
        planned.append(plan)
    return planned


def _refusal(name: str, turn: Turn, allowed: Allowed) -> ToolResult:
    valid = ", ".join(sorted(allowed.names)) or "none"
    if name in turn.tools:
        return ToolResult("error", f"[ToolConstraintError] {name} may not be called now. Valid tools: {valid}.")
    return ToolResult("error", f"Tool not found: {name}. Valid tools: {valid}.")


Ran = TypeVar("Ran")
Committed = TypeVar("Committed")


async def run_and_commit(
    turn: Turn,
    planned: Sequence[PlannedCall],
    run: Callable[[], Awaitable[Ran]],
    commit: Callable[[Ran], Awaitable[Committed]],
) -> Committed:
    """Runs the calls that have no result yet and commits; when another writer changed a block meanwhile, the builtin ones run again on
    what stands there now."""
    builtin = [plan for plan in planned if plan.result is None and plan.is_builtin]
    for attempt in range(_WRITE_TRIES):
        ran = await run()
        try:
            return await commit(ran)
        except (SerializationFailure, DeadlockDetected):
            if attempt == _WRITE_TRIES - 1:
                raise
            await asyncio.sleep(random() * min(_LONGEST_PAUSE_S, attempt * 0.002))
            await refresh_world(turn)
            for plan in builtin:
                plan.result, plan.edits, plan.statements, plan.events = None, [], [], []
    raise AssertionError("unreachable")


async def run_calls(turn: Turn, planned: Sequence[PlannedCall], step_started: float) -> None:
    """Runs those that have no result yet: the ones that allow it side by side, then the others in order."""
    open_calls = [plan for plan in planned if plan.result is None]
    together = [plan for plan in open_calls if plan.tool and plan.tool.parallel]
    await asyncio.gather(*(_run(turn, plan, step_started) for plan in together))
    for plan in open_calls:
        if plan.result is None:
            await _run(turn, plan, step_started)


def interrupt(planned: Sequence[PlannedCall]) -> None:
    """Gives those that were stopped on their way a result that says so."""
    for plan in planned:
        if plan.result is None:
            plan.interrupted, plan.result = True, ToolResult("error", STOPPED)


async def _run(turn: Turn, plan: PlannedCall, step_started: float) -> None:
    assert plan.tool is not None
    plan.started_ms = (perf_counter() - step_started) * 1000
    if plan.is_builtin:
        context = ToolContext(
            turn.agent.id, turn.step_id, plan.call.id, turn.agent.timezone, turn.blocks, AgentMemory(turn)
        )
        plan.result = await run_builtin(plan.tool.name, plan.arguments, context, plan.tool.return_char_limit)
        if not plan.failed:
            plan.edits, plan.statements, plan.events = context.edits, context.statements, context.events
        return
    env = {"AGENT_ID": turn.agent.id, "LETTA_AGENT_ID": turn.agent.id, **await _variables(turn.agent.id)}
    source = plan.tool.source_code or ""
    plan.result = await run_custom(plan.tool.name, source, plan.arguments, env, plan.tool.return_char_limit)


async def _variables(agent_id: str) -> dict[str, str]:
    rows = (await pipeline.run([Statement("SELECT key, sealed FROM agent_variable WHERE agent_id = %s", (agent_id,))]))[
        0
    ]
    return {key: unseal(sealed) for key, sealed in rows}


# --- writing them down ---------------------------------------------------------------------------------------------

_INSERT = """
INSERT INTO tool_call (step_id, agent_id, call_id, position, name, arguments, status, result, stdout, stderr,
code_digest, started_ms, duration_ms)
SELECT %s, %s, call_id, position, name, arguments, status, result, stdout, stderr, decode(code_digest, 'hex'), started_ms, duration_ms
FROM jsonb_to_recordset(%s) AS c (call_id text, position int, name text, arguments jsonb, status text, result text, stdout text,
                                  stderr text, code_digest text, started_ms float8, duration_ms float8)
ON CONFLICT (step_id, call_id) DO UPDATE SET status = EXCLUDED.status, result = EXCLUDED.result, stdout = EXCLUDED.stdout,
    stderr = EXCLUDED.stderr, arguments = EXCLUDED.arguments, started_ms = EXCLUDED.started_ms, duration_ms = EXCLUDED.duration_ms
"""
_WROTE = """
SELECT ensure(EXISTS (SELECT 1 FROM block_version WHERE block_id = %s AND version = %s AND step_id = %s AND
tool_call_id = %s), 'block changed')
"""


def write_intended(commit: Commit, turn: Turn, planned: Sequence[PlannedCall]) -> None:
    """Adds the rows of the calls before they run."""
    write_rows(commit, turn, planned)
    _tell_called(commit, planned)


def write_results(commit: Commit, turn: Turn, planned: Sequence[PlannedCall], *, intended: bool) -> None:
    """Adds the rows of the calls with their results, and all that they changed. ``intended``: ``write_intended`` came before."""
    write_rows(commit, turn, planned)
    if not intended:
        _tell_called(commit, planned)
    for plan in planned:
        for edit in plan.edits:
            _write_block(commit, turn, edit)
        for statement in plan.statements:
            commit.add(statement)
        for event in plan.events:
            commit.emit(event)
        assert plan.result is not None
        commit.emit(ToolReturned(plan.call.id, plan.call.name, plan.result.status))


def write_rows(commit: Commit, turn: Turn, planned: Sequence[PlannedCall]) -> None:
    """Adds the rows of the calls as they are now, in place of older ones."""
    commit.add(Statement(_INSERT, (turn.step_id, turn.agent.id, json([_row(plan) for plan in planned]))))


def _tell_called(commit: Commit, planned: Sequence[PlannedCall]) -> None:
    for plan in planned:
        commit.emit(ToolCalled(plan.call.id, plan.call.name))


def _row(plan: PlannedCall) -> dict[str, Any]:
    status, result = plan.waits or ToolCallStatus.INTENDED, plan.result
    if result is not None:
        status = ToolCallStatus.ERROR if plan.failed else ToolCallStatus.OK
    if plan.interrupted:
        status = ToolCallStatus.INTERRUPTED
    source = plan.tool.source_code if plan.tool else None
    return {
        "call_id": plan.call.id,
        "position": plan.position,
        "name": plan.call.name,
        "arguments": plan.arguments,
        "status": status.value,
        "result": result.text if result else None,
        "stdout": result.stdout if result else "",
        "stderr": result.stderr if result else "",
        "code_digest": sha256(source.encode()).hexdigest() if source else None,
        "started_ms": plan.started_ms,
        "duration_ms": result.duration_ms if result else None,
    }


def _write_block(commit: Commit, turn: Turn, edit: BlockEdit) -> None:
    author = Author.SLEEPTIME if turn.agent.agent_type == "sleeptime_agent" else Author.AGENT
    for statement in write_statements(
        edit.block_id, {"value": edit.value}, author, edit.replaces, turn.agent.id, turn.step_id, edit.call_id
    ):
        commit.add(statement)
    commit.add(Statement(_WROTE, (edit.block_id, edit.replaces + 1, turn.step_id, edit.call_id)))
    commit.emit_to_holders(edit.block_id, BlockChanged(edit.block_id, edit.label, edit.replaces + 1, author))


def result_messages(turn: Turn, planned: Sequence[PlannedCall], nudge: str) -> list[NewMessage]:
    """What the context gets after calls: their results, and the nudge that lets the agent go on."""
    messages = [NewMessage(new_id("message"), Role.TOOL, [], [], _tool_returns(turn, planned))] if planned else []
    if nudge:
        packed = {"type": "heartbeat", "reason": nudge, "time": local_time(datetime.now(UTC), turn.agent.timezone)}
        text = dumps(packed, ensure_ascii=False)
        messages.append(NewMessage(new_id("message"), Role.USER, [{"type": "text", "text": text}]))
    return messages


def _tool_returns(turn: Turn, planned: Sequence[PlannedCall]) -> list[dict[str, Any]]:
    """The results as a tool message stores them. ``text`` is what the model reads, ``value`` the tool's bare result."""
    now = datetime.now(UTC)
    return [
        {
            "tool_call_id": plan.call.id,
            "name": plan.call.name,
            "status": plan.result.status,
            "text": packed_return(plan.result.status, plan.result.text, now, turn.agent.timezone, plan.note),
            "value": plan.result.text,
            "stdout": plan.result.stdout,
            "stderr": plan.result.stderr,
        }
        for plan in planned
        if plan.result is not None
    ]
