"""Watches: expressions over the agent's steps, with what each was at the step shown, when it changed, and when it first became true."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from django.utils.translation import gettext_noop

from ade.address import query, thread
from ade.fragments import Fragment
from ade.panels.base import Panel
from ade.panels.context import number_in
from ade.sparkline import Sparkline, sparkline
from agents_core.actions import breakpoints, watches
from agents_core.events.types import AgentChanged, StoredEvent
from agents_core.models import BreakpointKind, Watch
from agents_core.record.expressions import ExpressionRefused, parse
from agents_core.record.series import Change, Reading, Series

PAGE = 50
BUDGET_S = 1.0
"""For one drawing: the page asks again until all steps are evaluated."""

_PARAMS = ("watch", "expression", "edit", "changes_before", "conversation")


@dataclass(frozen=True, slots=True)
class WatchRow:
    """A watch as a row. ``reading``: at the step shown; ``since``: the step at which it came to that. ``problem``: why it has none at all.
    ``breaks``: a breakpoint stops where it becomes true."""

    watch: Watch
    series: Series | None
    reading: Reading | None = None
    since: int | None = None
    changes: int = 0
    line: Sparkline | None = None
    problem: ExpressionRefused | None = None
    breaks: bool = False

    @property
    def marked(self) -> tuple[str, str, str] | None:
        """The expression cut around the character that a refusal is about."""
        column = self.problem.column if self.problem else self.reading.column if self.reading else None
        return around(self.watch.expression, column) if column else None


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """``diff``: the step to compare with, the one before it that was looked at; None for the first."""

    change: Change
    diff: int | None


def around(text: str, column: int) -> tuple[str, str, str]:
    """``text`` before, at and after a column, which counts from 1 and may be just past the end."""
    return text[: column - 1], text[column - 1 : column] or " ", text[column:]


class WatchesPanel(Panel):
    """``params``: ``step`` pins the step whose values are shown; ``watch`` is the id of the one whose changes are listed, from before step
    ``changes_before``; ``edit`` the id of the one that is being changed; ``expression`` is one to find the first step of."""

    slug = "watches"
    title = gettext_noop("Watches")
    holds_for_all: ClassVar = True
    follows: ClassVar = frozenset({"step.ended", "tool.returned", "approval.answered", "run.ended"})

    def context(self) -> dict[str, Any]:
        found = list(watches.of_agent(self.agent.id))
        rows, is_whole = self._rows(found)
        reached = [row.series.last for row in rows if row.series]
        step = self.pinned or max(reached, default=0)
        edited = next((watch for watch in found if watch.id == self.params.get("edit")), None)
        return {
            "rows": rows,
            "step": step,
            "pinned": self.pinned,
            "is_whole": is_whole,
            "reached": min(reached, default=0),
            "edited": edited,
            "typed": edited.expression if edited else self.params.get("expression", ""),
            "params": query(self.params, (*_PARAMS, "step")),
            "refresh": query(self.params, _PARAMS),
            "kept": query(self.params, ("conversation",)),
            **self._details(rows),
        }

    @cached_property
    def pinned(self) -> int | None:
        return number_in(self.params, "step")

    def fragments(self, events: Sequence[StoredEvent]) -> list[Fragment]:
        changed = {name for event in events if isinstance(event.event, AgentChanged) for name in event.event.fields}
        return [self.whole()] if changed & {"watches", "breakpoints"} else Panel.fragments(self, events)

    # --- the rows -----------------------------------------------------------------------------------------------------

    def _rows(self, found: Sequence[Watch]) -> tuple[list[WatchRow], bool]:
        """The rows, and whether they reach the newest step."""
        parsed = {watch.id: _parsed(watch.expression) for watch in found}
        good = [each for each in parsed.values() if not isinstance(each, ExpressionRefused)]
        series, is_whole = watches.series_of(self.agent.id, good, thread(self.params) or None, budget_s=BUDGET_S)
        by_text = {each.expression.text: each for each in series}
        last = max((each.last for each in series), default=0)
        broken = breakpoints.of_agent(self.agent.id).filter(kind=BreakpointKind.EXPRESSION)
        conditions = set(broken.values_list("condition", flat=True))
        rows = []
        for watch in found:
            problem = parsed[watch.id]
            if isinstance(problem, ExpressionRefused):
                rows.append(WatchRow(watch, None, problem=problem))
            else:
                rows.append(self._row(watch, by_text[problem.text], last, watch.expression in conditions))
        return rows, is_whole

    def _row(self, watch: Watch, series: Series, last: int, breaks: bool) -> WatchRow:
        step = self.pinned or last
        changes = series.changes()
        now = next((change for change in reversed(changes) if change.number <= step), None)
        return WatchRow(
            watch,
            series,
            now.reading if now else None,
            now.number if now else None,
            max(0, len(changes) - 1),
            sparkline(series, step),
            breaks=breaks,
        )

    # --- one of them --------------------------------------------------------------------------------------------------

    def _details(self, rows: Sequence[WatchRow]) -> dict[str, Any]:
        if expression := self.params.get("expression", ""):
            return self._found(expression)
        chosen = next((row for row in rows if row.watch.id == self.params.get("watch")), None)
        if chosen is None or chosen.series is None:
            return {}
        changes = list(reversed(self._paired(chosen.series, chosen.series.changes())))
        return {"chosen": chosen, **self._paged(changes)}

    def _found(self, expression: str) -> dict[str, Any]:
        """The first step at which an expression was true, and each at which it turned since."""
        try:
            found = watches.bisect(self.agent.id, expression, thread(self.params) or None, budget_s=BUDGET_S)
        except ExpressionRefused as refused:
            return {"refused": refused, "marked": around(expression, refused.column)}
        turns = self._paired(found.series, found.turns)
        return {"found": found, "first": turns[0] if turns else None, **self._paged(list(reversed(turns)))}

    def _paired(self, series: Series, changes: Sequence[Change]) -> list[ChangeRow]:
        numbers = list(series.readings)
        before = dict(zip(numbers[1:], numbers, strict=False))
        return [ChangeRow(change, before.get(change.number)) for change in changes]

    def _paged(self, rows: Sequence[ChangeRow]) -> dict[str, Any]:
        """``rows``, newest first, from before the step that the address names."""
        if before := number_in(self.params, "changes_before"):
            rows = [row for row in rows if row.change.number < before]
        shown = rows[:PAGE]
        older = query(self.params, _PARAMS, changes_before=shown[-1].change.number) if len(rows) > PAGE else ""
        newest = query(self.params, _PARAMS, changes_before=None)
        return {"changes": shown, "older": older, "newest": newest, "is_first": not before}


def _parsed(text: str) -> Any:
    try:
        return parse(text)
    except ExpressionRefused as refused:
        return refused
