"""One step: one model call, the tool calls in its answer, and the commit that makes them so."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from json import dumps
from random import random
from time import perf_counter
from typing import Any

from psycopg.errors import DeadlockDetected, SerializationFailure

from agents_core.events.types import RunEnded, StepEnded
from agents_core.llm.errors import ContextWindowExceeded, InvalidModelResponse, ModelError
from agents_core.llm.types import ChatMessage, Finished, Sent, StreamItem
from agents_core.models import Role, StepStatus, new_id
from agents_core.models.pipeline import Statement, json
from agents_core.queue.tasks import tell_end
from agents_core.runtime.budgets import BudgetExceeded, error_facts_of, remaining_s
from agents_core.runtime.calls import (
    PlannedCall,
    interrupt,
    plan_calls,
    run_calls,
    tool_returns,
    write_intended,
    write_results,
)
from agents_core.runtime.compaction import EXCEEDED, THRESHOLD, compact
from agents_core.runtime.context import COMPACT_AT, ContextWindow, compile_context
from agents_core.runtime.deltas import DeltaWriter
from agents_core.runtime.interrupt import RunCancelled, stop_of, stoppable
from agents_core.runtime.outcome import Outcome, decide
from agents_core.runtime.persist import Commit, NewMessage, begin_next_step, commit_of, refresh_world, take_next_step
from agents_core.runtime.providers import Connection, connections
from agents_core.runtime.recording import ModelCall, StepEnd, error_facts, record_call
from agents_core.runtime.repeats import keys_of, unless_looping
from agents_core.runtime.state import Turn
from agents_core.runtime.transcript import INTERRUPTED, local_time, stored_calls, stored_content, told_apart

_WRITE_TRIES = 30
_LONGEST_PAUSE_S = 0.05
_COMPACT_TRIES = 3


@dataclass(slots=True)
class _Step:
    """What this step has so far. ``recorded``: the model call and its answer are committed, the tools are not."""

    turn: Turn
    window: ContextWindow
    call: ModelCall
    message: NewMessage
    planned: list[PlannedCall]
    started: float
    recorded: bool = False


class RunFailed(Exception):
    """The model failed; the call is recorded and the run has ended."""


async def take_step(turn: Turn) -> Outcome:
    """Takes the step that the turn has begun; unless it ends the run, the next one is begun in the same commit.

    Raises ``RunFailed``, ``RunCancelled``; ``AgentsError`` when the step could not begin.
    """
    started = perf_counter()
    connection = await connections().connect(turn.model)
    window = await _fitting_window(turn, connection)
    message_id = new_id("message")
    window, call = await _call_or_compact(turn, connection, window, message_id)
    assert call.finished is not None
    answer = told_apart(call.finished.message, turn.messages)
    planned = plan_calls(turn, _kept_calls(answer, window), window.allowed)
    message = NewMessage(message_id, Role.ASSISTANT, stored_content(answer), stored_calls(answer)[: len(planned)])
    step = _Step(turn, window, call, message, planned, started)
    if any(not plan.is_builtin and plan.result is None for plan in planned):
        await _commit_intended(step)
    return await _run_tools_and_commit(step)


def _kept_calls(answer: ChatMessage, window: ContextWindow) -> tuple[Any, ...]:
    return answer.tool_calls if window.request.parallel_tool_calls else answer.tool_calls[:1]


# --- the model -----------------------------------------------------------------------------------------------------


async def _fitting_window(turn: Turn, connection: Connection) -> ContextWindow:
    """The context window of the step, compacted first when it would be too full."""
    window = await compile_context(turn, connection.model, connection.provider_name)
    for _ in range(_COMPACT_TRIES):
        if window.tokens <= turn.agent.context_window * COMPACT_AT or not await compact(
            turn, connection, window, THRESHOLD
        ):
            break
        window = await compile_context(turn, connection.model, connection.provider_name)
    return window


async def _call_or_compact(
    turn: Turn, connection: Connection, window: ContextWindow, message_id: str
) -> tuple[ContextWindow, ModelCall]:
    """Calls the model; makes room and calls again when it finds the request too long."""
    for attempt in range(_COMPACT_TRIES + 1):
        call = await call_model(turn, connection, window, message_id)
        if call.error is None:
            return window, call
        too_long = isinstance(call.error, ContextWindowExceeded) and attempt < _COMPACT_TRIES
        if not too_long or not await compact(turn, connection, window, EXCEEDED):
            await fail_step(turn, call, _stop_reason(turn, window, call.error))
            raise RunFailed(call.error.message)
        window = await compile_context(turn, connection.model, connection.provider_name)
    raise AssertionError("unreachable")


def _stop_reason(turn: Turn, window: ContextWindow, error: ModelError) -> str:
    fixed = sum(piece.tokens for piece in (*window.plan.system, *window.plan.tools)) * turn.token_ratio
    if isinstance(error, ContextWindowExceeded) and fixed > turn.agent.context_window:
        return "context_window_overflow_in_system_prompt"
    return error.stop_reason


async def call_model(turn: Turn, connection: Connection, window: ContextWindow, message_id: str) -> ModelCall:
    """One call of the model, its deltas published as they come. A provider's refusal is in ``error``.

    Raises ``RunCancelled``, ``BudgetExceeded`` when its time is up.
    """
    call = ModelCall(connection, window.plan, turn.model, window.tokens)
    try:
        async with asyncio.timeout(remaining_s(turn)) as patience:
            now = asyncio.get_running_loop().time
            writer = DeltaWriter(turn, message_id, on_stop=lambda: patience.reschedule(now()))
            async with aclosing(writer), aclosing(connection.provider.stream(window.request)) as items:
                async for item in items:
                    _take(call, writer, item)
        if call.finished is None:
            raise InvalidModelResponse("The provider's stream ended without an answer.")
    except ModelError as error:
        call.error = error
    except TimeoutError:
        if not patience.expired():
            raise
        raise stop_of(turn) from None
    return call


def _take(call: ModelCall, writer: DeltaWriter, item: StreamItem) -> None:
    match item:
        case Sent():
            call.sent = item
        case Finished():
            call.finished, call.usage = item, item.usage
        case _:
            writer.take(item)


# --- commits -------------------------------------------------------------------------------------------------------

_ENTER_CONTEXT = "UPDATE message SET context_position = %s WHERE id = ANY(%s)"
_SYSTEM_TEXT = "UPDATE message SET content = %s WHERE id = %s"
_END_STEP = "UPDATE step SET status = %s, stop_reason = %s, tools_ms = %s, finished_at = now() WHERE id = %s"
_END_RUN = """
WITH ended AS (
    UPDATE run SET status = %s, stop_reason = %s, error = %s, completed_at = now(),
        first_token_ms = (SELECT first_token_ms FROM step WHERE run_id = run.id AND kind = 'agent' ORDER BY number LIMIT 1)
    WHERE id = %s AND status IN ('created', 'running') RETURNING agent_id, stop_reason, created_at
)
UPDATE agent SET last_run_completion = now(), last_stop_reason = ended.stop_reason,
    last_run_duration_ms = extract(epoch FROM now() - ended.created_at) * 1000
