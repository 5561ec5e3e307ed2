"""One step: one model call, the tool calls in its answer, and the commit that makes them so."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from time import perf_counter
from typing import Any

from agents_core.events.types import StepEnded
from agents_core.llm.errors import ContextWindowExceeded, InvalidModelResponse, ModelError
from agents_core.llm.types import ChatMessage, Finished, Sent, StreamItem
from agents_core.models import PauseStage, Role, StepStatus, new_id
from agents_core.runtime import approvals
from agents_core.runtime.breakpoints import NextRequest, after_failure, before_eviction, before_model
from agents_core.runtime.budgets import remaining_s
from agents_core.runtime.calls import PlannedCall, plan_calls
from agents_core.runtime.compaction import EXCEEDED, THRESHOLD, compact, leaving
from agents_core.runtime.context import COMPACT_AT, ContextWindow, compile_context
from agents_core.runtime.deltas import DeltaWriter
from agents_core.runtime.ending import write_run_end
from agents_core.runtime.finishing import Answered, finish
from agents_core.runtime.interrupt import stop_of
from agents_core.runtime.offering import without_thoughts
from agents_core.runtime.outcome import Outcome
from agents_core.runtime.pausing import pause
from agents_core.runtime.persist import NewMessage, commit_of
from agents_core.runtime.providers import Connection, connections
from agents_core.runtime.recording import ModelCall, StepEnd, error_facts, record_call, record_request
from agents_core.runtime.resuming import taken_up
from agents_core.runtime.state import Turn
from agents_core.runtime.transcript import stored_calls, stored_content, told_apart

_COMPACT_TRIES = 3


class RunFailed(Exception):
    """The model failed; the call is recorded and the run has ended."""


async def take_step(turn: Turn) -> Outcome:
    """Takes the step that the turn has begun, from where it stood when it was suspended; unless it ends the run, the next one is begun in
    the same commit.

    Raises ``Paused``, ``RunFailed``, ``RunCancelled``; ``AgentsError`` when the step could not begin.
    """
    started = perf_counter()
    stage = turn.suspended["stage"] if turn.suspended else None
    if stage in (PauseStage.ANSWER, PauseStage.RESULTS):
        return await finish(await taken_up(turn, started))
    return await finish(await _answered(turn, started, stage))


async def _answered(turn: Turn, started: float, passed: str | None) -> Answered:
    """The step once its model has answered. ``passed``: the stage at which it stood before that."""
    connection = await connections().connect(turn.model)
    window = await _fitting_window(turn, connection, passed)
    if passed != PauseStage.REQUEST:
        await _stop_before_model(NextRequest(turn, connection, window))
    message_id = new_id("message")
    window, call = await _call_or_compact(turn, connection, window, message_id)
    assert call.finished is not None
    answer = told_apart(call.finished.message, turn.messages)
    if turn.agent.thinks_in_arguments:
        answer = without_thoughts(answer)
    planned = plan_calls(turn, _kept_calls(answer, window), window.allowed)
    approvals.hold(turn, planned)
    message = NewMessage(message_id, Role.ASSISTANT, stored_content(answer), _stored_calls(answer, planned))
    return Answered(turn, message, planned, started, call.finished.finish_reason, call, window)


async def _stop_before_model(request: NextRequest) -> None:
    turn = request.turn
    if reasons := await before_model(request):
        commit = commit_of(turn)
        record_request(commit, turn, request.connection, request.window, await request.cut())
        await pause(turn, commit, PauseStage.REQUEST, reasons)


def _kept_calls(answer: ChatMessage, window: ContextWindow) -> tuple[Any, ...]:
    return answer.tool_calls if window.request.parallel_tool_calls else answer.tool_calls[:1]


def _stored_calls(answer: ChatMessage, planned: Sequence[PlannedCall]) -> list[dict[str, Any]]:
    return [
        {**call, "gated": True} if plan.awaits else call
        for call, plan in zip(stored_calls(answer), planned, strict=False)
    ]


# --- the model -----------------------------------------------------------------------------------------------------


async def _fitting_window(turn: Turn, connection: Connection, passed: str | None) -> ContextWindow:
    """The context window of the step, compacted first when it would be too full."""
    window = await compile_context(turn, connection.model, connection.provider_name)
    for _ in range(_COMPACT_TRIES):
        if window.tokens <= turn.agent.context_window * COMPACT_AT:
            break
        if passed is None and (reasons := await before_eviction(turn, leaving(turn, window))):
            await pause(turn, commit_of(turn), PauseStage.EVICTION, reasons)
        if not await compact(turn, connection, window, THRESHOLD):
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
            await _fail_or_stand(turn, call, window)
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


async def _fail_or_stand(turn: Turn, call: ModelCall, window: ContextWindow) -> None:
    """Records a model call that failed, and ends its run, unless that is to stand here."""
    assert call.error is not None
    stop_reason = _stop_reason(turn, window, call.error)
    reasons = await after_failure(turn, call.error)
    commit = commit_of(turn)
    record_call(commit, turn, call, turn.step_id, StepEnd(StepStatus.FAILED, stop_reason))
    commit.emit(StepEnded(turn.step_number, StepStatus.FAILED))
    if reasons:
        await pause(turn, commit, PauseStage.FAILED, reasons)
    write_run_end(commit, turn, "failed", stop_reason, error_facts(call.error))
    await commit.run()
