"""The tool calls of a step: run where they belong, and written down together with what they changed."""

import asyncio
from collections.abc import Awaitable, Callable, Container, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from json import dumps
from random import random
from time import perf_counter
from typing import Any, TypeVar

from psycopg.errors import DeadlockDetected, SerializationFailure, UniqueViolation

from agents_core.errors import AgentsError
from agents_core.events.types import AnyEvent, BlockChanged, ProposalChanged, ToolCalled, ToolReturned
from agents_core.llm.types import ToolCall
from agents_core.memory.blocks import not_under_review, proposal_statements, write_statements
from agents_core.models import Author, Role, ToolCallStatus, ToolType, new_id, pipeline
from agents_core.models.pipeline import Statement, json
from agents_core.models.sealed import unseal
from agents_core.runtime.custom_calls import answers, environment_and_agent, write_changes
from agents_core.runtime.memory import AgentMemory
from agents_core.runtime.others import AgentsOfTurn
from agents_core.runtime.persist import Commit, NewMessage
from agents_core.runtime.reading import refresh_world
from agents_core.runtime.replay import replayed
from agents_core.runtime.state import ANYWHERE, ToolFacts, Turn
from agents_core.runtime.transcript import local_time, packed_return
from agents_core.tools.base import BUILTIN_TOOLS, BlockEdit, ToolContext, ToolResult
from agents_core.tools.execute import failed, own_arguments, read_arguments, run_builtin, run_custom
from agents_core.tools.languages import Language
from agents_core.tools.mcp.run import run_remote
from agents_core.tools.rules import Allowed

STOPPED = "Interrupted: the run was ended during this call, so its outcome is unknown. Check before you do it again."
_WRITE_TRIES = 30
_OUTSIDE = (ToolType.MULTI_AGENT, ToolType.BUILTIN)
_LONGEST_PAUSE_S = 0.05


@dataclass(slots=True)
class PlannedCall:
    """A call that the model made. ``arguments`` as the tool gets them; ``heartbeat`` is whether the model asked to be called again;
    ``refused``: it is not run, because there is no such tool or a rule forbids it now; ``waits``: AWAITING or HELD, for an answer;
    ``interrupted``: it was stopped on its way; ``note``: what the model is told beside the result; ``ran``: what the code of a
    person's tool left, which was given the texts ``read`` of blocks by label; ``asked``: the record of its searches."""

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
    ran: ToolResult | None = None
    read: dict[str, str] = field(default_factory=dict)
    asked: list[Statement] = field(default_factory=list)
    edits: list[BlockEdit] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    events: list[AnyEvent] = field(default_factory=list)

    @property
    def is_builtin(self) -> bool:
        """Whether all that it does is part of the step's own commit, so that it can be run again if that fails."""
        return self.tool is None or (self.tool.name in BUILTIN_TOOLS and self.tool.tool_type not in _OUTSIDE)

    @property
    def speaks_to_others(self) -> bool:
        """Whether it sends messages to other agents: at once, and under ids that let it be repeated after a crash."""
        return self.tool is not None and self.tool.tool_type == ToolType.MULTI_AGENT

    @property
    def has_effects(self) -> bool:
        """Whether running it changes what no commit can undo, or takes long: people are told before it runs."""
        return not self.is_builtin

    @property
    def is_about_to_act(self) -> bool:
        """Whether it has effects and has not had them yet."""
        return self.has_effects and self.result is None and self.ran is None

    @property
    def can_be_redone(self) -> bool:
        """Whether what it wrote to memory can be written again, on what stands there now, and nothing else happens."""
        return self.is_builtin or self.ran is not None

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
            plan.refused, plan.result = True, refusal(call.name, turn.tools, allowed)
        planned.append(plan)
    return planned


