"""The step that a context window is compared with: the "diff to" menu, and what it chose."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet, Value
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ade.address import step_number
from agents_core.models import Step, StepKind
from agents_core.record.lines import left_steps, past

PREVIOUS, MEMORY, TURN, NOTHING = "", "memory", "turn", "none"
"""What ``diff`` may say besides the number of a step. The words stay true while other steps are chosen."""

_WORDS = {
    PREVIOUS: gettext_noop("previous"),
    MEMORY: gettext_noop("last memory change"),
    TURN: gettext_noop("start of turn"),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """An entry of the menu."""

    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Against:
    """``base`` is the step to compare with; None when there is none, then ``problem`` says why, unless none was asked for."""

    base: Step | None
    choices: Sequence[Choice]
    problem: str = ""


def against(recorded: "QuerySet[Step]", step: Step, chosen: str, memory: Sequence[int]) -> Against:
    """What ``chosen`` means for ``step``.

    Args:
        recorded: the agent's steps whose request is known.
        memory: the numbers of the steps that wrote memory, sorted.

    Raises ``InvalidInput`` when ``chosen`` is neither a number nor one of the words.
    """
    numbers = _near(recorded, step, memory)
    number = numbers[chosen] if chosen in _WORDS else None if chosen == NOTHING else step_number(chosen, "diff")
    base = None if number is None else recorded.filter(number=number).first()
    return Against(base, _choices(numbers, chosen), _problem(step, chosen, number, base))


def _near(recorded: "QuerySet[Step]", step: Step, memory: Sequence[int]) -> dict[str, int | None]:
    """The step before ``step`` that each word of the menu means, None when there is none. Before a step of the agent's past stand others
    of it, not those on a branch that it had left by then."""
    before = recorded.filter(number__lt=step.number, kind=step.kind)
    turn = _numbers(TURN, before.filter(run=step.run_id).order_by("number"))
    # The requests of two summaries have little in common.
    alike = before.filter(conversation=step.conversation_id) if step.kind == StepKind.AGENT else before.none()
    if not left_steps([step]):
        alike = alike.filter(past(step.agent_id))
    found = dict(turn.union(_numbers(PREVIOUS, alike.order_by("-number")), all=True))
    place = bisect_left(memory, step.number)
    return {
        PREVIOUS: found.get(PREVIOUS),
        MEMORY: memory[place - 1] if place else None,
        TURN: found.get(TURN),
    }


def _numbers(word: str, steps: "QuerySet[Step]") -> Any:
    """The number of the first of ``steps``, as a row after ``word``."""
    return steps.values_list(Value(word), "number")[:1]


def _choices(numbers: dict[str, int | None], chosen: str) -> list[Choice]:
    near = [
        Choice(word, _(words) if numbers[word] is None else f"{numbers[word]:,} · {_(words)}", word == chosen)
        for word, words in _WORDS.items()
        if numbers[word] is not None or word in (PREVIOUS, chosen)
    ]
    other = [] if chosen in (*_WORDS, NOTHING) else [Choice(chosen, f"{int(chosen):,}", is_chosen=True)]
    return [*near, *other, Choice(NOTHING, _("nothing"), chosen == NOTHING)]


def _problem(step: Step, chosen: str, number: int | None, base: Step | None) -> str:
    if base is not None or chosen in (PREVIOUS, NOTHING):
        return ""
    if number is not None:
        return _("There is no recorded request of step {number} to compare with.").format(number=number)
    if chosen == MEMORY:
        return _("No step before it wrote memory: nothing to compare step {number} with.").format(number=step.number)
    return _("It is the first of its turn: nothing to compare step {number} with.").format(number=step.number)
