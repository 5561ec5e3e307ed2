"""Watches on the wire: beyond the V1 API."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints

from agents_core.actions.watches import LONGEST_NAME, Bisected
from agents_core.api.schemas.common import Answer, StrictBody
from agents_core.models import Watch
from agents_core.record.expressions import LONGEST
from agents_core.record.series import Change, Reading, Series

Expression = Annotated[str, StringConstraints(max_length=4 * LONGEST)]
Name = Annotated[str, StringConstraints(max_length=4 * LONGEST_NAME)]


class WatchCreate(StrictBody):
    """``everywhere``: a watch of all agents."""

    expression: Expression
    name: Name = ""
    everywhere: bool = False


class WatchModify(StrictBody):
    expression: Expression | None = None
    name: Name | None = None


class WatchResponse(Answer):
    """``agent_id`` is null for a watch of all agents."""

    id: str
    agent_id: str | None
    expression: str
    name: str
    created_at: datetime

    @classmethod
    def of(cls, watch: Watch) -> "WatchResponse":
        facts = {name: getattr(watch, name) for name in cls.model_fields}
        return cls.model_construct(**facts)


class ReadingsQuery(BaseModel):
    """The steps numbered above ``after``; with ``changes`` only those at which the value was another than at the one before."""

    after: int = Field(0, ge=0)
    limit: int = Field(1000, ge=1, le=10_000)
    changes: bool = False
    conversation_id: str | None = None


class BisectQuery(BaseModel):
    expression: Expression
    conversation_id: str | None = None
    limit: int = Field(1000, ge=1, le=10_000)


def readings_answer(series: Series, is_whole: bool, query: ReadingsQuery) -> dict[str, Any]:
    """``is_whole``: the steps that were looked at reach the newest; else ask again."""
    numbers = [each.number for each in series.changes()] if query.changes else list(series.readings)
    numbers = [number for number in numbers if number > query.after]
    return {
        "expression": series.expression.text,
        "steps": [{"step": number, **_told(series.readings[number])} for number in numbers[: query.limit]],
        "has_more": len(numbers) > query.limit,
        "last_step": series.last,
        "complete": is_whole and not series.stopped,
        "stopped": series.stopped or None,
    }


def bisect_answer(found: Bisected, limit: int) -> dict[str, Any]:
    """``first_step``: the first at which the expression was true; ``turns``: that one, and each at which it turned since."""
    return {
        "expression": found.series.expression.text,
        "first_step": found.first.number if found.first else None,
        "turns": [_turn(turn) for turn in found.turns[:limit]],
        "has_more": len(found.turns) > limit,
        "steps": len(found.series.readings),
        "last_step": found.series.last,
        "complete": found.is_whole,
        "stopped": found.series.stopped or None,
    }


def _turn(turn: Change) -> dict[str, Any]:
    return {"step": turn.number, "becomes": turn.reading.is_true, **_told(turn.reading)}


def _told(reading: Reading) -> dict[str, Any]:
    """``value`` in the words of the language, cut; ``number`` where it is one; in place of both ``error`` and ``column``."""
    if reading.column is not None:
        return {"value": None, "number": None, "error": reading.shown, "column": reading.column}
    return {"value": reading.shown, "number": reading.number, "error": None, "column": None}
