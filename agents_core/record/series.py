"""What expressions were at every recorded step of an agent. A series is kept, so that a step that has ended is evaluated once."""

import json
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import groupby, pairwise
from threading import Lock
from typing import Any

from agents_core.models import Step, StepKind
from agents_core.record.expressions import Expression, ExpressionRefused
from agents_core.record.recorded import RecordedScope, RecordedSteps

SHOWN_CHARS = 200
_SLOW_S = 0.3
"""Of computing. An expression that once took so long is not evaluated on: thousands of steps would take minutes."""

_GRACE_S = 0.5


@dataclass(frozen=True, slots=True)
class Reading:
    """A value as it is kept. ``shown`` is for people, in the words of the language; ``key`` is equal where values are; ``number``: of a
    number only; ``column``: of a refusal, which ``shown`` then tells."""

    shown: str
    key: str
    number: float | None = None
    is_true: bool = False
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """At step ``number`` the value became ``reading``; ``before`` is None at the first."""

    number: int
    reading: Reading
    before: Reading | None


@dataclass
class Series:
    """``readings`` by the number of the step, in order; ``last`` is the newest step looked at. ``stopped``: why it ends before the last
    step, if it does."""

    expression: Expression
    readings: dict[int, Reading] = field(default_factory=dict)
    last: int = 0
    stopped: str = ""
    open: frozenset[int] = frozenset()

    @property
    def shows_summaries(self) -> bool:
        """Steps that compact show the summariser's request, not the agent's: an expression sees them that asks for the kind of a step."""
        return bool({"step", "step.kind"} & self.expression.names)

    def changes(self) -> list[Change]:
        """The first step, and each at which the value was another than at the one before."""
        found = list(self.readings.items())
        return [
            *(Change(number, reading, None) for number, reading in found[:1]),
            *(Change(number, now, before) for (_, before), (number, now) in pairwise(found) if now.key != before.key),
        ]

    def turns(self) -> list[Change]:
        """The changes from false to true and back; the first is that to true, and a first step at which it is true already counts."""
        found: list[Change] = []
        before: Reading | None = None
        for number, reading in self.readings.items():
            if reading.is_true is not (before is not None and before.is_true):
                found.append(Change(number, reading, before))
            before = reading
        return found

    def take(self, step: RecordedScope) -> None:
        """Evaluates one step, unless it is known already."""
        number = step.number
        if self.stopped or not (number > self.last or number in self.open):
            return
        self.open = self.open | {number} if step.is_open else self.open - {number}
        if step.is_recorded and (self.shows_summaries or step.scope["step"]["kind"] != StepKind.SUMMARY):
            began = time.thread_time()
            self._put(number, reading_of(self.expression, step.scope))
            if time.thread_time() - began > _SLOW_S:
                self.stopped = f"It took too long at step {number}, and was not evaluated any further."
        self.last = max(self.last, number)

    def _put(self, number: int, reading: Reading) -> None:
        before = self.readings.get(number - 1)
        is_late = number < self.last and number not in self.readings
        self.readings[number] = before if before is not None and before == reading else reading
        if is_late:  # Another conversation went on while this step was under way.
            self.readings = dict(sorted(self.readings.items()))


def reading_of(expression: Expression, scope: Mapping[str, Any]) -> Reading:
    """The value of an expression over a scope, or its refusal."""
    try:
        return reading(expression.value(scope))
    except ExpressionRefused as refused:
        return Reading(refused.sentence, f"refused {refused.message}", column=refused.column)
    except (ValueError, RecursionError):
        return Reading("The value is too large to be shown.", "refused", column=1)


def reading(value: Any) -> Reading:
    """A value of the language as it is kept."""
    text = _written(value)
    key = text if len(text) <= SHOWN_CHARS else sha256(text.encode(errors="replace")).hexdigest()
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    shown = text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}…"
    return Reading(shown, key, float(value) if is_number else None, bool(value))


def _written(value: Any) -> str:
    match value:
        case None | bool():
            return str(value)
        case float():
            return f"{value:.10g}"
        case _:
            return json.dumps(value, ensure_ascii=False, default=dict)


# --- keeping ----------------------------------------------------------------------------------------------------------


@dataclass
class _Shelf:
    """The series of one agent's steps, and how many steps there were up to number ``last``: others are gone when their run is."""

    lock: Lock = field(default_factory=Lock)
    series: dict[str, Series] = field(default_factory=dict)
    last: int = 0
    steps: int = 0


class KeptSeries:
    """The series that were asked for lately, brought up to date when they are asked for again. For threads."""

    def __init__(self, most_agents: int = 16, most_series: int = 32) -> None:
        self._shelves: OrderedDict[tuple[str, str | None], _Shelf] = OrderedDict()
        self._most_agents = most_agents
        self._most_series = most_series
        self._lock = Lock()

    def of(
        self, agent_id: str, expressions: Sequence[Expression], conversation_id: str | None = None, *, budget_s: float
    ) -> tuple[list[Series], bool]:
        """The series of an agent's steps, in one conversation or in all, as they are now; and whether they reach the newest step. If not,
        ``budget_s`` was too short, and to ask again goes on from there."""
        deadline = time.monotonic() + budget_s
        shelf = self._shelf((agent_id, conversation_id))
        with shelf.lock:
            steps = Step.objects.filter(agent=agent_id)
            if shelf.steps != steps.filter(number__lte=shelf.last).count():
                shelf.series.clear()
            found = [shelf.series.get(each.text) or Series(each) for each in expressions]
            for each in found:  # Those asked for last stand last.
                shelf.series.pop(each.expression.text, None)
                shelf.series[each.expression.text] = each
            for text in list(shelf.series)[: -self._most_series]:
                del shelf.series[text]
            is_whole = _bring_up(found, agent_id, conversation_id, deadline)
            shelf.last = max(shelf.last, *(each.last for each in found), 0)
            shelf.steps = steps.filter(number__lte=shelf.last).count()
            return [replace(each, readings=dict(each.readings)) for each in found], is_whole

    def _shelf(self, key: tuple[str, str | None]) -> _Shelf:
        with self._lock:
            shelf = self._shelves.setdefault(key, _Shelf())
            self._shelves.move_to_end(key)
            while len(self._shelves) > self._most_agents:
                self._shelves.popitem(last=False)
            return shelf


def _bring_up(series: Sequence[Series], agent_id: str, conversation_id: str | None, deadline: float) -> bool:
    """Those that have come equally far go on together; gives whether all came to the end in time."""
    for _, group in groupby(sorted(series, key=_reach), _reach):
        members = [each for each in group if not each.stopped]
        names = {name for each in members for name in each.expression.names}
        if members:
            steps = RecordedSteps(agent_id, names, conversation_id)
            for batch in steps.batches(members[0].last, members[0].open):
                if not _take_all(members, batch, deadline):
                    return False
    return True


def _take_all(series: Sequence[Series], steps: Iterator[RecordedScope], deadline: float) -> bool:
    """Goes a little beyond the deadline: steps that were read and not evaluated are read again the next time."""
    grace = max(deadline, time.monotonic() + _GRACE_S)
    for step in steps:
        for each in series:
            each.take(step)
        if time.monotonic() > grace:
            return False
    return time.monotonic() < deadline


def _reach(series: Series) -> tuple[int, list[int]]:
    return series.last, sorted(series.open)
