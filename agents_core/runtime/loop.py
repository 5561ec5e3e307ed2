"""The one loop: takes up a run and steps until it ends. Whatever happens, the run gets a reason to have ended, or
stays for the next worker."""

import logging
from asyncio import CancelledError
from typing import Any

from agents_core.errors import AgentsError
from agents_core.models import Role, new_id, pipeline
from agents_core.models.pipeline import DATABASE_LOST, Statement
from agents_core.runtime.approvals import settle
from agents_core.runtime.beginning import begin_run, take_up_run
from agents_core.runtime.budgets import BudgetExceeded, check_budgets, error_facts_of, spent_in_run
from agents_core.runtime.calls import repeated_calls
from agents_core.runtime.compaction_run import compact_and_end
from agents_core.runtime.ending import end_run, end_unreadable_run, interrupt_calls
from agents_core.runtime.interrupt import RunCancelled
from agents_core.runtime.pausing import Paused
from agents_core.runtime.persist import Commit, NewMessage, RunNotActive, commit_of
from agents_core.runtime.repeats import repeat_key
from agents_core.runtime.sleeptime import read_transcript
from agents_core.runtime.state import Turn
from agents_core.runtime.step import RunFailed, take_step
from agents_core.runtime.transcript import failed_return

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
"""A run that three workers died of is ended: it would kill the next one too."""


async def execute(agent_id: str, run_id: str, conversation_id: str | None, attempt: int) -> None:
    """Executes a run to its end. Safe to call again for a run whose worker died; returns at once for one that has ended.

    Raises one of ``DATABASE_LOST`` when the database is lost: call it again when that is back. Cancelled,
    it hands the run back, to be called again by another worker.
    """
    try:
        await _begin_and_go(agent_id, run_id, conversation_id, attempt)
    except RunNotActive:
        logger.info("Run %s has ended, or is another worker's", run_id)


async def _begin_and_go(agent_id: str, run_id: str, conversation_id: str | None, attempt: int) -> None:
    try:
        turn = await _begun(agent_id, run_id, conversation_id, attempt)
    except (RunNotActive, *DATABASE_LOST):
        raise
    except Exception as error:  # the border of a run
        logger.exception("Run %s cannot be read", run_id)
        return await end_unreadable_run(agent_id, run_id, conversation_id, _internal(error))
    try:
        await _go(turn)
    except CancelledError:
        await pipeline.run([Statement(_HAND_BACK, (run_id, turn.attempt))])
        raise
    except (RunNotActive, *DATABASE_LOST):
        raise
    except Paused as pause:
        logger.info("Run %s stands at a breakpoint (%s)", run_id, pause)
    except RunCancelled:
        await end_run(turn, "cancelled", "cancelled")
    except BudgetExceeded as error:
        logger.info("Run %s ended: %s", run_id, error)
        await end_run(turn, "failed", error.stop_reason, error_facts_of(error))
    except RunFailed as error:
        logger.warning("Run %s failed: %s", run_id, error)
    except AgentsError as error:
        logger.warning("Run %s failed: %s", run_id, error)
        await end_run(turn, "failed", "error", _facts(error.code, error.message, error.http_status) | error.data)
    except Exception as error:  # the border of a run
        logger.exception("Run %s failed", run_id)
        await end_run(turn, "failed", "error", _internal(error))


async def _begun(agent_id: str, run_id: str, conversation_id: str | None, attempt: int) -> Turn:
    try:
        return await begin_run(agent_id, run_id, conversation_id, attempt)
    except RunNotActive:  # unless it was let go on from a breakpoint, in the middle of a step
        return await take_up_run(agent_id, run_id, conversation_id, attempt)


_HAND_BACK = "UPDATE run SET attempts = attempts - 1 WHERE id = %s AND status = 'running' AND attempts = %s"


def _internal(error: Exception) -> dict[str, Any]:
    return _facts("internal_error", f"{type(error).__name__}: {error}")


def _facts(code: str, message: str, status: int | None = None) -> dict[str, Any]:
    return {"code": code, "message": message, "status": status}


async def _go(turn: Turn) -> None:
    if turn.attempt - turn.pauses > MAX_ATTEMPTS:
        return await end_run(turn, "failed", "error", _facts("worker_lost", _LOST))
    if turn.is_compaction and not turn.cancel_requested:
        return await compact_and_end(turn)
    if turn.suspended and "asked" not in turn.suspended:
        await _go_on_counting(turn, commit_of(turn))
    elif not turn.cancel_requested:
        settled = await settle(turn)
        if settled is not None and settled.stop_reason is not None:
            return None
        if "answers" in turn.request and settled is None and not turn.resumed and not turn.inputs:
            return await end_run(turn, "completed", "end_turn")  # answers that were given before
    if turn.resumed and not turn.suspended:
        await _mend(turn)
    if turn.request.get("transcript"):
        await read_transcript(turn)
    while True:
        if turn.cancel_requested:
            return await end_run(turn, "cancelled", "cancelled")
        await check_budgets(turn)
        if (await take_step(turn)).stop_reason is not None:
            return None


_LOST = f"The worker or the database stopped {MAX_ATTEMPTS} times while this run was executed."
_FAIL_STEPS = """
UPDATE step SET status = 'failed', stop_reason = 'error', finished_at = now(),
    error = '{"code": "interrupted", "message": "The worker stopped during this step; the next step goes on from here.", "status": null}'
WHERE run_id = %s AND status = 'pending' AND id <> %s
"""
_STEPS_TAKEN = "SELECT count(*) FROM step WHERE run_id = %s AND kind = 'agent' AND response_id IS NOT NULL"
_CALLS_MADE = """
SELECT name, arguments, result, duration_ms > 0 FROM tool_call JOIN step ON step.id = step_id
WHERE run_id = %s AND tool_call.status <> 'paused' ORDER BY step.number, position
"""


async def _mend(turn: Turn) -> None:
    """After a worker stopped: its open step is closed, messages to other agents are waited for anew, other calls whose outcome is unknown
    are answered with just that, and budgets and tool rules go on from where they were."""
    commit = commit_of(turn)
    # Calls that nobody answered further up are an ended run's: the transcript answers those where they stand.
    if turn.messages and turn.messages[-1].tool_calls:
        answered = await repeated_calls(turn, commit)
        answers = [answered.get(call["id"]) or failed_return(call) for call in turn.messages[-1].tool_calls]
        message = NewMessage(new_id("message"), Role.TOOL, [], [], answers)
        commit.message(message)
        turn.messages.append(message.stored())
    commit.add(interrupt_calls(turn.run_id))
    commit.add(Statement(_FAIL_STEPS, (turn.run_id, turn.step_id)))
    await _go_on_counting(turn, commit)


async def _go_on_counting(turn: Turn, commit: Commit) -> None:
    """Writes the commit, and reads what the run has used and called before this worker had it."""
    commit.add(Statement(_STEPS_TAKEN, (turn.run_id,)), "steps")
    commit.add(Statement(_CALLS_MADE, (turn.run_id,)), "calls")
    commit.add(spent_in_run(turn.run_id), "spent")
    rows = await commit.run()
    turn.steps_taken = rows["steps"][0][0]
    # A call that was refused took no time, and one that was lost has none.
    turn.calls_made = [name for name, _, _, ran in rows["calls"] if ran is not False]
    turn.spent.calls.update(repeat_key(*call) for *call, _ in rows["calls"])
    turn.spent.tokens, turn.spent.cost_usd = rows["spent"][0]
