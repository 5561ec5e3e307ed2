"""Calls that wait for an answer: a person approves them, or the caller who offered the tool gives the result (contract: wire, section 11).

A turn that calls such a tool ends with ``requires_approval``; no process waits. The answer is the request of another run (``answers`` in
it), which first does what was answered, as part of the step that asked, and then goes on to the model. Breakpoints stop it between the two.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from json import dumps
from time import perf_counter
from typing import Any

from agents_core.errors import Conflict
from agents_core.events.types import ApprovalRequested
from agents_core.llm.types import ToolCall
from agents_core.models import StepStatus, ToolCallStatus, pipeline
from agents_core.models.pipeline import Statement
from agents_core.runtime.breakpoints import after_calls
from agents_core.runtime.calls import (
    PlannedCall,
    result_messages,
    run_and_commit,
    tell_called,
    write_intended,
    write_results,
    write_rows,
)
from agents_core.runtime.ending import write_open_steps_end, write_run_end
from agents_core.runtime.interrupt import run_tools
from agents_core.runtime.outcome import Outcome, continuation
from agents_core.runtime.pausing import Reason, apply_changes, go_on, pause_at_results, refused_by_person, take_back
from agents_core.runtime.persist import Commit, commit_of
from agents_core.runtime.reading import refresh_world
from agents_core.runtime.state import CLIENT_TOOL, StoredMessage, Turn
from agents_core.runtime.transcript import INTERRUPTED
from agents_core.tools.base import ToolResult
from agents_core.tools.execute import cut_text, read_arguments

REQUIRED = "requires_approval"
_DENIED = "Error: request to call tool denied. User reason: {}"
_CLIENTS = "Error: {} runs at the caller, who has to send its result; an approval alone does not run it."


class PendingApproval(Conflict):
    """The thread waits for an answer to a tool call, so it takes no other message."""

    code = "PENDING_APPROVAL"

    def __init__(self, message_id: str | None) -> None:
        super().__init__(
            "The agent waits for an answer to a tool call: approve or deny the pending request before continuing, or give it up "
            "(POST /v1/agents/{id}/messages/cancel).",
            pending_request_id=message_id,
        )


# --- asking ---------------------------------------------------------------------------------------------------------


def hold(turn: Turn, planned: Sequence[PlannedCall]) -> bool:
    """Marks the calls that have to wait, and with them all others of the answer that could run; gives whether any has to."""
    gated = [plan for plan in planned if plan.result is None and turn.waits_for_answer(plan.call.name)]
    for plan in planned:
        if gated and plan.result is None:
            plan.waits = ToolCallStatus.AWAITING if plan in gated else ToolCallStatus.HELD
    return bool(gated)


def write_request(commit: Commit, turn: Turn, message_id: str, planned: Sequence[PlannedCall]) -> None:
    """Adds the rows of calls that ``hold`` has marked, and tells who waits."""
    write_rows(commit, turn, planned)
    commit.emit(ApprovalRequested(message_id, [plan.call.id for plan in planned if plan.awaits]))


# --- answering ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Asked:
    """The message whose calls are open, the step that made them, and the rows of the calls by their id."""

    message: StoredMessage
    step_id: str
    step_number: int
    rows: Mapping[str, Mapping[str, Any]]


_ASKED = """
SELECT step.id, step.number, json_object_agg(call_id, json_build_object('status', tool_call.status, 'position', position,
    'arguments', arguments, 'result', result, 'duration_ms', duration_ms))
