"""The one loop: takes up a run and steps until it ends. Whatever happens, the run gets a reason to have ended, or stays for the next worker."""

import logging

from agents_core.errors import AgentsError
from agents_core.models import Role, new_id
from agents_core.models.pipeline import Statement
from agents_core.runtime.persist import Commit, NewMessage, RunNotActive, begin_run
from agents_core.runtime.state import Turn
from agents_core.runtime.step import RunCancelled, RunFailed, end_run, take_step
from agents_core.runtime.transcript import INTERRUPTED

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
"""A run that three workers died of is ended: it would kill the next one too."""


async def execute(agent_id: str, run_id: str, conversation_id: str | None, attempt: int) -> None:
    """Executes a run to its end. Safe to call again for a run whose worker died; returns at once for one that has ended."""
    try:
        turn = await begin_run(agent_id, run_id, conversation_id, attempt)
    except RunNotActive:
        return
    try:
        await _go(turn)
    except RunCancelled:
        await end_run(turn, "cancelled", "cancelled")
    except RunFailed as error:
        logger.warning("Run %s failed: %s", run_id, error)
    except AgentsError as error:
        logger.warning("Run %s failed: %s", run_id, error)
        await end_run(
            turn, "failed", "error", {"code": error.code, "message": error.message, "status": error.http_status}
        )
    except Exception as error:  # the border of a run
        logger.exception("Run %s failed", run_id)
        await end_run(
            turn,
            "failed",
            "error",
            {"code": "internal_error", "message": f"{type(error).__name__}: {error}", "status": None},
        )


async def _go(turn: Turn) -> None:
    if turn.attempt > 1:
        await _mend(turn)
    if turn.attempt > MAX_ATTEMPTS:
        facts = {
            "code": "worker_lost",
            "message": f"{MAX_ATTEMPTS} workers stopped while executing this run.",
            "status": None,
        }
        return await end_run(turn, "failed", "error", facts)
    while True:
        if turn.cancel_requested:
            return await end_run(turn, "cancelled", "cancelled")
        if (await take_step(turn)).stop_reason is not None:
            return None


_INTERRUPT_CALLS = """
UPDATE tool_call SET status = 'interrupted', result = %s
FROM step WHERE step.id = step_id AND run_id = %s AND tool_call.status = 'intended'
"""
_FAIL_STEPS = """
UPDATE step SET status = 'failed', stop_reason = 'error', finished_at = now(),
    error = '{"code": "interrupted", "message": "The worker stopped during this step; the next step goes on from here.", "status": null}'
WHERE run_id = %s AND status = 'pending' AND id <> %s
"""


async def _mend(turn: Turn) -> None:
    """After a worker died: its open step is closed, and calls whose outcome is unknown are answered with just that."""
    answered = {answer["tool_call_id"] for message in turn.messages for answer in message.tool_returns}
    lost = [call for message in turn.messages for call in message.tool_calls if call["id"] not in answered]
    commit = Commit(turn.agent.id, turn.conversation_id, turn.run_id, turn.step_id)
    if lost:
        returns = [
            {
                "tool_call_id": call["id"],
                "name": call["name"],
                "status": "error",
                "text": INTERRUPTED,
                "value": INTERRUPTED,
                "stdout": "",
                "stderr": "",
            }
            for call in lost
        ]
        message = NewMessage(new_id("message"), Role.TOOL, [], [], returns)
        commit.message(message)
        turn.messages.append(message.stored())
    commit.add(Statement(_INTERRUPT_CALLS, (INTERRUPTED, turn.run_id)))
    commit.add(Statement(_FAIL_STEPS, (turn.run_id, turn.step_id)))
    await commit.run()