def refusal(name: str, available: Container[str], allowed: Allowed) -> ToolResult:
    """What the model is told of a call that is not run: of a tool that the agent does not have, or that may not be called now."""
    valid = ", ".join(sorted(allowed.names)) or "none"
    if name in available:
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
    what stands there now, and what people's tools changed is written there."""
    open_calls = [plan for plan in planned if plan.result is None]
    seen = {block.facts.id: block.value for block in turn.blocks.values()}
    for attempt in range(_WRITE_TRIES):
        ran = await run()
        try:
            return await commit(ran)
        except (SerializationFailure, DeadlockDetected, UniqueViolation):
            if attempt == _WRITE_TRIES - 1:
                raise
            await asyncio.sleep(random() * min(_LONGEST_PAUSE_S, attempt * 0.002))
            await refresh_world(turn)
            for block in turn.blocks.values():
                if (before := seen.get(block.facts.id, block.value)) != block.value:
                    block.met = (before, block.value)
            for plan in filter(lambda plan: plan.can_be_redone, open_calls):
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
    if plan.ran is None and (told := await replayed(turn, plan.tool, plan.arguments)):
        plan.result = told
        return
    if plan.tool.tool_type == ToolType.MCP:
        variables, limit = await _variables(turn.agent.id), plan.tool.return_char_limit
        plan.result = await run_remote(plan.tool.id, plan.tool.name, plan.arguments, variables, limit)
        return
    if plan.tool.name not in BUILTIN_TOOLS and plan.ran is None:
        plan.ran = await _run_code(turn, plan, plan.tool)
    before = {label: replace(block) for label, block in turn.blocks.items()}
    context = tool_context(turn, plan.call.id)
    if plan.ran is None:
        plan.result = await run_builtin(plan.tool.name, plan.arguments, context, plan.tool.return_char_limit)
    else:
        context.statements += plan.asked
        plan.result = await write_changes(context, plan.tool.name, plan.ran, plan.read)
    if plan.failed:
        turn.blocks = before
    else:
        plan.edits, plan.statements, plan.events = context.edits, context.statements, context.events


async def _run_code(turn: Turn, plan: PlannedCall, tool: ToolFacts) -> ToolResult:
    plan.read = {label: block.value for label, block in turn.blocks.items()}
    try:
        environment, agent = await environment_and_agent(turn, tool, await _variables(turn.agent.id))
    except AgentsError as error:
        return failed(tool.name, error)
    source, limit = tool.source_code or "", tool.return_char_limit
    context = tool_context(turn, plan.call.id)
    plan.asked = context.statements
    told: dict[str, Any] = {"answer": answers(context), "record": turn.stop_at == ANYWHERE}
    return await run_custom(tool.name, source, plan.arguments, environment, limit, agent, tool.language, **told)


def tool_context(turn: Turn, call_id: str, step_id: str = "") -> ToolContext:
    """What a call of the turn's step, or of an earlier one, may see and change."""
    agent = turn.agent
    return ToolContext(
        agent.id,
        step_id or turn.step_id,
        call_id,
        agent.timezone,
        turn.blocks,
        AgentMemory(turn),
        AgentsOfTurn(turn),
        agent.policy.author,
        partial(_variables, agent.id),
        {
            tool.name: tool.source_code
            for tool in turn.tools.values()
            if tool.source_code and tool.language is Language.PYTHON
        },
    )


async def _variables(agent_id: str) -> dict[str, str]:
    rows = (await pipeline.run([Statement("SELECT key, sealed FROM agent_variable WHERE agent_id = %s", (agent_id,))]))[
        0
    ]
    return {key: unseal(sealed) for key, sealed in rows}


_REPEATABLE = """
SELECT step_id, call_id, tool_call.name, arguments, return_char_limit FROM tool_call JOIN step ON step.id = step_id
JOIN tool ON tool.name = tool_call.name AND tool_type = 'letta_multi_agent_core'
WHERE run_id = %s AND tool_call.status = 'intended' AND call_id = ANY(%s)
"""
_REPEATED = "UPDATE tool_call SET status = %s, result = %s, duration_ms = %s WHERE step_id = %s AND call_id = %s"


