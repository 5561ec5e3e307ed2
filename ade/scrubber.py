"""The scrubber over an agent's steps: its range, and what happened where, drawn in as many ticks as there is room for."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from django.utils.translation import gettext as _

from ade.marks import WORDS, Numbers, marks_of
from agents_core.models import Agent

MOST_TICKS = 120


@dataclass(frozen=True, slots=True)
class Tick:
    """A step, or several in a row. ``marks``: what happened there. ``memory``: the share of its steps that wrote memory, 0 to 1."""

    marks: tuple[str, ...]
    memory: float

    @property
    def mark(self) -> str:
        return " ".join(self.marks)


@dataclass(frozen=True, slots=True)
class Scrubber:
    """``value`` is the step shown. At ``newest`` the page follows what happens; 0 says that reaching the end does not.

    ``memory`` holds the numbers of the steps that wrote memory, ``here`` says what happened at the one shown, ``all`` over all of them;
    ``is_left``: the one shown is on a branch that the agent has left.
    """

    last: int
    value: int
    newest: int
    memory: Numbers
    ticks: Sequence[Tick]
    here: str
    all: str
    is_left: bool

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
    """The scrubber over steps 1 to ``last``."""
    marked = marks_of(agent.id).at(agent.event_seq)
    here = [_(WORDS[kind]) for kind, numbers in marked.items() if _count(numbers, value, value)]
    told = [f"{len(numbers):,} {_(WORDS[kind])}" for kind, numbers in marked.items() if numbers]
    return Scrubber(
        last,
        value,
        newest,
        marked["memory"],
        ticks(last, marked),
        ", ".join(here),
        ", ".join(told),
        bool(_count(marked["left"], value, value)),
    )


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
