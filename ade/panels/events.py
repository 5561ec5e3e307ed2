"""The event stream of an agent, newest first."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, get_args
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ade.fragments import Fragment
from ade.panels.base import Panel
from agents_core.errors import InvalidInput
from agents_core.events import types as e
from agents_core.models import Event, Step

SHOWN = 200
_TYPES = [event.type for event in get_args(e.AnyEvent) if event is not e.MessageDelta]
_FILTERS: Mapping[str, tuple[str, ...]] = {
    "runs": ("run.",),
    "steps": ("step.", "model."),
    "messages": ("message.",),
    "tools": ("tool.", "approval."),
    "memory": ("block.", "passage.", "context."),
    "debugger": ("run.paused", "run.resumed", "run.edited", "breakpoint."),
    "agent": ("agent.",),
}
_WORDS = {
    "agent.created": gettext_noop("the agent was created"),
    "agent.forked": gettext_noop("an agent was made from it"),
    "agent.rewound": gettext_noop("went back to just before step {step_number}"),
    "agent.came_back": gettext_noop("came back to a branch"),
    "agent.adopted": gettext_noop("took over one of its forks"),
    "run.created": gettext_noop("a run waits for a worker"),
    "run.started": gettext_noop("a worker took it up"),
    "run.cancel_requested": gettext_noop("asked to stop"),
    "run.ended": "{status}: {stop_reason}",
    "run.paused": gettext_noop("paused: {text}"),
    "run.resumed": gettext_noop("goes on: {how}"),
    "run.edited": gettext_noop("a person changed {kind} {target}"),
    "breakpoint.logged": "{text}",
    "run.callback_sent": gettext_noop("the callback was taken: {status_code}"),
    "step.started": gettext_noop("the model is asked"),
    "step.ended": "{status}",
    "model.retrying": gettext_noop("attempt {attempt} in {after_s:g} s: {reason}"),
    "message.created": gettext_noop("{role} message"),
    "tool.called": gettext_noop("{name} was called"),
    "tool.returned": gettext_noop("{name} returned: {status}"),
    "approval.requested": gettext_noop("waits for an answer"),
    "approval.answered": gettext_noop("the answer came"),
    "block.changed": gettext_noop("{label} {change} by {author}, version {version}"),
    "block.proposal": gettext_noop("{label}: a proposal is {status}"),
    "sleeptime.called": gettext_noop("the sleep-time agents were called"),
    "group.changed": gettext_noop("a group was {change}"),
    "group.turn": gettext_noop("a turn of a group: {status}"),
    "passage.changed": gettext_noop("a passage was {change}"),
    "context.compacted": gettext_noop("a summary took the place of the oldest messages"),
}

_CODES = frozenset({"status", "change", "author", "role", "how", "kind"})
"""Facts that are words of the record (ade/record_words.py)."""


@dataclass(frozen=True, slots=True)
class Line:
    """An event in words. ``step``: the number of the step it belongs to. ``place``: the query of the page that shows more."""

    seq: int
    type: str
    words: str
    created_at: datetime
    step: int | None
    place: str

    @property
    def dom_id(self) -> str:
        return f"event-{self.seq}"


class EventsPanel(Panel):
    """``params``: ``type`` names a filter. Pieces of messages being written are left out: there are thousands."""

    slug = "events"
    title = gettext_noop("Events")
    follows: ClassVar[frozenset[str]] = frozenset(_TYPES)

    @property
    def chosen(self) -> str:
        """Raises ``InvalidInput`` for a filter that does not exist."""
        chosen = self.params.get("type", "")
        if chosen and chosen not in _FILTERS:
            raise InvalidInput(
                _("There is no filter {chosen!r}; choose one of {filters}.").format(
                    chosen=chosen, filters=", ".join(_FILTERS)
                )
            )
        return chosen

    def context(self) -> dict[str, Any]:
        params = {"type": self.chosen} if self.chosen else {}
        rows = list(self._rows()[:SHOWN])
        lines = _lines([(row.seq, e.parse(row.type, row.payload), row.step_id, row.created_at) for row in rows])
        return {"lines": lines, "filters": _FILTERS, "chosen": self.chosen, "params": urlencode(params)}

    def fragments(self, events: Sequence[e.StoredEvent]) -> list[Fragment]:
        """A line for each new event, and the removal of those that it pushes out of the list."""
        shown = self._types()
        new = [event for event in events if event.event.type in shown]
        if not new:
            return []
        pushed = self._rows().filter(seq__lte=new[-1].seq).values_list("seq", flat=True)[SHOWN : SHOWN + len(new)]
        lines = _lines([(each.seq, each.event, each.step_id, each.created_at) for each in new[-SHOWN:]])
        return [
            Fragment("events-empty", swap="remove"),
            *(
                Fragment(line.dom_id, "ade/partials/_event.html", self._with(line), swap="prepend", target="event-list")
                for line in lines
            ),
            *(Fragment(f"event-{seq}", swap="remove") for seq in pushed),
        ]

    def _with(self, line: Line) -> dict[str, Any]:
        return {"agent": self.agent, "line": line}

    def _types(self) -> list[str]:
        return [each for each in _TYPES if each.startswith(_FILTERS.get(self.chosen, ("",)))]

    def _rows(self) -> "QuerySet[Event]":
        return Event.objects.filter(agent=self.agent, type__in=self._types()).order_by("-seq")


def _lines(events: Iterable[tuple[int, e.AnyEvent, str | None, datetime]]) -> list[Line]:
    """The events in words, in one query."""
    found = list(events)
    ids = {step_id for _, _, step_id, _ in found if step_id}
    numbers = dict(Step.objects.filter(id__in=ids).values_list("id", "number"))
    return [
        Line(seq, event.type, words(event), created_at, numbers.get(step_id or ""), _place(event))
        for seq, event, step_id, created_at in found
    ]


def words(event: e.AnyEvent) -> str:
    """What happened, in a few words."""
    match event:
        case e.AgentChanged(fields):
            return _("changed: {fields}").format(fields=", ".join(fields))
        case e.RunStarted(attempt) if attempt > 1:
            return _("a worker took it up, attempt {attempt}: the one before died").format(attempt=attempt)
        case e.RunEnded(status, reason) if status == reason:
            return _(status)
        case e.CallbackSent(_, str(error)):
            return _("the callback failed: {error}").format(error=error)
        case e.ApprovalAnswered(abandoned=True):
            return _("nobody answered: given up")
        case _:
            return _(_WORDS[event.type]).format(**_told(e.payload_of(event)))


def _told(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of an event, its codes as words."""
    return {name: _(fact) if name in _CODES and isinstance(fact, str) else fact for name, fact in payload.items()}


def _place(event: e.AnyEvent) -> str:
    match event:
        case e.MessageCreated(message_id, "user"):
            return f"#{message_id}"
        case e.BlockChanged() | e.ProposalChanged():
            return "?aside=core"
        case e.PassageChanged():
            return "?aside=archival"
        case e.ContextCompacted():
            return "?drawer=compactions"
        case e.AgentChanged():
            return "?main=settings"
        case _:
            return ""
