"""What happened at each of an agent's steps, as the scrubber marks it. Kept in this process, and read on by the agent's events: an event
costs what it changed, not a look at all steps."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from threading import Lock
from typing import Any

from django.db import connection
from django.utils.translation import gettext_noop

from agents_core.record.lines import left_numbers

Numbers = tuple[int, ...]

WORDS = {
    "pause": gettext_noop("paused"),
    "error": gettext_noop("failed"),
    "compaction": gettext_noop("compacted"),
    "memory": gettext_noop("wrote memory"),
    "left": gettext_noop("left on a branch"),
}
"""What can be marked, the gravest first."""

_MOST_EVENTS = 1000
_OF_NO_STEP = frozenset({"run.created", "run.started", "run.ended", "message.created"})
"""What tells of no step and changes none. Anything else that tells of none may change what any step is marked with."""

_EVENTS = """
SELECT DISTINCT type, step_id, CASE type WHEN 'run.ended' THEN run_id END, payload->>'change' = 'detached'
FROM event WHERE agent_id = %s AND seq > %s AND seq <= %s
"""
_WHICH = "AND (step.id = ANY(%(steps)s) OR step.run_id = ANY(%(runs)s))"
_MARKS = """
SELECT number, CASE status WHEN 'failed' THEN 'error' ELSE 'compaction' END FROM step
WHERE agent_id = %(agent)s AND (kind = 'summary' OR status = 'failed') {which}
UNION ALL
SELECT DISTINCT number, 'memory' FROM block_version JOIN step ON step.id = step_id WHERE block_version.agent_id = %(agent)s {which}
UNION ALL
SELECT number, 'pause' FROM pause JOIN step ON step.id = step_id WHERE pause.agent_id = %(agent)s {which}
UNION ALL
SELECT number, '' FROM step WHERE agent_id = %(agent)s {alone}
"""


class Marks:
    """The numbers of an agent's steps that carry each mark."""

    def __init__(self, agent_id: str) -> None:
        self._agent_id = agent_id
        self._seq = -1
        self._marked: Mapping[str, Numbers] = {}
        self._reading = Lock()

    def at(self, event_seq: int) -> Mapping[str, Numbers]:
        """After the event of that number, or a later one: nothing of it changes without an event."""
        with self._reading:
            if event_seq > self._seq:
                touched = self._touched(event_seq)
                self._marked = self._all() if touched is None else self._with(touched)
                self._seq = event_seq
            return self._marked

    def _touched(self, event_seq: int) -> dict[str, list[str]] | None:
        """The steps, and the runs with all their steps, of which the events since then tell; None when any step may be marked otherwise
        than before."""
        if self._seq < 0 or event_seq - self._seq > _MOST_EVENTS:
            return None
        rows = _rows(_EVENTS, (self._agent_id, self._seq, event_seq))
        if any(detached or _is_of_all(kind, step_id) for kind, step_id, _, detached in rows):
            return None
        steps, runs = ({row[place] for row in rows if row[place]} for place in (1, 2))
        return {"steps": list(steps), "runs": list(runs)}

    def _all(self) -> Mapping[str, Numbers]:
        found = self._read("", "AND false")
        return _sorted([*found, *((number, "left") for number in left_numbers(self._agent_id))])

    def _with(self, touched: Mapping[str, list[str]]) -> Mapping[str, Numbers]:
        """Those of before, with the steps ``touched`` read again."""
        if not any(touched.values()):
            return self._marked
        found = self._read(_WHICH, _WHICH, **touched)
        again = {number for number, _ in found}
        kept = (
            (n, mark) for mark, numbers in self._marked.items() for n in numbers if mark == "left" or n not in again
        )
        return _sorted([*kept, *((number, mark) for number, mark in found if mark)])

    def _read(self, which: str, alone: str, **touched: list[str]) -> list[tuple[Any, ...]]:
        return _rows(_MARKS.format(which=which, alone=alone), {"agent": self._agent_id, **touched})


def _rows(sql: str, params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _is_of_all(event_type: str, step_id: str | None) -> bool:
    return event_type.startswith("agent.") or not (step_id or event_type in _OF_NO_STEP)


def _sorted(marks: Iterable[tuple[int, str]]) -> Mapping[str, Numbers]:
    found: dict[str, set[int]] = {mark: set() for mark in WORDS}
    for number, mark in marks:
        found[mark].add(number)
    return {mark: tuple(sorted(numbers)) for mark, numbers in found.items()}


@lru_cache(maxsize=256)
def marks_of(agent_id: str) -> Marks:
    """What is known of the agent in this process."""
    return Marks(agent_id)
