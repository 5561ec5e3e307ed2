"""The scrubber over an agent's steps: its range, and what happened where, drawn in as many ticks as there is room for."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, pairwise

from django.db.models import Q

from agents_core.models import Agent, BlockVersion, Pause, Step, StepKind, StepStatus
from agents_core.record.lines import left_numbers

MOST_TICKS = 120

Numbers = tuple[int, ...]

_WORDS = {
    "pause": "paused",
    "error": "failed",
    "compaction": "compacted",
    "memory": "wrote memory",
    "left": "left on a branch",
}
"""What can be marked, the gravest first."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A step, or several in a row. ``marks``: what happened there. ``memory``: the share of its steps that wrote memory, 0 to 1."""

    marks: tuple[str, ...]
    memory: float


@dataclass(frozen=True, slots=True)
class Scrubber:
    """``value`` is the step shown. At ``newest`` the page follows what happens; 0 says that reaching the end does not.

    ``memory`` holds the numbers of the steps that wrote memory, ``here`` says what happened at the one shown, ``all`` over all of them.
    """

    last: int
    value: int
    newest: int
    memory: Numbers
    ticks: Sequence[Tick]
    here: str
    all: str

    @property
    def previous(self) -> int:
        return max(1, self.value - 1)

    @property
    def next(self) -> int:
        return min(self.last, self.value + 1)

    @property
    def memory_gaps(self) -> str:
        """From 0 to the first step that wrote memory, from there to the next, and so on: shorter than the numbers."""
        return ",".join(str(after - before) for before, after in pairwise((0, *self.memory)))


def scrubber_of(agent: Agent, last: int, value: int, newest: int) -> Scrubber:
    """The scrubber over steps 1 to ``last``; a few queries, once for each state of the agent."""
    marked = _marked(agent.id, agent.event_seq)
    here = [_WORDS[kind] for kind, numbers in marked.items() if _count(numbers, value, value)]
    told = [f"{len(numbers):,} {_WORDS[kind]}" for kind, numbers in marked.items() if numbers]
    return Scrubber(last, value, newest, marked["memory"], ticks(last, marked), ", ".join(here), ", ".join(told))


@lru_cache(maxsize=256)
def _marked(agent_id: str, event_seq: int) -> dict[str, Numbers]:
    """The numbers of the steps that carry each mark. Nothing of it changes without an event: read once for each number of them."""
    found: dict[str, set[int]] = {mark: set() for mark in _WORDS}
    left = ((number, "left") for number in left_numbers(agent_id))
    for number, mark in chain(_ends(agent_id), _writes(agent_id), _pauses(agent_id), left):
        found[mark].add(number)
    return {mark: tuple(sorted(numbers)) for mark, numbers in found.items()}


def _ends(agent_id: str) -> Iterator[tuple[int, str]]:
    steps = Step.objects.filter(Q(kind=StepKind.SUMMARY) | Q(status=StepStatus.FAILED), agent=agent_id)
    for number, status in steps.order_by().values_list("number", "status"):
        yield number, "error" if status == StepStatus.FAILED else "compaction"


def _writes(agent_id: str) -> Iterator[tuple[int, str]]:
    versions = BlockVersion.objects.filter(agent=agent_id, step__isnull=False)
    for number in versions.order_by().values_list("step__number", flat=True):
        yield number, "memory"


def _pauses(agent_id: str) -> Iterator[tuple[int, str]]:
    for number in Pause.objects.filter(agent=agent_id).order_by().values_list("step__number", flat=True):
        yield number, "pause"


def ticks(last: int, marked: Mapping[str, Numbers]) -> list[Tick]:
    """The ticks of steps 1 to ``last``; above ``MOST_TICKS`` steps one stands for several."""
    each = -(-last // MOST_TICKS)
    return [_tick(first, min(last, first + each - 1), marked) for first in range(1, last + 1, each or 1)]


def _tick(first: int, last: int, marked: Mapping[str, Numbers]) -> Tick:
    counts = {kind: _count(numbers, first, last) for kind, numbers in marked.items()}
    found = tuple(kind for kind, count in counts.items() if count)
    return Tick(found, round(counts.get("memory", 0) / (last - first + 1), 2))


def _count(numbers: Numbers, first: int, last: int) -> int:
    return bisect_right(numbers, last) - bisect_left(numbers, first)
