"""How runs end: what is written with the last step of one, and the end of one that stopped anywhere else."""

from collections.abc import Sequence
from typing import Any

from agents_core.events.types import RunEnded, StepEnded
from agents_core.models import Role, StepStatus, ToolCallStatus, new_id, pipeline
from agents_core.models.pipeline import Statement, json
from agents_core.queue.current import JOB
from agents_core.queue.tasks import defer_held_up, tell_end
from agents_core.runtime.persist import Commit, NewMessage, commit_of
from agents_core.runtime.state import Turn
from agents_core.runtime.transcript import INTERRUPTED, failed_return

_END_RUN = """
WITH ended AS (
    UPDATE run SET status = %s, stop_reason = %s, error = %s, completed_at = now(), suspended = NULL,
        first_token_ms = (SELECT first_token_ms FROM step WHERE run_id = run.id AND kind = 'agent' ORDER BY number LIMIT 1)
    WHERE id = %s AND status IN ('created', 'running', 'paused') RETURNING agent_id, stop_reason, created_at
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
FROM step WHERE step.id = step_id AND run_id = %s AND tool_call.status IN ('intended', 'paused')
"""
_INTERRUPT_CALLS_OF = """
UPDATE tool_call SET status = 'interrupted', result = %s
FROM message WHERE message.id = %s AND message.step_id = tool_call.step_id AND tool_call.status IN ('intended', 'paused')
"""
_CALLS_OF = """
SELECT call_id, status, result FROM message JOIN tool_call ON tool_call.step_id = message.step_id WHERE message.id = %s
"""
_BEGUN = (ToolCallStatus.INTENDED, ToolCallStatus.PAUSED)
_WAITING = (ToolCallStatus.AWAITING, ToolCallStatus.HELD)


_REOPEN = """
UPDATE tool_call SET status = 'awaiting' FROM step, run
WHERE run.id = ANY (%s) AND run.request ? 'answers' AND tool_call.agent_id = run.agent_id AND tool_call.status = 'held'
    AND step.id = step_id AND step.conversation_id IS NOT DISTINCT FROM run.conversation_id
    AND call_id IN (SELECT answer ->> 'tool_call_id' FROM jsonb_array_elements(run.request -> 'answers') AS answer)
"""


def reopen_calls(run_ids: Sequence[str]) -> Statement:
    """The statement that lets calls wait again whose answers came with runs that ended before they did anything about them."""
    return Statement(_REOPEN, (list(run_ids),))


def write_run_end(
    commit: Commit,
    turn: Turn,
    status: str,
    stop_reason: str,
    error: dict[str, Any] | None = None,
    *,
    keeps_context: bool = False,
) -> None:
    """Adds the end of a run to a commit. ``keeps_context``: also of an agent that forgets its messages after each turn, for the turn is not
    over."""
    if status != "completed":
        commit.add(Statement(_DROP_INPUTS, (turn.run_id,)))
    if turn.agent.autoclear and not keeps_context:
        commit.add(Statement(_CLEAR_CONTEXT, (turn.agent.id, turn.conversation_id)))
    commit.add(Statement(_END_RUN, (status, stop_reason, json(error) if error else None, turn.run_id)))
    commit.add(tell_end([turn.run_id]))
    job = JOB.get()
    if job is not None and job.run_id == turn.run_id:
        commit.add(job.statement())
        commit.afterwards(job.end)
    if turn.pauses:
        commit.add(defer_held_up(turn.agent.id, turn.conversation_id))
    commit.emit(RunEnded(status, stop_reason))


def write_open_steps_end(commit: Commit, turn: Turn, status: str, stop_reason: str) -> None:
    """Adds the end of the step that the turn has begun, and of any other that was left open."""
    commit.add(Statement(_END_OPEN_STEPS, (status, stop_reason, turn.run_id)))
    commit.emit(StepEnded(turn.step_number, status), step_id=turn.step_id)


async def end_run(turn: Turn, status: str, stop_reason: str, error: dict[str, Any] | None = None) -> None:
    """Ends the run where it stands: its begun step with it, and calls that were begun and never came to a result are answered with that."""
    commit = commit_of(turn)
    await _answer_begun_calls(turn, commit)
    commit.add(interrupt_calls(turn.run_id))
    commit.add(reopen_calls([turn.run_id]))
    step_status = StepStatus.CANCELLED if status == "cancelled" else StepStatus.FAILED
    write_open_steps_end(commit, turn, step_status, stop_reason)
    write_run_end(commit, turn, status, stop_reason, error)
    await commit.run()


async def end_unreadable_run(agent_id: str, run_id: str, conversation_id: str | None, error: dict[str, Any]) -> None:
    """Ends a run that could be taken up but not read."""
    commit = Commit(agent_id, conversation_id, run_id)
    commit.add(Statement(_END_OPEN_STEPS, (StepStatus.FAILED, "error", run_id)))
    commit.add(reopen_calls([run_id]))
    commit.add(Statement(_DROP_INPUTS, (run_id,)))
    commit.add(Statement(_END_RUN, ("failed", "error", json(error), run_id)))
    commit.add(tell_end([run_id]))
    commit.emit(RunEnded("failed", "error"))
    await commit.run()


async def _answer_begun_calls(turn: Turn, commit: Commit) -> None:
    last = next((message for message in reversed(turn.messages) if not message.waiting), None)
    if last is None or not last.tool_calls:
        return
    rows = (await pipeline.run([Statement(_CALLS_OF, (last.id,))]))[0]
    statuses = {status for _, status, _ in rows}
    if not statuses.intersection(_BEGUN) or statuses.intersection(_WAITING):
        return  # Those that wait for an answer are answered together with the others.
    refused = {call_id: result for call_id, status, result in rows if status not in _BEGUN}
    returns = [failed_return(call, refused.get(call["id"], INTERRUPTED)) for call in last.tool_calls]
    commit.message(NewMessage(new_id("message"), Role.TOOL, [], [], returns))
    commit.add(Statement(_INTERRUPT_CALLS_OF, (INTERRUPTED, last.id)))


def interrupt_calls(run_id: str) -> Statement:
    """The statement that marks the calls of a run that were begun and never came to a result."""
    return Statement(_INTERRUPT_CALLS, (INTERRUPTED, run_id))
