"""What happened at each of an agent's steps, as the scrubber marks it. Kept in this process, and read on by the agent's events: an event
costs what it changed, not a look at all steps."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from threading import Lock

from agents_core.models import pipeline
from agents_core.models.pipeline import Statement
from agents_core.record.lines import left_numbers

Numbers = tuple[int, ...]

WORDS = {
    "pause": "paused",
    "error": "failed",
    "compaction": "compacted",
    "memory": "wrote memory",
    "left": "left on a branch",
}
"""What can be marked, the gravest first."""

_MOST_EVENTS = 1000
_OF_NO_STEP = frozenset({"run.created", "run.started", "message.created"})
"""What tells of no step and changes none. Anything else that tells of none may change what any step is marked with."""

_EVENTS = """
SELECT DISTINCT type, step_id, payload->>'change' = 'detached' FROM event WHERE agent_id = %s AND seq > %s AND seq <= %s
"""
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

    def _touched(self, event_seq: int) -> Sequence[str] | None:
        """The steps of which the events since then tell; None when any step may be marked otherwise than before."""
        if not 0 <= event_seq - self._seq <= _MOST_EVENTS or self._seq < 0:
            return None
        rows = pipeline.run_sync([Statement(_EVENTS, (self._agent_id, self._seq, event_seq))])[0]
        if any(_is_of_all(*row) for row in rows):
            return None
        return [step_id for _, step_id, _ in rows if step_id]

    def _all(self) -> Mapping[str, Numbers]:
        found = [*self._read(_MARKS.format(which="", alone="AND false"), {})]
        return _sorted([*found, *((number, "left") for number in left_numbers(self._agent_id))])

    def _with(self, touched: Sequence[str]) -> Mapping[str, Numbers]:
        """Those of before, with the steps ``touched`` read again."""
        if not touched:
            return self._marked
        which = "AND step.id = ANY(%(steps)s)"
        found = [*self._read(_MARKS.format(which=which, alone=which), {"steps": list(touched)})]
        again = {number for number, _ in found}
        kept = (
            (n, mark) for mark, numbers in self._marked.items() for n in numbers if mark == "left" or n not in again
        )
        return _sorted([*kept, *((number, mark) for number, mark in found if mark)])

    def _read(self, sql: str, steps: Mapping[str, Sequence[str]]) -> Iterable[tuple[int, str]]:
        rows: list[tuple[int, str]] = pipeline.run_sync([Statement(sql, {"agent": self._agent_id, **steps})])[0]
        return rows


def _is_of_all(event_type: str, step_id: str | None, detached: bool | None) -> bool:
    return bool(detached) or event_type.startswith("agent.") or not (step_id or event_type in _OF_NO_STEP)


def _sorted(marks: Iterable[tuple[int, str]]) -> Mapping[str, Numbers]:
    found: dict[str, set[int]] = {mark: set() for mark in WORDS}
    for number, mark in marks:
        found[mark].add(number)
    return {mark: tuple(sorted(numbers)) for mark, numbers in found.items()}


@lru_cache(maxsize=256)
def marks_of(agent_id: str) -> Marks:
    """What is known of the agent in this process."""
    return Marks(agent_id)
