"""The scrubber over an agent's steps: its range, and what happened where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q

from agents_core.models import Agent, BlockVersion, Step, StepKind, StepStatus

MOST_TICKS = 120
_ORDER = ("error", "compaction", "memory")
_WORDS = {"error": "failed", "compaction": "compacted", "memory": "wrote memory"}


@dataclass(frozen=True, slots=True)
class Tick:
    """A step, or several in a row. ``kind``: the gravest thing that happened there: "error", "compaction", "memory" or ""."""

    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class Scrubber:
    """``value`` is the step shown. At ``newest`` the page follows what happens; 0 says that reaching the end does not."""

    last: int
    value: int
    newest: int
    memory: Sequence[int]
    ticks: Sequence[Tick]

    @property
    def previous(self) -> int:
        return max(1, self.value - 1)

    @property
    def next(self) -> int:
        return min(self.last, self.value + 1)


def scrubber_of(agent: Agent, last: int, value: int, newest: int) -> Scrubber:
    """The scrubber over steps 1 to ``last``, in two queries."""
    memory = sorted(
        BlockVersion.objects.filter(agent=agent, step__isnull=False).values_list("step__number", flat=True).distinct()
    )
    kinds = dict.fromkeys(memory, "memory")
    grave = Step.objects.filter(Q(kind=StepKind.SUMMARY) | Q(status=StepStatus.FAILED), agent=agent)
    for number, status in grave.values_list("number", "status"):
        kinds[number] = "error" if status == StepStatus.FAILED else "compaction"
    return Scrubber(last, value, newest, memory, ticks(last, kinds))


def ticks(last: int, kinds: Mapping[int, str]) -> list[Tick]:
    """The ticks of steps 1 to ``last``; above ``MOST_TICKS`` steps one stands for several."""
    each = -(-last // MOST_TICKS)
    noted: dict[int, set[str]] = {}
    for number, kind in kinds.items():
        noted.setdefault((number - 1) // each, set()).add(kind)
    return [_tick(at * each + 1, min(last, (at + 1) * each), noted.get(at, set())) for at in range(-(-last // each))]


def _tick(first: int, last: int, kinds: set[str]) -> Tick:
    kind = next((kind for kind in _ORDER if kind in kinds), "")
    steps = f"step {first}" if first == last else f"steps {first} to {last}"
    return Tick(kind, f"{steps}: {_WORDS[kind]}" if kind else steps)
