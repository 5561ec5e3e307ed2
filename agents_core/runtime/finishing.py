"""What follows an answer of the model: its tool calls, and the commits that make them so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agents_core.events.types import StepEnded
from agents_core.memory.render import stored_parts, text_of
from agents_core.models import PauseStage, StepStatus, ToolCallStatus
from agents_core.models.pipeline import Statement, json
from agents_core.runtime import approvals
from agents_core.runtime.beginning import begin_next_step, take_next_step
from agents_core.runtime.breakpoints import after_answer, after_calls
from agents_core.runtime.calls import (
    PlannedCall,
    result_messages,
    run_and_commit,
    tell_called,
    write_intended,
    write_results,
    write_rows,
)
from agents_core.runtime.context import ContextWindow
from agents_core.runtime.ending import write_run_end
from agents_core.runtime.interrupt import run_tools
from agents_core.runtime.outcome import Outcome, decide
from agents_core.runtime.pausing import Reason, apply_changes, go_on, pause, pause_at_results
from agents_core.runtime.persist import Commit, NewMessage, commit_of
from agents_core.runtime.recording import ModelCall, StepEnd, record_call
from agents_core.runtime.repeats import keys_of, unless_looping
from agents_core.runtime.sleeptime import call_companions
from agents_core.runtime.state import Turn


@dataclass(slots=True)
class Answered:
    """A step whose model has answered. ``call`` and its ``window`` are there until the answer is committed.

    ``passed``: the stage at which it stood and was let go on. ``told``: people know of its calls. ``changes``: what a person has made of
    them, as in ``runtime.pausing``.
    """

    turn: Turn
    message: NewMessage
    planned: list[PlannedCall]
    started: float
    finish_reason: str | None
    call: ModelCall | None = None
    window: ContextWindow | None = None
    passed: PauseStage | None = None
    told: bool = False

    @property
    def text(self) -> str:
        return "".join(part["text"] for part in self.message.content if part["type"] == "text")

    @property
    def changes(self) -> Mapping[str, Any]:
        changes: Mapping[str, Any] = (self.turn.suspended or {}).get("changes", {})
        return changes


async def finish(step: Answered) -> Outcome:
    """Runs the calls and commits the step; unless it ends the run, the next one is begun in the same commit.

    Raises ``Paused``, ``RunCancelled``.
    """
    turn = step.turn
    if step.passed is None and (reasons := await after_answer(turn, step.text, step.planned)):
        await _stand_at_answer(step, reasons)
    if approvals.hold(turn, step.planned):
        return await _commit_request(step)
    if any(plan.is_about_to_act for plan in step.planned):
        await _commit_intended(step)
    return await run_and_commit(turn, step.planned, lambda: _run(step), lambda stop: _commit_or_stand(step, stop))


async def _run(step: Answered) -> Outcome | None:
    stop = await run_tools(step.turn, step.planned, step.started)
    for plan in step.planned:
        apply_changes(plan, step.changes.get(plan.call.id, {}))
    return stop


# --- standing at a breakpoint ----------------------------------------------------------------------------------------


async def _stand_at_answer(step: Answered, reasons: Sequence[Reason]) -> None:
    for plan in step.planned:
        plan.waits = ToolCallStatus.PAUSED if plan.result is None else None
    commit = commit_of(step.turn)
    _write_answer(step, commit)
    write_rows(commit, step.turn, step.planned)
    await pause(step.turn, commit, PauseStage.ANSWER, reasons, **_kept(step))


async def _commit_or_stand(step: Answered, stop: Outcome | None) -> Outcome:
    if stop is None and step.passed != PauseStage.RESULTS:
        reasons = await after_calls(step.turn, step.text, step.planned)
        if reasons:
            commit = commit_of(step.turn)
            _write_answer(step, commit)
            if not step.told:
                tell_called(commit, step.planned)
            await pause_at_results(step.turn, commit, reasons, step.planned, **_kept(step))
    return await _commit_step(step, stop)


def _kept(step: Answered) -> dict[str, Any]:
    return {"message_id": step.message.id, "finish_reason": step.finish_reason, "changes": dict(step.changes)}


# --- commits ---------------------------------------------------------------------------------------------------------

_ENTER_CONTEXT = "UPDATE message SET context_position = %s WHERE id = ANY(%s)"
_SYSTEM_TEXT = "UPDATE message SET content = %s WHERE id = %s"
_END_STEP = "UPDATE step SET status = %s, stop_reason = %s, tools_ms = %s, finished_at = now() WHERE id = %s"


def _write_answer(step: Answered, commit: Commit, end: StepEnd | None = None) -> None:
    """What is known once the model has answered, as far as it is not written yet: the record, the context that it answered, the answer;
    with ``end``, the step's end too."""
    turn, call, window = step.turn, step.call, step.window
    if call is None or window is None:
        if end is not None:
            commit.add(Statement(_END_STEP, (end.status, end.stop_reason, end.tools_ms, turn.step_id)))
            go_on(commit, turn)
        return
    record_call(commit, turn, call, turn.step_id, end)
    go_on(commit, turn)
    if turn.inputs:
        commit.add(Statement(_ENTER_CONTEXT, (turn.started_seq, [message.id for message in turn.inputs])))
    if turn.system_id and text_of(window.parts) != turn.system_text:
        commit.add(Statement(_SYSTEM_TEXT, (json(stored_parts(window.parts)), turn.system_id)))
    if step.message.content or step.message.tool_calls:
        commit.message(step.message)


