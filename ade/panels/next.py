"""The next request: its exact bytes before it is sent, what the provider has of it in its cache, and what would change in it if …"""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_noop

from ade.address import query, thread
from ade.fragments import Fragment
from ade.next_request import last_request, next_request
from ade.panels.base import Panel
from agents_core.errors import AgentsError
from agents_core.events.types import StoredEvent
from agents_core.models import Block, Tool

_UNSEEN = frozenset({"message.delta", "model.retrying", "step.started", "tool.called", "tool.returned"})
"""Events after which the next request is what it was; nearly all others tell of something that may stand in it."""


class NextPanel(Panel):
    """``params``: ``conversation`` chooses the thread."""

    slug = "next"
    title = gettext_noop("Next")

    def context(self) -> dict[str, Any]:
        conversation = thread(self.params) or None
        shared = {
            "params": query(self.params, ("conversation",)),
            "thread": conversation or "",
            "last": last_request(self.agent, conversation),
            **self._offered(),
        }
        try:
            return {**shared, "next": next_request(self.agent, conversation)}
        except AgentsError as error:
            return {**shared, "refusal": error.message}

    def fragments(self, events: Sequence[StoredEvent]) -> list[Fragment]:
        return [self.whole()] if any(event.event.type not in _UNSEEN for event in events) else []

    def _offered(self) -> dict[str, Sequence[Any]]:
        """What the form lets a person change."""
        tools = Tool.objects.filter(agent_links__agent=self.agent).order_by("agent_links__id")
        return {
            "blocks": list(Block.objects.filter(agent_links__agent=self.agent).order_by("agent_links__id")),
            "tools": list(tools),
            "others": list(
                Tool.objects.exclude(agent_links__agent=self.agent).order_by("name").values_list("name", flat=True)
            ),
        }
