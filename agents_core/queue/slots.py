"""A worker's slots: how many runs it executes at once, those left out that only wait for another run."""

from asyncio import CancelledError, Semaphore
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar

SLOT: ContextVar[Semaphore | None] = ContextVar("slot", default=None)
"""The slots of the worker that executes the current job; None where there is no worker."""


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
