"""What the code of a job may know of the worker that executes it."""

from asyncio import CancelledError, Semaphore
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from agents_core.models.pipeline import Statement

SLOT: ContextVar[Semaphore | None] = ContextVar("slot", default=None)
"""How many runs the worker of the current job executes at once, those left out that only wait for another run; None where there is no
worker."""


@asynccontextmanager
async def slot_released() -> AsyncIterator[None]:
    """Gives the job's slot to other jobs for the length of a ``with`` block, for what is waited for may need it, and takes one again."""
    slots = SLOT.get()
    if slots is None:
        yield
        return
    slots.release()
    try:
        yield
    except CancelledError:  # The worker stops: nobody will need the slot.
        raise
    except BaseException:
        await slots.acquire()
        raise
    await slots.acquire()


@dataclass(slots=True)
class CurrentJob:
    """The job that is executed. ``run_id``: the run that it is for. ``has_ended``: the run's last commit has ended it too."""

    id: int
    run_id: str | None
    has_ended: bool = False

    def end(self) -> None:
        self.has_ended = True

    def statement(self) -> Statement:
        """The statement that ends the job: who is told of the run's end then finds its conversation free."""
        return Statement("DELETE FROM procrastinate_jobs WHERE id = %s AND status = 'doing'", (self.id,))


JOB: ContextVar[CurrentJob | None] = ContextVar("job", default=None)
"""None where there is no worker."""
