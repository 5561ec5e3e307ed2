"""What a panel's address says: its parameters written back, and the period that two of them give."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from agents_core.errors import InvalidInput

_MOST_DIGITS = 18  # A step's number is a bigint.


def query(params: Mapping[str, str], names: Iterable[str], **changes: str | int | None) -> str:
    """Those of ``params`` that ``names`` lists, with ``changes`` made, as in an address; without the empty ones."""
    given = {name: changes.get(name, params.get(name)) for name in names}
    return urlencode({name: value for name, value in given.items() if value})


def step_number(value: str, name: str) -> int:
    """The number of a step that the parameter ``name`` holds. Raises ``InvalidInput`` for anything else."""
    if not value.isascii() or not value.isdigit() or len(value) > _MOST_DIGITS:
        raise InvalidInput(_("{name} has to be the number of a step, not {value!r}.").format(name=name, value=value))
    return int(value)


def text(params: Mapping[str, str], name: str) -> str:
    """A parameter as it can be looked for: without blanks around it and NUL characters, which no stored text holds."""
    return params.get(name, "").replace("\x00", "").strip()


def thread(params: Mapping[str, str]) -> str:
    """The id of the conversation that a page shows, "" for all of the agent."""
    return text(params, "conversation")


def period(params: Mapping[str, str], zone: str) -> tuple[datetime | None, datetime | None]:
    """The first and last moment of the days ``since`` to ``until``, None for an open end. Raises ``InvalidInput``."""
    first, last = _day(params.get("since", "")), _day(params.get("until", ""))
    start = datetime.combine(first, time.min, ZoneInfo(zone)) if first else None
    end = datetime.combine(last, time.max, ZoneInfo(zone)) if last else None
    if start and end and start > end:
        raise InvalidInput(_("The first day comes after the last: swap them."))
    return start, end


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidInput(_("{text!r} is no date: write it as 2026-03-31.").format(text=text)) from None
