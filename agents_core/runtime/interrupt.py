"""Stopping what a run waits for: on a cancel, when another worker has the run, and when its time is up."""

import asyncio
from collections.abc import Awaitable, Sequence

from agents_core.models import pipeline
from agents_core.models.pipeline import Statement
from agents_core.runtime.budgets import BudgetExceeded, error_facts_of, remaining_s, time_is_up
from agents_core.runtime.calls import PlannedCall, interrupt, run_calls
from agents_core.runtime.outcome import Outcome
from agents_core.runtime.state import Turn

_LOOK_EVERY_S = 0.5
_STOPPED = "SELECT cancel_requested OR status <> 'running' OR attempts <> %s FROM run WHERE id = %s"


class RunCancelled(Exception):
    """Somebody asked to cancel the run, or another worker took it up, while it waited for a model or a tool."""


def is_stopped(turn: Turn) -> Statement:
    """The statement whose one row tells whether the run is to stop; no row when it is gone."""
    return Statement(_STOPPED, (turn.attempt, turn.run_id))


def stop_of(turn: Turn) -> RunCancelled | BudgetExceeded:
    """Why what was waited for was ended."""
    return time_is_up(turn) or RunCancelled()


async def stoppable(turn: Turn, work: Awaitable[None]) -> None:
    """Awaits ``work``, ended within half a second when the run is to stop. Raises ``RunCancelled``, ``BudgetExceeded``."""
    try:
        async with asyncio.timeout(remaining_s(turn)) as patience:
            watch = asyncio.create_task(_watch(turn, patience), name="stop")
            try:
                await work
            finally:
                watch.cancel()
                await asyncio.gather(watch, return_exceptions=True)
    except TimeoutError:
        if not patience.expired():
            raise
        raise stop_of(turn) from None


async def _watch(turn: Turn, patience: asyncio.Timeout) -> None:
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        rows = (await pipeline.run([is_stopped(turn)]))[0]
        if not rows or rows[0][0]:
            return patience.reschedule(asyncio.get_running_loop().time())


async def run_tools(turn: Turn, planned: Sequence[PlannedCall], step_started: float) -> Outcome | None:
    """Runs the calls that have no result yet; gives how the run ends when it was stopped meanwhile."""
    if all(plan.result for plan in planned):
        return None
    try:
        await stoppable(turn, run_calls(turn, planned, step_started))
    except RunCancelled:
        interrupt(planned)
        return Outcome("cancelled", "cancelled")
    except BudgetExceeded as error:
        interrupt(planned)
        return Outcome(error.stop_reason, "failed", error=error_facts_of(error))
    return None
