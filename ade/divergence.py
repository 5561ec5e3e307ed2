"""Where a branch parts from the recorded tail: the first step that called other tools, or said something else."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from json import dumps

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ade.call_words import call_as_code
from ade.turns import StepView

_ENDED = gettext_noop("nothing: it had ended")


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first difference: ``at`` counts steps of the tail from 0; ``kind`` is "tool call", "answer", "error" or "end"; ``recorded`` and
    ``branch`` are what each did there."""

    at: int
    kind: str
    recorded: str
    branch: str


def first_difference(recorded: Sequence[StepView], branch: Sequence[StepView], *, is_over: bool) -> Divergence | None:
    """None while the branch has done as was recorded. ``is_over``: no step of it follows."""
    for at, (one, other) in enumerate(zip_longest(recorded, branch)):
        if other is None:
            return Divergence(at, "end", _done(one), _(_ENDED)) if is_over else None
        if other.step.finished_at is None:
            return None
        if one is None:
            return Divergence(at, "end", _(_ENDED), _done(other))
        if kind := _differs(one, other):
            return Divergence(at, kind, _done(one), _done(other))
    return None


def _differs(one: StepView, other: StepView) -> str:
    if bool(one.step.error) != bool(other.step.error):
        return "error"
    if _calls(one) != _calls(other):
        speaks = all(call.spoken is not None for view in (one, other) for call in view.calls)
        return "answer" if speaks and one.calls and other.calls else "tool call"
    return "" if one.said.strip() == other.said.strip() else "answer"


def _calls(view: StepView) -> list[tuple[str, str]]:
    return [(call.call.name, dumps(call.call.arguments, sort_keys=True)) for call in view.calls]


def _done(view: StepView | None) -> str:
    """What a step did, in one text."""
    if view is None:
        return _(_ENDED)
    if view.step.error:
        return str(view.step.error.get("message", _("failed")))
    calls = [call.spoken or call_as_code(call.call.name, call.text) for call in view.calls]
    return "\n".join([*([view.said] if view.said else []), *calls]) or _("nothing")
