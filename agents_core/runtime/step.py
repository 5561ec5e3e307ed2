"""One step: one model call, the tool calls in its answer, and the commit that makes them so."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from agents_core.events.types import StepEnded
from agents_core.llm.errors import ContextWindowExceeded, InvalidModelResponse, ModelError
from agents_core.llm.types import ChatMessage, Finished, Sent, StreamItem
from agents_core.memory.render import stored_parts, text_of
from agents_core.models import Role, StepStatus, new_id
from agents_core.models.pipeline import Statement, json
from agents_core.runtime import approvals
from agents_core.runtime.budgets import remaining_s
from agents_core.runtime.calls import (
    PlannedCall,
    plan_calls,
    result_messages,
    run_and_commit,
    write_intended,
    write_results,
)
from agents_core.runtime.compaction import EXCEEDED, THRESHOLD, compact
from agents_core.runtime.context import COMPACT_AT, ContextWindow, compile_context
from agents_core.runtime.deltas import DeltaWriter
from agents_core.runtime.ending import write_run_end
from agents_core.runtime.interrupt import run_tools, stop_of
from agents_core.runtime.offering import without_thoughts
from agents_core.runtime.outcome import Outcome, decide
from agents_core.runtime.persist import Commit, NewMessage, begin_next_step, commit_of, take_next_step
from agents_core.runtime.providers import Connection, connections
from agents_core.runtime.recording import ModelCall, StepEnd, error_facts, record_call
from agents_core.runtime.repeats import keys_of, unless_looping
from agents_core.runtime.sleeptime import call_companions
from agents_core.runtime.state import Turn
from agents_core.runtime.transcript import stored_calls, stored_content, told_apart

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
    if turn.agent.thinks_in_arguments:
        answer = without_thoughts(answer)
    planned = plan_calls(turn, _kept_calls(answer, window), window.allowed)
    has_to_wait = approvals.hold(turn, planned)
    message = NewMessage(message_id, Role.ASSISTANT, stored_content(answer), _stored_calls(answer, planned))
    step = _Step(turn, window, call, message, planned, started)
    if has_to_wait:
        return await _commit_request(step)
    if any(plan.has_effects and plan.result is None for plan in planned):
        await _commit_intended(step)
    return await run_and_commit(
        turn, planned, lambda: run_tools(turn, planned, started), lambda stop: _commit_step(step, stop)
    )


def _kept_calls(answer: ChatMessage, window: ContextWindow) -> tuple[Any, ...]:
    return answer.tool_calls if window.request.parallel_tool_calls else answer.tool_calls[:1]


def _stored_calls(answer: ChatMessage, planned: Sequence[PlannedCall]) -> list[dict[str, Any]]:
    return [
        {**call, "gated": True} if plan.awaits else call
        for call, plan in zip(stored_calls(answer), planned, strict=False)
    ]


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
    call = ModelCall(connection, window.plan, turn.model, window.tokens, window.world)
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


def _write_answer(step: _Step, commit: Commit, end: StepEnd | None = None) -> None:
    """What is known once the model has answered: the record, the context that it answered, the answer."""
    turn = step.turn
    record_call(commit, turn, step.call, turn.step_id, end)
    if turn.inputs:
        commit.add(Statement(_ENTER_CONTEXT, (turn.started_seq, [message.id for message in turn.inputs])))
    if turn.system_id and text_of(step.window.parts) != turn.system_text:
        commit.add(Statement(_SYSTEM_TEXT, (json(stored_parts(step.window.parts)), turn.system_id)))
    if step.message.content or step.message.tool_calls:
        commit.message(step.message)


def _answer_is_written(step: _Step) -> None:
    """The turn in memory follows what was committed."""
    turn = step.turn
    for message in turn.inputs:
        message.position = turn.started_seq
    turn.system_parts = step.window.parts
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


async def _commit_request(step: _Step) -> Outcome:
    """Ends the run with calls that wait for an answer."""
    turn, outcome = step.turn, Outcome(approvals.REQUIRED)
    commit = commit_of(turn)
    _write_answer(step, commit, StepEnd(StepStatus.SUCCESS, outcome.stop_reason))
    approvals.write_request(commit, turn, step.message.id, step.planned)
    commit.emit(StepEnded(turn.step_number, StepStatus.SUCCESS))
    write_run_end(commit, turn, outcome.status, approvals.REQUIRED, keeps_context=True)
    await commit.run()
    return outcome


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
    if step.planned:
        write_results(commit, turn, step.planned, intended=step.recorded)
    added = result_messages(turn, step.planned, outcome.nudge)
    for message in added:
        commit.message(message)
    commit.emit(StepEnded(turn.step_number, status))
    next_step_id = None
    if outcome.stop_reason is None:
        next_step_id = begin_next_step(turn, commit)
    else:
        if outcome.status == "completed":
            call_companions(commit, turn, outcome.stop_reason, _last_message_id(step, added))
        write_run_end(commit, turn, outcome.status, outcome.stop_reason, outcome.error)
    rows = await commit.run()
    if not step.recorded:
        _answer_is_written(step)
    turn.messages += [message.stored() for message in added]
    turn.calls_made, turn.steps_taken = called, turn.steps_taken + 1
    turn.spent.calls += keys_of(step.planned)
    if next_step_id:
        take_next_step(turn, next_step_id, rows)
    return outcome


def _last_message_id(step: _Step, added: list[NewMessage]) -> str | None:
    """The last message that the run has written with this step; None when it has written none."""
    if added:
        return added[-1].id
    if step.message.content or step.message.tool_calls:
        return step.message.id
    return step.turn.messages[-1].id if step.turn.steps_taken else None


async def fail_step(turn: Turn, call: ModelCall, stop_reason: str) -> None:
    """Records a model call that failed, and ends its run."""
    assert call.error is not None
    commit = commit_of(turn)
    record_call(commit, turn, call, turn.step_id, StepEnd(StepStatus.FAILED, stop_reason))
    commit.emit(StepEnded(turn.step_number, StepStatus.FAILED))
    write_run_end(commit, turn, "failed", stop_reason, error_facts(call.error))
    await commit.run()
