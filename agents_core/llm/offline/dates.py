"""Days in a sentence, and the newest clock in sight. The model has no clock of its own."""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from agents_core.llm.types import ModelRequest

NEWEST_MESSAGES = 20
"""How far back a clock is looked for."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?:,? (?P<year>(?:19|20)\d\d))?"
_ISO = re.compile(r"\b(?P<year>(?:19|20)\d\d)-(?P<month>\d\d)-(?P<day>\d\d)(?:[T ](?P<clock>\d\d:\d\d)(?::\d\d)?)?")
_SPELLED = (
    re.compile(rf"\b{_DAY} (?:of )?{_MONTH}{_YEAR}\b", re.IGNORECASE),
    re.compile(rf"\b{_MONTH} {_DAY}{_YEAR}\b", re.IGNORECASE),
)
_RELATIVE = re.compile(r"\b(today|yesterday|last week|this week|last month)\b", re.IGNORECASE)


def newest(request: ModelRequest) -> str | None:
    """The newest timestamp in sight, as "YYYY-MM-DD" or "YYYY-MM-DD HH:MM"."""
    texts = [*(message.text for message in request.messages[-NEWEST_MESSAGES:]), request.system]
    stamps = [stamp for text in texts for stamp in _stamps(text[-20_000:])]
    return max(stamps, default=None)


def _stamps(text: str) -> Iterator[str]:
    for found in _ISO.finditer(text):
        if _day(found["year"], found["month"], found["day"]):
            stamp = f"{found['year']}-{found['month']}-{found['day']}"
            yield f"{stamp} {found['clock']}" if found["clock"] else stamp


def span(text: str, clock: str | None) -> tuple[date, date] | None:
    """The first and last day that ``text`` names. Days without a year, and "yesterday", need a clock."""
    today = datetime.fromisoformat(clock).date() if clock else None
    if (found := _ISO.search(text)) and (day := _day(found["year"], found["month"], found["day"])):
        return day, day
    for pattern in _SPELLED:
        found = pattern.search(text)
        if found and (day := _spelled(found, today)):
            return day, day
    found = _RELATIVE.search(text)
    return _relative(found[1].lower(), today) if found and today else None


def _spelled(found: re.Match[str], today: date | None) -> date | None:
    """Without a year: the last such day that is not in the future."""
    month = _MONTHS.index(found["month"].lower()) + 1
    if found["year"] or today is None:
        return _day(found["year"], month, found["day"])
    day = _day(today.year, month, found["day"])
    return day if day is None or day <= today else _day(today.year - 1, month, found["day"])


def _relative(words: str, today: date) -> tuple[date, date]:
    monday = today - timedelta(days=today.weekday())
    match words:
        case "today":
            return today, today
        case "yesterday":
            return today - timedelta(days=1), today - timedelta(days=1)
        case "this week":
            return monday, today
        case "last week":
            return monday - timedelta(days=7), monday - timedelta(days=1)
        case _:
            last = today.replace(day=1) - timedelta(days=1)
            return last.replace(day=1), last


def _day(year: str | int | None, month: str | int, day: str | int) -> date | None:
    try:
        return date(int(year or 0), int(month), int(day))
    except ValueError:
        return None
