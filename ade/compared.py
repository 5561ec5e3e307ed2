"""The step that a context window is compared with: the "diff to" menu, and what it chose."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from ade.address import step_number
from agents_core.models import Step, StepKind

PREVIOUS, MEMORY, TURN, NOTHING = "", "memory", "turn", "none"
"""What ``diff`` may say besides the number of a step. The words stay true while other steps are chosen."""

_WORDS = {PREVIOUS: "previous", MEMORY: "last memory change", TURN: "start of turn"}


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
    numbers = {word: _near(recorded, step, word, memory) for word in _WORDS}
    number = numbers[chosen] if chosen in _WORDS else None if chosen == NOTHING else step_number(chosen, "diff")
    base = None if number is None else recorded.filter(number=number).first()
    return Against(base, _choices(numbers, chosen), _problem(step, chosen, number, base))


def _near(recorded: "QuerySet[Step]", step: Step, word: str, memory: Sequence[int]) -> int | None:
    """The step before ``step`` that a word of the menu means, None when there is none."""
    before = recorded.filter(number__lt=step.number)
    match word:
        case "memory":
            place = bisect_left(memory, step.number)
            return memory[place - 1] if place else None
        case "turn":
            of_turn = before.filter(run=step.run_id, kind=step.kind).order_by("number")
            return of_turn.values_list("number", flat=True).first()
        case _ if step.kind != StepKind.AGENT:
            return None  # the requests of two summaries have little in common
        case _:
            alike = before.filter(kind=step.kind, conversation=step.conversation_id).order_by("-number")
            return alike.values_list("number", flat=True).first()


def _choices(numbers: dict[str, int | None], chosen: str) -> list[Choice]:
    near = [
        Choice(word, words if numbers[word] is None else f"{numbers[word]:,} · {words}", word == chosen)
        for word, words in _WORDS.items()
        if numbers[word] is not None or word in (PREVIOUS, chosen)
    ]
    other = [] if chosen in (*_WORDS, NOTHING) else [Choice(chosen, f"{int(chosen):,}", is_chosen=True)]
    return [*near, *other, Choice(NOTHING, "nothing", chosen == NOTHING)]


def _problem(step: Step, chosen: str, number: int | None, base: Step | None) -> str:
    if base is not None or chosen in (PREVIOUS, NOTHING):
        return ""
    if number is not None:
        return f"There is no recorded request of step {number} to compare with."
    none = {MEMORY: "No step before it wrote memory", TURN: "It is the first of its turn"}[chosen]
    return f"{none}: nothing to compare step {step.number} with."
