"""Watches of an agent, or of all: made, changed and taken away; and what expressions were at the steps of an agent."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q, QuerySet

from agents_core.actions.agents import locked
from agents_core.errors import InvalidInput, NotFound
from agents_core.events.doorbell import ring
from agents_core.events.hub import ALL_AGENTS
from agents_core.events.publish import publish
from agents_core.events.types import AgentChanged
from agents_core.models import Watch
from agents_core.models.pipeline import run_sync
from agents_core.record.expressions import Expression, parse
from agents_core.record.series import Change, KeptSeries, Series

LONGEST_NAME = 100
_MOST = 50
_WHOLE_S = 30.0

_kept = KeptSeries()


def of_agent(agent_id: str) -> "QuerySet[Watch]":
    """Those that an agent's steps are looked at with, its own and those of all agents, oldest first."""
    return Watch.objects.filter(Q(agent=agent_id) | Q(agent=None))


def get(agent_id: str, watch_id: str) -> Watch:
    """Raises ``NotFound``."""
    watch = of_agent(agent_id).filter(pk=watch_id).first()
    if watch is None:
        raise NotFound(f"The agent has no watch {watch_id}.")
    return watch


def create(agent_id: str, expression: str, name: str = "", *, everywhere: bool = False) -> Watch:
    """A watch of the agent; ``everywhere``: of all agents.

    Raises ``NotFound`` for the agent, ``ExpressionRefused``, and ``InvalidInput`` for a name that is too long, the same expression again,
    and more watches than anybody looks at.
    """
    watch = Watch(agent_id=None if everywhere else agent_id, expression=parse(expression).text, name=_checked(name))
    with transaction.atomic():
        locked(agent_id)
        others = of_agent(agent_id)
        if others.filter(expression=watch.expression).exists():
            raise InvalidInput("This expression is watched already.", field="expression")
        if others.count() >= _MOST:
            raise InvalidInput(f"There are {_MOST} watches already: remove some first.")
        watch.save(force_insert=True)
        _tell(agent_id, watch)
    return watch


def modify(agent_id: str, watch_id: str, *, expression: str | None = None, name: str | None = None) -> Watch:
    """The watch with another expression or name. Raises as ``create``, and ``NotFound``."""
    with transaction.atomic():
        locked(agent_id)
        watch = get(agent_id, watch_id)
        if expression is not None:
            watch.expression = parse(expression).text
        if name is not None:
            watch.name = _checked(name)
        if of_agent(agent_id).exclude(pk=watch.pk).filter(expression=watch.expression).exists():
            raise InvalidInput("This expression is watched already.", field="expression")
        watch.save()
        _tell(agent_id, watch)
    return watch


def delete(agent_id: str, watch_id: str) -> None:
    """Raises ``NotFound``."""
    with transaction.atomic():
        locked(agent_id)
        watch = get(agent_id, watch_id)
        watch.delete()
        _tell(agent_id, watch)


def _tell(agent_id: str, watch: Watch) -> None:
    publish(agent_id, AgentChanged(["watches"]))
    if not watch.agent_id:
        run_sync([ring(ALL_AGENTS)])


def _checked(name: str) -> str:
    name = name.strip()
    if len(name) > LONGEST_NAME or "\0" in name:
        raise InvalidInput(f"A name has at most {LONGEST_NAME} characters, and no NUL among them.", field="name")
    return name


# --- what they were ---------------------------------------------------------------------------------------------------


def series_of(
    agent_id: str, expressions: Sequence[Expression], conversation_id: str | None = None, *, budget_s: float = _WHOLE_S
) -> tuple[list[Series], bool]:
    """What each expression was at the agent's recorded steps, and whether that reaches the newest (``record.series``)."""
    return _kept.of(agent_id, expressions, conversation_id, budget_s=budget_s)


@dataclass(frozen=True, slots=True)
class Bisected:
    """``turns``: the steps at which the expression became true, and false again, in order; the first of them is the answer. ``is_whole``:
    all steps were looked at."""

    series: Series
    turns: Sequence[Change]
    is_whole: bool

    @property
    def first(self) -> Change | None:
        """The first step at which it was true, None where there is none."""
        return self.turns[0] if self.turns else None


def bisect(
    agent_id: str, expression: str, conversation_id: str | None = None, *, budget_s: float = _WHOLE_S
) -> Bisected:
    """The steps at which an expression turned true or false, whether or not it stays so. Raises ``ExpressionRefused``.

    All steps are recorded, so nothing has to be run again, and nothing is guessed between two of them.
    """
    [series], is_whole = series_of(agent_id, [parse(expression)], conversation_id, budget_s=budget_s)
    return Bisected(series, series.turns(), is_whole and not series.stopped)
