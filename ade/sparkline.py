"""A series of readings as a small drawing: numbers as a line, all else as bands that begin where the value changes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from agents_core.record.series import Reading, Series

WIDTH, HEIGHT = 240, 24
_INSET = 2


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch without a change. ``kind``: "true", "false", "none", "error", or "value" and "other" in turn for texts and the like."""

    kind: str
    at: float
    width: float


@dataclass(frozen=True, slots=True)
class Sparkline:
    """In units of ``WIDTH`` by ``HEIGHT``. One of ``points`` and ``bands`` is empty. ``mark``: where the step shown stands, if it does.
    ``title`` says it all in words."""

    title: str
    points: str
    bands: Sequence[Band]
    mark: float | None
    width: int = WIDTH
    height: int = HEIGHT


def sparkline(series: Series, shown: int) -> Sparkline | None:
    """The drawing of a series with a mark at step ``shown``; None of one without readings."""
    if not series.readings:
        return None
    numbers = [each.number for each in series.readings.values() if each.number is not None]
    is_line = bool(numbers) and all(
        each.number is not None or each.shown == "None" for each in series.readings.values()
    )
    first, last = next(iter(series.readings)), series.last
    mark = _across(shown, first, last) if first <= shown <= last else None
    title = f"{series.expression.text}: {_in_words(series, numbers if is_line else [])}"
    if is_line:
        return Sparkline(title, _points(series, first, last, numbers), (), mark)
    return Sparkline(title, "", list(_bands(series, first, last)), mark)


def _in_words(series: Series, numbers: Sequence[float]) -> str:
    first, last = next(iter(series.readings)), next(reversed(series.readings))
    steps = _("step {first}") if first == last else _("steps {first} to {last}")
    over = steps.format(first=first, last=last)
    now = series.readings[last]
    end = _("no value") if now.column is not None else now.shown
    if numbers:
        told = _("{low:.10g} to {high:.10g} over {steps}, {end} at the last")
        return told.format(low=min(numbers), high=max(numbers), steps=over, end=end)
    changes = len(series.changes()) - 1
    told = ngettext(
        "{changes} change over {steps}, {end} at the last", "{changes} changes over {steps}, {end} at the last", changes
    )
    return told.format(changes=changes, steps=over, end=end)


def _across(step: int, first: int, last: int) -> float:
    return round((step - first + 0.5) / (last - first + 1) * WIDTH, 2)


def _points(series: Series, first: int, last: int, numbers: Sequence[float]) -> str:
    low, high = min(numbers), max(numbers)
    span = (high - low) or 1.0
    drawn = [
        (_across(step, first, last), HEIGHT - _INSET - (each.number - low) / span * (HEIGHT - 2 * _INSET))
        for step, each in series.readings.items()
        if each.number is not None
    ]
    return " ".join(f"{x:g},{y:.1f}" for x, y in _thinned(drawn))


def _thinned(points: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """At most the lowest and the highest of each unit of the width."""
    for __, group in groupby(points, key=lambda point: int(point[0])):
        column = list(group)
        yield from column if len(column) <= 2 else sorted({min(column, key=_height), max(column, key=_height)})


def _height(point: tuple[float, float]) -> float:
    return point[1]


def _bands(series: Series, first: int, last: int) -> Iterator[Band]:
    """From change to change; of several in one unit of the width, the last."""
    starts: dict[int, tuple[float, Reading]] = {}
    for change in series.changes():
        at = (change.number - first) / (last - first + 1) * WIDTH
        starts[int(at)] = (at, change.reading)
    ends = [*(at for at, _ in starts.values()), WIDTH][1:]
    for turn, ((at, reading), end) in enumerate(zip(starts.values(), ends, strict=True)):
        yield Band(_kind(reading, turn), round(at, 2), round(end - at, 2))


def _kind(reading: Reading, turn: int) -> str:
    if reading.column is not None:
        return "error"
    known = {"True": "true", "False": "false", "None": "none"}
    return known.get(reading.shown) or ("value", "other")[turn % 2]