FROM message JOIN step ON step.id = message.step_id JOIN tool_call ON tool_call.step_id = step.id
WHERE message.id = %s GROUP BY step.id, step.number
"""


async def settle(turn: Turn) -> Outcome | None:
    """Does what the run's ``answers`` say of the calls that waited; None when none of its thread's calls is open.

    Safe to call again for a run whose worker died: what may have had an effect is not repeated. Raises ``PendingApproval`` when calls wait
    and this run does not answer them.
    """
    asked = await _asked(turn)
    if asked is None:
        return None
    answers = {answer["tool_call_id"]: answer for answer in turn.request.get("answers", [])}
    awaiting = any(row["status"] == ToolCallStatus.AWAITING for row in asked.rows.values())
    if awaiting or not answers.keys() & asked.rows.keys():
        if awaiting:
            raise PendingApproval(asked.message.id)
        return None
    return await _answer(turn, asked, answers)


async def _asked(turn: Turn) -> _Asked | None:
    last = next((message for message in reversed(turn.messages) if not message.waiting), None)
    if last is None or not last.tool_calls:
        return None
    rows = (await pipeline.run([Statement(_ASKED, (last.id,))]))[0]
    return _Asked(last, *rows[0]) if rows else None


async def _answer(turn: Turn, asked: _Asked, answers: Mapping[str, Mapping[str, Any]]) -> Outcome:
    then = replace(turn, step_id=asked.step_id, step_number=asked.step_number)
    planned = [_plan(turn, call, asked.rows[call["id"]], answers.get(call["id"])) for call in asked.message.tool_calls]
    allowed = [plan for plan in planned if plan.result is None]
    started = perf_counter()
    if any(plan.is_about_to_act for plan in planned):
        commit = commit_of(then)
        write_intended(commit, then, [plan for plan in planned if plan.result is None])
        await commit.run()

    async def run() -> Outcome | None:
        stop = await run_tools(then, planned, started)
        for plan in planned:
            apply_changes(plan, _changes(turn, plan.call.id))
        return stop

    async def commit_or_stand(stop: Outcome | None) -> Outcome:
        if stop is None and not turn.suspended and (reasons := await after_calls(then, asked.message.text, allowed)):
            await _stand(turn, then, reasons, planned)
        return await _commit(turn, then, asked, planned, stop)

    outcome = await run_and_commit(then, planned, run, commit_or_stand)
    if outcome.stop_reason is None:
        await refresh_world(turn)
    return outcome


def _changes(turn: Turn, call_id: str) -> Mapping[str, Any]:
    """What a person made of a call at whose results the run stood."""
    changes: Mapping[str, Any] = (turn.suspended or {}).get("changes", {}).get(call_id, {})
    return changes


async def _stand(turn: Turn, then: Turn, reasons: Sequence[Reason], planned: Sequence[PlannedCall]) -> None:
    commit = commit_of(then)
    if not any(plan.has_effects for plan in planned):
        tell_called(commit, planned)
    await pause_at_results(then, commit, reasons, planned, asked=True, step_id=turn.step_id)


def _plan(turn: Turn, call: Mapping[str, Any], row: Mapping[str, Any], answer: Mapping[str, Any] | None) -> PlannedCall:
    changed = (answer or {}).get("arguments")
    plan = PlannedCall(
        ToolCall(call["id"], call["name"], call["arguments"]),
        row["position"],
        turn.tools.get(call["name"]),
        row["arguments"] if changed is None else changed,
        bool(read_arguments(call["arguments"]).get("request_heartbeat")),
    )
    if changed is not None and changed != row["arguments"]:
        plan.note = f"A person changed the arguments; it ran with {dumps(changed, ensure_ascii=False)}."
    take_back(plan, (turn.suspended or {}).get("calls", {}).get(plan.call.id, {}))
    if "refused" in (changes := _changes(turn, plan.call.id)):
        plan.ran, plan.result = None, refused_by_person(changes["refused"])
    elif plan.result is None and plan.ran is None:
        plan.result = _known_result(plan, row, answer)
        plan.refused = row["status"] == ToolCallStatus.ERROR
    return plan


def _known_result(plan: PlannedCall, row: Mapping[str, Any], answer: Mapping[str, Any] | None) -> ToolResult | None:
    """What is known of a call without running it."""
    match row["status"]:
        case ToolCallStatus.ERROR:
            return ToolResult("error", row["result"])
        case ToolCallStatus.INTENDED if plan.has_effects:
            return ToolResult("error", INTERRUPTED)
    if answer is not None and answer["type"] == "tool":
        limit = plan.tool.return_char_limit if plan.tool else len(answer["tool_return"])
        text = cut_text(answer["tool_return"], limit)
        return ToolResult(answer["status"], text, answer.get("stdout") or "", answer.get("stderr") or "")
    if answer is not None and not answer["approve"]:
        return ToolResult("error", _DENIED.format(answer.get("reason") or "none given"))
    if plan.tool is None:
        return ToolResult("error", f"Tool not found: {plan.call.name}: it was detached meanwhile.")
    if plan.tool.tool_type == CLIENT_TOOL:
        return ToolResult("error", _CLIENTS.format(plan.call.name))
    return None


async def _commit(
    turn: Turn, then: Turn, asked: _Asked, planned: Sequence[PlannedCall], stop: Outcome | None
) -> Outcome:
    """Writes the results beside the step that asked; what this run was sent besides comes after them in the context."""
    called = [*turn.calls_made, *(plan.call.name for plan in planned if not plan.refused)]
    outcome = stop or continuation(then.agent, planned, called, None)
    commit = commit_of(then)
    added = result_messages(then, planned, outcome.nudge)
    for message in added:
        commit.message(message)
    go_on(commit, turn)
    write_results(commit, then, planned, intended=bool(turn.suspended) or any(plan.has_effects for plan in planned))
    if outcome.stop_reason is not None:
        write_open_steps_end(commit, turn, StepStatus.CANCELLED, outcome.stop_reason)
        write_run_end(commit, turn, outcome.status, outcome.stop_reason, outcome.error)
    seqs = (await commit.run())["seqs"]
    place = turn.messages.index(asked.message) + 1
    turn.messages[place:place] = [message.stored() for message in added]
    turn.started_seq, turn.calls_made = seqs[-1][0], called
    return outcome