def _answer_is_written(step: Answered) -> None:
    """The turn in memory follows what was committed."""
    turn = step.turn
    if step.window is None:
        return
    for message in turn.inputs:
        message.position = turn.started_seq
    turn.system_parts = step.window.parts
    if step.message.content or step.message.tool_calls:
        turn.messages.append(step.message.stored())
    step.call = step.window = None


async def _commit_intended(step: Answered) -> None:
    """Writes the answer and the calls as intended, before any of them can have an effect outside the database."""
    commit = commit_of(step.turn)
    _write_answer(step, commit)
    write_intended(commit, step.turn, step.planned)
    await commit.run()
    _answer_is_written(step)
    step.told = True


async def _commit_request(step: Answered) -> Outcome:
    """Ends the run with calls that wait for an answer."""
    turn, outcome = step.turn, Outcome(approvals.REQUIRED)
    commit = commit_of(turn)
    _write_answer(step, commit, StepEnd(StepStatus.SUCCESS, outcome.stop_reason))
    approvals.write_request(commit, turn, step.message.id, step.planned)
    commit.emit(StepEnded(turn.step_number, StepStatus.SUCCESS))
    write_run_end(commit, turn, outcome.status, approvals.REQUIRED, keeps_context=True)
    await commit.run()
    return outcome


async def _commit_step(step: Answered, stop: Outcome | None) -> Outcome:
    turn = step.turn
    commit = commit_of(turn)
    called = [*turn.calls_made, *(plan.call.name for plan in step.planned if not plan.refused)]
    outcome = stop or unless_looping(turn, step.planned, decide(turn, step.planned, called, step.finish_reason))
    status = StepStatus.CANCELLED if outcome.status == "cancelled" else StepStatus.SUCCESS
    tools_ms = sum(plan.result.duration_ms for plan in step.planned if plan.result)
    _write_answer(step, commit, StepEnd(status, outcome.stop_reason, tools_ms))
    if step.planned:
        write_results(commit, turn, step.planned, intended=step.told)
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
    _answer_is_written(step)
    turn.messages += [message.stored() for message in added]
    turn.calls_made, turn.steps_taken = called, turn.steps_taken + 1
    turn.spent.calls += keys_of(step.planned)
    if next_step_id:
        take_next_step(turn, next_step_id, rows)
    return outcome


def _last_message_id(step: Answered, added: list[NewMessage]) -> str | None:
    """The last message that the run has written with this step; None when it has written none."""
    if added:
        return added[-1].id
    if step.message.content or step.message.tool_calls:
        return step.message.id
    return step.turn.messages[-1].id if step.turn.steps_taken else None