FROM ended WHERE agent.id = ended.agent_id
"""
_DROP_INPUTS = "UPDATE message SET context_position = NULL WHERE run_id = %s AND context_position = 0"
_CLEAR_CONTEXT = """
UPDATE message SET context_position = NULL
WHERE agent_id = %s AND conversation_id IS NOT DISTINCT FROM %s AND context_position > 0 AND role <> 'system'
"""
_END_OPEN_STEPS = (
    "UPDATE step SET status = %s, stop_reason = %s, finished_at = now() WHERE run_id = %s AND status = 'pending'"
)
_INTERRUPT_CALLS = """
UPDATE tool_call SET status = 'interrupted', result = %s
FROM step WHERE step.id = step_id AND run_id = %s AND tool_call.status = 'intended'
"""


def _write_answer(step: _Step, commit: Commit, end: StepEnd | None = None) -> None:
    """What is known once the model has answered: the record, the context that it answered, the answer."""
    turn = step.turn
    record_call(commit, turn, step.call, turn.step_id, end)
    if turn.inputs:
        commit.add(Statement(_ENTER_CONTEXT, (turn.started_seq, [message.id for message in turn.inputs])))
    if turn.system_id and step.window.system_text != turn.system_text:
        commit.add(Statement(_SYSTEM_TEXT, (json([{"type": "text", "text": step.window.system_text}]), turn.system_id)))
    if step.message.content or step.message.tool_calls:
        commit.message(step.message)


def _answer_is_written(step: _Step) -> None:
    """The turn in memory follows what was committed."""
    turn = step.turn
    for message in turn.inputs:
        message.position = turn.started_seq
    turn.system_text = step.window.system_text
    if step.message.content or step.message.tool_calls:
        turn.messages.append(step.message.stored())


async def _commit_intended(step: _Step) -> None:
    """Writes the answer and the calls as intended, before any of them can have an effect outside the database."""
    commit = commit_of(step.turn)
    _write_answer(step, commit)
    write_intended(commit, step.turn, step.planned)
    await commit.run()
    _answer_is_written(step)
    step.recorded = True


async def _run_tools_and_commit(step: _Step) -> Outcome:
    """Runs the tools and commits; when another writer changed a block meanwhile, the builtin ones run again on what stands there now."""
    for attempt in range(_WRITE_TRIES):
        stop = await _run_tools(step)
        try:
            return await _commit_step(step, stop)
        except (SerializationFailure, DeadlockDetected):
            if attempt == _WRITE_TRIES - 1:
                raise
            await asyncio.sleep(random() * min(_LONGEST_PAUSE_S, attempt * 0.002))
            await refresh_world(step.turn)
            for plan in step.planned:
                if plan.is_builtin and plan.tool is not None:
                    plan.result, plan.edits, plan.statements, plan.events = None, [], [], []
    raise AssertionError("unreachable")


async def _run_tools(step: _Step) -> Outcome | None:
    """Runs the tools; gives how the run ends when it was stopped meanwhile."""
    if all(plan.result for plan in step.planned):
        return None
    try:
        await stoppable(step.turn, run_calls(step.turn, step.planned, step.started))
    except RunCancelled:
        interrupt(step.planned)
        return Outcome("cancelled", "cancelled")
    except BudgetExceeded as error:
        interrupt(step.planned)
        return Outcome(error.stop_reason, "failed", error=error_facts_of(error))
    return None


async def _commit_step(step: _Step, stop: Outcome | None) -> Outcome:
    turn = step.turn
    commit = commit_of(turn)
    called = [*turn.calls_made, *(plan.call.name for plan in step.planned if not plan.refused)]
    outcome = stop or unless_looping(turn, step.planned, decide(turn, step.planned, called, step.call.finished))
    status = StepStatus.CANCELLED if outcome.status == "cancelled" else StepStatus.SUCCESS
    end = StepEnd(status, outcome.stop_reason, sum(plan.result.duration_ms for plan in step.planned if plan.result))
    if step.recorded:
        commit.add(Statement(_END_STEP, (end.status, end.stop_reason, end.tools_ms, turn.step_id)))
    else:
        _write_answer(step, commit, end)
    added: list[NewMessage] = []
    if step.planned:
        write_results(commit, turn, step.planned, intended=step.recorded)
        added.append(NewMessage(new_id("message"), Role.TOOL, [], [], tool_returns(turn, step.planned)))
    if outcome.nudge:
        added.append(_heartbeat(turn, outcome.nudge))
    for message in added:
        commit.message(message)
    commit.emit(StepEnded(turn.step_number, status))
    next_step_id = None
    if outcome.stop_reason is None:
        next_step_id = begin_next_step(turn, commit)
    else:
        _write_run_end(commit, turn, outcome.status, outcome.stop_reason, outcome.error)
    rows = await commit.run()
    if not step.recorded:
        _answer_is_written(step)
    turn.messages += [message.stored() for message in added]
    turn.calls_made, turn.steps_taken = called, turn.steps_taken + 1
    turn.spent.calls += keys_of(step.planned)
    if next_step_id:
        take_next_step(turn, next_step_id, rows)
    return outcome


def _heartbeat(turn: Turn, reason: str) -> NewMessage:
    packed = {"type": "heartbeat", "reason": reason, "time": local_time(datetime.now(UTC), turn.agent.timezone)}
    return NewMessage(new_id("message"), Role.USER, [{"type": "text", "text": dumps(packed, ensure_ascii=False)}])


def _write_run_end(commit: Commit, turn: Turn, status: str, stop_reason: str, error: dict[str, Any] | None) -> None:
    if status != "completed":
        commit.add(Statement(_DROP_INPUTS, (turn.run_id,)))
    if turn.agent.autoclear:
        commit.add(Statement(_CLEAR_CONTEXT, (turn.agent.id, turn.conversation_id)))
    commit.add(Statement(_END_RUN, (status, stop_reason, json(error) if error else None, turn.run_id)))
    commit.add(tell_end([turn.run_id]))
    commit.emit(RunEnded(status, stop_reason))


async def fail_step(turn: Turn, call: ModelCall, stop_reason: str) -> None:
    """Records a model call that failed, and ends its run."""
    assert call.error is not None
    commit = commit_of(turn)
    record_call(commit, turn, call, turn.step_id, StepEnd(StepStatus.FAILED, stop_reason))
    commit.emit(StepEnded(turn.step_number, StepStatus.FAILED))
    _write_run_end(commit, turn, "failed", stop_reason, error_facts(call.error))
    await commit.run()


async def end_run(turn: Turn, status: str, stop_reason: str, error: dict[str, Any] | None = None) -> None:
    """Ends the run where it stands, its begun step with it."""
    commit = commit_of(turn)
    step_status = StepStatus.CANCELLED if status == "cancelled" else StepStatus.FAILED
    commit.add(interrupt_calls(turn.run_id))
    commit.add(Statement(_END_OPEN_STEPS, (step_status, stop_reason, turn.run_id)))
    commit.emit(StepEnded(turn.step_number, step_status))
    _write_run_end(commit, turn, status, stop_reason, error)
    await commit.run()


async def end_unreadable_run(agent_id: str, run_id: str, conversation_id: str | None, error: dict[str, Any]) -> None:
    """Ends a run that could be taken up but not read."""
    commit = Commit(agent_id, conversation_id, run_id)
    commit.add(Statement(_END_OPEN_STEPS, (StepStatus.FAILED, "error", run_id)))
    commit.add(Statement(_DROP_INPUTS, (run_id,)))
    commit.add(Statement(_END_RUN, ("failed", "error", json(error), run_id)))
    commit.add(tell_end([run_id]))
    commit.emit(RunEnded("failed", "error"))
    await commit.run()


def interrupt_calls(run_id: str) -> Statement:
    """The statement that marks the calls of a run that were begun and never came to a result."""
    return Statement(_INTERRUPT_CALLS, (INTERRUPTED, run_id))
