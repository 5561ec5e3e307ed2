"""Where the runs of an agent, or of all, are to stop."""

from json import dumps
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from agents_core.actions.agents import locked
from agents_core.errors import InvalidInput, NotFound
from agents_core.events.doorbell import ring
from agents_core.events.hub import ALL_AGENTS
from agents_core.events.publish import publish
from agents_core.events.types import AgentChanged
from agents_core.models import Breakpoint, BreakpointKind
from agents_core.models.pipeline import run_sync
from agents_core.record.expressions import parse

NEEDS = {
    BreakpointKind.TEXT: ("pattern", "a text to look for, as a regular expression"),
    BreakpointKind.CONTEXT: ("threshold", "a share of the window in percent, 1 to 100"),
    BreakpointKind.EXPRESSION: ("condition", "an expression"),
}
"""What a kind cannot do without, and how a person is asked for it."""

_MOST = 200
_LONGEST = 2000


def of_agent(agent_id: str) -> "QuerySet[Breakpoint]":
    """Those that may stop the agent's runs, its own and those of all agents, oldest first."""
    return Breakpoint.objects.filter(Q(agent=agent_id) | Q(agent=None))


def get(breakpoint_id: str) -> Breakpoint:
    """Raises ``NotFound``."""
    found = Breakpoint.objects.filter(pk=breakpoint_id).first()
    if found is None:
        raise NotFound("Breakpoint not found")
    return found


def create(agent_id: str | None, kind: str, **facts: Any) -> Breakpoint:
    """A breakpoint of an agent, or with None of all. ``facts``: fields of ``models.Breakpoint``.

    Raises ``NotFound`` for the agent; ``InvalidInput`` for an unknown kind, without what the kind needs, for a malformed expression or
    pattern, and for more breakpoints than anybody looks at.
    """
    with transaction.atomic():
        drafted = checked(Breakpoint(agent_id=agent_id, kind=kind, **facts))
        if agent_id is not None:
            locked(agent_id)
        if Breakpoint.objects.filter(agent=agent_id).count() >= _MOST:
            raise InvalidInput(f"There are {_MOST} breakpoints already: remove some first.")
        drafted.save(force_insert=True)
        _tell(drafted)
    return drafted


def modify(breakpoint_id: str, changes: dict[str, Any]) -> Breakpoint:
    """The breakpoint with other fields. Raises as ``create``."""
    with transaction.atomic():
        found = get(breakpoint_id)
        for name, value in changes.items():
            setattr(found, name, value)
        checked(found).save()
        _tell(found)
    return found


def delete(breakpoint_id: str) -> None:
    """Raises ``NotFound``."""
    with transaction.atomic():
        found = get(breakpoint_id)
        _tell(found)
        found.delete()


def _tell(changed: Breakpoint) -> None:
    if changed.agent_id:
        publish(changed.agent_id, AgentChanged(["breakpoints"]))
    else:
        run_sync([ring(ALL_AGENTS)])


def checked(draft: Breakpoint) -> Breakpoint:
    """``draft``, if it can ever stop a run. Raises ``InvalidInput``."""
    if draft.kind not in BreakpointKind.values:
        raise InvalidInput(f"There is no kind of breakpoint {draft.kind!r}. Kinds: {', '.join(BreakpointKind.values)}.")
    name, what = NEEDS.get(BreakpointKind(draft.kind), ("", ""))
    if name and not getattr(draft, name):
        raise InvalidInput(f"A breakpoint “{draft.get_kind_display()}” needs {what}.", field=name)
    for field in ("target", "pattern", "condition", "log"):
        if len(getattr(draft, field)) > _LONGEST:
            raise InvalidInput(f"This is longer than {_LONGEST:,} characters.", field=field)
    _check_numbers(draft)
    if draft.condition:
        parse(draft.condition)
    if draft.pattern:
        parse(f"matches(context, {dumps(draft.pattern)})").value({"context": ""})
    return draft


def _check_numbers(draft: Breakpoint) -> None:
    if not 1 <= draft.nth <= 1_000_000:
        raise InvalidInput("The hit to stop from is counted from 1.", field="nth")
    if draft.kind == BreakpointKind.CONTEXT and not 1 <= (draft.threshold or 0) <= 100:
        raise InvalidInput("The share of the window is given in percent, 1 to 100.", field="threshold")
    if draft.kind == BreakpointKind.REPEAT and not 2 <= (draft.threshold or 2) <= 1000:
        raise InvalidInput("A call is repeated from its second time on, so give 2 or more.", field="threshold")