async def repeated_calls(turn: Turn, commit: Commit) -> dict[str, dict[str, Any]]:
    """The returns, by call, of the turn's last calls that speak to other agents, which a worker that died had begun.

    What was said is not said again: the call goes on where it was, with waiting. Their rows are added to ``commit``.
    """
    if turn.is_compared:
        return {}
    ids = [call["id"] for call in turn.messages[-1].tool_calls]
    [rows] = await pipeline.run([Statement(_REPEATABLE, (turn.run_id, ids))])
    answered = {}
    for step_id, call_id, name, arguments, limit in rows:
        context = tool_context(turn, call_id, step_id)
        result = await run_builtin(name, arguments, context, limit)
        status = ToolCallStatus.OK if result.status == "success" else ToolCallStatus.ERROR
        commit.add(Statement(_REPEATED, (status, result.text, result.duration_ms, step_id, call_id)))
        commit.emit(ToolReturned(call_id, name, result.status), step_id=step_id)
        answered[call_id] = _return(turn, call_id, name, result)
    return answered


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
    tell_called(commit, planned)


def write_results(commit: Commit, turn: Turn, planned: Sequence[PlannedCall], *, intended: bool) -> None:
    """Adds the rows of the calls with their results, and all that they changed. ``intended``: ``write_intended`` came before."""
    write_rows(commit, turn, planned)
    if not intended:
        tell_called(commit, planned)
    for plan in planned:
        for edit in plan.edits:
            if edit.proposal_id is None:
                _write_block(commit, turn, edit)
            else:
                _propose(commit, turn, edit, edit.proposal_id)
        for statement in plan.statements:
            commit.add(statement)
        for event in plan.events:
            commit.emit(event)
            if isinstance(event, BlockChanged) and event.change == "detached":
                commit.tell_other_holders(event.block_id, replace(event, change="unshared"))
        assert plan.result is not None
        commit.emit(ToolReturned(plan.call.id, plan.call.name, plan.result.status))


def write_rows(commit: Commit, turn: Turn, planned: Sequence[PlannedCall]) -> None:
    """Adds the rows of the calls as they are now, in place of older ones."""
    commit.add(Statement(_INSERT, (turn.step_id, turn.agent.id, json([_row(plan) for plan in planned]))))


def tell_called(commit: Commit, planned: Sequence[PlannedCall]) -> None:
    """Tells people of the calls."""
    for plan in planned:
        commit.emit(ToolCalled(plan.call.id, plan.call.name))


def _row(plan: PlannedCall) -> dict[str, Any]:
    status, result = plan.waits or ToolCallStatus.INTENDED, plan.result
    if result is not None and status != ToolCallStatus.PAUSED:
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


def _propose(commit: Commit, turn: Turn, edit: BlockEdit, proposal_id: str) -> None:
    owner = (turn.agent.id, turn.step_id, edit.call_id)
    for statement in proposal_statements(
        proposal_id, edit.block_id, edit.replaces, edit.changes["value"], *owner, extends=edit.extends
    ):
        commit.add(statement)
    commit.emit_to_holders(edit.block_id, ProposalChanged(proposal_id, edit.block_id, edit.label, "pending"))


def _write_block(commit: Commit, turn: Turn, edit: BlockEdit) -> None:
    author = turn.agent.policy.author
    if author == Author.SLEEPTIME:
        commit.add(not_under_review(edit.block_id))
    for statement in write_statements(
        edit.block_id, edit.changes, author, edit.replaces, turn.agent.id, turn.step_id, edit.call_id
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
    return [
        _return(turn, plan.call.id, plan.call.name, plan.result, plan.note)
        for plan in planned
        if plan.result is not None
    ]


def _return(turn: Turn, call_id: str, name: str, result: ToolResult, note: str = "") -> dict[str, Any]:
    return {
        "tool_call_id": call_id,
        "name": name,
        "status": result.status,
        "text": packed_return(result.status, result.text, datetime.now(UTC), turn.agent.timezone, note),
        "value": result.text,
        "stdout": result.stdout,
        "stderr": result.stderr,
    }
