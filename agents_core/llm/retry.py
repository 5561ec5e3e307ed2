"""When a model call is tried again, and after how long. The SDKs' own retries are off, so that each one is seen."""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from agents_core.llm.errors import ModelError
from agents_core.llm.types import Retrying, StreamItem

TRIES = 3
FIRST_DELAY_S = 0.5
LONGEST_WAIT_S = 60.0

T = TypeVar("T")
Attempt = Callable[[], AsyncGenerator[StreamItem, None]]


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """The seconds a server asks to wait: ``retry-after-ms``, or ``retry-after`` in seconds or as a date (RFC 9110)."""
    if milliseconds := _number(headers.get("retry-after-ms")):
        return milliseconds / 1000
    value = headers.get("retry-after", "")
    seconds = _number(value)
    return seconds if seconds is not None else _seconds_until(value, now)


def _number(value: str | None) -> float | None:
    try:
        return max(0.0, float(value)) if value else None
    except ValueError:
        return None


def _seconds_until(http_date: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(http_date)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds())


def delay_s(error: ModelError, tried: int) -> float | None:
    """Seconds to wait before the next try, or None when there should be none.

    Exponential with jitter, so that many agents refused together do not come back together. A server's own wish goes
    first, and one beyond ``LONGEST_WAIT_S`` ends the tries: who called decides whether to hold a run for that long.
    """
    if not error.transient or tried >= TRIES:
        return None
    if error.retry_after_s is None:
        return float(FIRST_DELAY_S * 2 ** (tried - 1) * random.uniform(0.75, 1.25))
    return error.retry_after_s if error.retry_after_s <= LONGEST_WAIT_S else None


async def retrying(call: Callable[[], Awaitable[T]]) -> T:
    """What ``call`` gives, tried again after transient errors. Raises the last ``ModelError``."""
    tried = 0
    while True:
        tried += 1
        try:
            return await call()
        except ModelError as error:
            wait_s = delay_s(error, tried)
            if wait_s is None:
                raise
        await asyncio.sleep(wait_s)


async def retrying_stream(attempt: Attempt) -> AsyncGenerator[StreamItem, None]:
    """The items of ``attempt``, begun again after a transient error as long as no item has come out of it.

    Yields ``Retrying`` before each wait. Raises the last ``ModelError``.
    """
    tried = 0
    while True:
        tried += 1
        begun = False
        try:
            async with aclosing(attempt()) as items:
                async for item in items:
                    begun = True
                    yield item
            return
        except ModelError as error:
            wait_s = None if begun else delay_s(error, tried)
            if wait_s is None:
                raise
            yield Retrying(attempt=tried + 1, after_s=wait_s, reason=error.cause)
        await asyncio.sleep(wait_s)
