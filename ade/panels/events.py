"""The event stream of an agent, newest first."""

from collections.abc import Sequence
from typing import Any, ClassVar

from ade.fragments import Fragment
from ade.panels.base import Panel
from agents_core.events.types import StoredEvent
from agents_core.models import Event

_SHOWN = 200
_DELTA = "message.delta"


class EventsPanel(Panel):
    slug = "events"
    title = "Events"
    follows: ClassVar = frozenset()

    def context(self) -> dict[str, Any]:
        newest = Event.objects.filter(agent=self.agent).exclude(type=_DELTA).order_by("-seq")
        return {"events": newest[:_SHOWN]}

    def fragments(self, events: Sequence[StoredEvent]) -> list[Fragment]:
        """The list anew: it holds a fixed number, so that what comes pushes the oldest out."""
        if all(event.event.type == _DELTA for event in events):
            return []
        return [Fragment(self.dom_id, self.template, self.full_context())]
