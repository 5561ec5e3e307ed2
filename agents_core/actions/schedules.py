"""Messages that are sent later: at a time, or whenever a cron expression says."""

import logging
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from croniter import croniter
from croniter.croniter import CroniterError
from django.db import transaction
from psycopg.errors import SerializationFailure

from agents_core.actions.agents import locked
from agents_core.actions.callbacks import checked_url
from agents_core.actions.messages import Input, RunOptions, send
from agents_core.errors import InvalidInput, NotFound
from agents_core.events.publish import Publication, publish
from agents_core.events.types import AgentChanged
from agents_core.models import Schedule, new_id, pipeline
from agents_core.models.pipeline import Statement

logger = logging.getLogger(__name__)

_LATE = timedelta(minutes=1)
_AT_ONCE = 500


def create(
    agent_id: str,
    inputs: Sequence[Input],
    *,
    at: datetime | None = None,
    cron: str | None = None,
    max_steps: int | None = None,
    callback_url: str | None = None,
    shown: dict[str, Any] | None = None,
) -> Schedule:
    """Sends ``inputs`` at ``at``, or whenever ``cron`` (five fields, in the agent's time zone) says: one of the two.

    Raises ``NotFound`` for the agent; ``InvalidInput`` for a time that is over, and an expression that names none.
    """
    options = {"max_steps": max_steps, "callback_url": checked_url(callback_url), "shown": shown or {}}
    with transaction.atomic():
        agent = locked(agent_id)
        now = datetime.now(UTC)
        if cron is not None:
            next_at = next_time(cron, now, agent.timezone)
        elif at is None or at < now - _LATE:
            raise InvalidInput(
                f"{at.isoformat() if at else None} is over: give a time to come, in milliseconds since 1970."
            )
        else:
            next_at = at
        schedule = Schedule.objects.create(
            agent=agent,
            messages=[asdict(message) for message in inputs],
            options=options,
            scheduled_at=at if cron is None else None,
            cron=cron,
            next_at=next_at,
        )
        publish(agent_id, AgentChanged(["schedules"]))
    return schedule


def next_time(cron: str, after: datetime, timezone: str) -> datetime:
    """The first time after ``after`` that ``cron`` names in ``timezone``. Raises ``InvalidInput``."""
    if len(cron.split()) != 5:
        raise InvalidInput(f"{cron!r} is no cron expression of five fields: minute, hour, day, month, weekday.")
    try:
        found: datetime = croniter(cron, after.astimezone(ZoneInfo(timezone))).get_next(datetime)
    except (CroniterError, ValueError) as error:
        raise InvalidInput(f"{cron!r} names no time: {error}") from None
    return found.astimezone(UTC)


def get(agent_id: str, schedule_id: str) -> Schedule:
    """Raises ``NotFound``."""
    schedule = Schedule.objects.filter(agent=agent_id, pk=schedule_id).first()
    if schedule is None:
        raise NotFound(f"The agent has no scheduled message {schedule_id}.")
    return schedule


def delete(agent_id: str, schedule_id: str) -> None:
    """What was sent before stays. Raises ``NotFound``."""
    with transaction.atomic():
        locked(agent_id)
        get(agent_id, schedule_id).delete()
        publish(agent_id, AgentChanged(["schedules"]))


_DUE = """
SELECT schedule.id, agent_id, messages, options, cron, next_at, timezone FROM schedule JOIN agent ON agent.id = agent_id
WHERE next_at <= now() ORDER BY next_at LIMIT %s
"""
_TAKE = """
WITH taken AS (
    UPDATE schedule SET next_at = %s, last_sent_at = now(), last_run_id = %s WHERE id = %s AND next_at = %s RETURNING id
)
SELECT ensure(EXISTS (SELECT 1 FROM taken), 'schedule taken')
"""


async def send_due() -> int:
    """Sends the messages whose time has come; gives how many schedules that were. Call it every few seconds, in as many workers as wanted.

    Each time is sent once, in the transaction that notes it. Times that passed while no worker ran are sent once together.
    """
    rows = (await pipeline.run([Statement(_DUE, (_AT_ONCE,))]))[0]
    sent = 0
    for row in rows:
        try:
            sent += await _send(*row)
        except Exception:  # the border of a schedule: the others are sent all the same
            logger.exception("The scheduled message %s could not be sent", row[0])
    return sent


async def _send(
    schedule_id: str,
    agent_id: str,
    messages: list[dict[str, Any]],
    options: dict[str, Any],
    cron: str | None,
    due_at: datetime,
    timezone: str,
) -> bool:
    """Whether it was this worker that sent it."""
    run_id = new_id("run")
    next_at = None if cron is None else next_time(cron, datetime.now(UTC), timezone)
    told = Publication(agent_id)
    told.add(AgentChanged(["schedules"]))
    try:
        await send(
            agent_id,
            [Input(**message) for message in messages],
            options=RunOptions(max_steps=options["max_steps"], shown=options["shown"]),
            background=True,
            callback_url=options["callback_url"],
            metadata={"schedule_id": schedule_id},
            run_id=run_id,
            also=[Statement(_TAKE, (next_at, run_id, schedule_id, due_at)), told.statement()],
        )
    except (SerializationFailure, NotFound):  # another worker was first, or the agent is gone
        return False
    return True
