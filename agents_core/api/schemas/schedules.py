"""Scheduled messages on the wire (contract: wire, section 8)."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field

from agents_core.api.schemas.archives import aware
from agents_core.api.schemas.common import Answer, Body
from agents_core.api.schemas.messages import MessageIn, MessageType
from agents_core.api.wire import content
from agents_core.models import Schedule

_FIRST_IN_MS = 100_000_000_000


def _moment(given: float | datetime) -> datetime:
    """A time from milliseconds since 1970 (a number too small for that counts seconds), or from ISO 8601."""
    if isinstance(given, datetime):
        return aware(given) or given
    try:
        return datetime.fromtimestamp(given / 1000 if given >= _FIRST_IN_MS else given, UTC)
    except (ValueError, OverflowError, OSError):
        raise ValueError("no such time: give milliseconds since 1970, or ISO 8601") from None


class OneTime(BaseModel):
    type: Literal["one-time"] = "one-time"
    scheduled_at: Annotated[float | datetime, AfterValidator(_moment)]


class Recurring(BaseModel):
    type: Literal["recurring"]
    cron_expression: str


class ScheduleCreate(Body):
    messages: list[MessageIn] = Field(min_length=1)
    schedule: OneTime | Recurring
    callback_url: str | None = None
    include_return_message_types: list[MessageType] | None = None
    max_steps: int | None = Field(None, ge=1, le=1000)


class ScheduleResponse(Answer):
    """``last_sent_at`` and ``last_run_id`` go beyond the V1 API."""

    id: str
    agent_id: str
    message: dict[str, Any]
    next_scheduled_time: datetime | None
    schedule: dict[str, Any]
    last_sent_at: datetime | None
    last_run_id: str | None

    @classmethod
    def of(cls, schedule: Schedule) -> "ScheduleResponse":
        return cls.model_construct(
            id=schedule.id,
            agent_id=schedule.agent_id,
            message=_message(schedule),
            next_scheduled_time=schedule.next_at,
            schedule=_times(schedule),
            last_sent_at=schedule.last_sent_at,
            last_run_id=schedule.last_run_id,
        )


def _message(schedule: Schedule) -> dict[str, Any]:
    return {
        "messages": [{**each, "type": "message", "content": content(each["content"])} for each in schedule.messages],
        "callback_url": schedule.options["callback_url"],
        "include_return_message_types": schedule.options["shown"].get("include_return_message_types"),
        "max_steps": schedule.options["max_steps"],
    }


def _times(schedule: Schedule) -> dict[str, Any]:
    if schedule.scheduled_at is None:
        return {"type": "recurring", "cron_expression": schedule.cron}
    return {"type": "one-time", "scheduled_at": round(schedule.scheduled_at.timestamp() * 1000)}


class ScheduleList(BaseModel):
    after: str | None = None
    limit: int = Field(50, ge=1, le=1000)
