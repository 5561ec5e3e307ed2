"""Panels: the parts of an agent's workspace. A ``Panel`` is a definition; bound to an agent and a request's parameters it can be drawn.

A panel is right without the websocket: it loads its state by query. With it, ``fragments`` says which nodes an event changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.template.loader import render_to_string

from ade.fragments import Fragment
from agents_core.events.types import StoredEvent
from agents_core.models import Agent
from agents_core.registry import Registry


@dataclass(slots=True)
class Panel:
    """A panel bound to an agent. ``params`` are the address's: the step chosen, the words searched for.

    A subclass names its ``slug`` and ``title``, draws ``templates/ade/panels/<slug>.html`` (one element with the id ``panel-<slug>`` and
    the attribute ``data-panel``) from ``context()``, and lists in ``follows`` the event types after which it is drawn anew. One that can
    tell more exactly what an event changed overrides ``fragments``. ``holds_for_all``: it shows what holds for all agents too, which no
    agent's events tell of.
    """

    slug: ClassVar[str]
    title: ClassVar[str]
    follows: ClassVar[frozenset[str]] = frozenset()
    holds_for_all: ClassVar[bool] = False

    agent: Agent
    params: Mapping[str, str] = field(default_factory=dict)

    @property
    def dom_id(self) -> str:
        return f"panel-{self.slug}"

    @property
    def template(self) -> str:
        return f"ade/panels/{self.slug}.html"

    @property
    def address(self) -> str | None:
        """The page's address once this panel is drawn by htmx, when that changes it."""
        return None

    def context(self) -> dict[str, Any]:
        """What the template needs, besides ``agent`` and ``panel``."""
        return {}

    def full_context(self) -> dict[str, Any]:
        return {"agent": self.agent, "panel": self, **self.context()}

    def render(self) -> str:
        return render_to_string(self.template, self.full_context())

    def whole(self) -> Fragment:
        """All of it, as it is now."""
        return Fragment(self.dom_id, self.template, self.full_context())

    def fragments(self, events: Sequence[StoredEvent]) -> list[Fragment]:
        """The nodes that ``events`` changed, as they are now."""
        return [self.whole()] if any(event.event.type in self.follows for event in events) else []


PANELS = Registry(
    "panel",
    {
        "head": "ade.panels.head:HeadPanel",
        "outline": "ade.panels.outline:OutlinePanel",
        "trace": "ade.panels.trace:TracePanel",
        "runs": "ade.panels.runs:RunsPanel",
        "settings": "ade.panels.settings:SettingsPanel",
        "rules": "ade.panels.rules:RulesPanel",
        "sleeptime": "ade.panels.sleeptime:SleeptimePanel",
        "context": "ade.panels.context:ContextPanel",
        "next": "ade.panels.next:NextPanel",
        "core": "ade.panels.core:CorePanel",
        "archival": "ade.panels.archival:ArchivalPanel",
        "recall": "ade.panels.recall:RecallPanel",
        "files": "ade.panels.files:FilesPanel",
        "raw": "ade.panels.raw:RawPanel",
        "timeline": "ade.panels.timeline:TimelinePanel",
        "breakpoints": "ade.panels.breakpoints:BreakpointsPanel",
        "events": "ade.panels.events:EventsPanel",
        "history": "ade.panels.history:HistoryPanel",
        "branches": "ade.panels.branches:BranchesPanel",
        "compactions": "ade.panels.compactions:CompactionsPanel",
        "watches": "ade.panels.watches:WatchesPanel",
        "blame": "ade.panels.blame:BlamePanel",
        "output": "ade.panels.output:OutputPanel",
    },
)


def bind(slug: str, agent: Agent, params: Mapping[str, str]) -> Panel:
    """The panel of that name for an agent. Raises ``NotFound`` for an unknown name."""
    panel: Panel = PANELS.load(slug)(agent, params)
    return panel


def holding_for_all(panels: Mapping[str, str]) -> dict[str, str]:
    """Those of ``panels``, parameters by name, that show what holds for all agents."""
    return {slug: params for slug, params in panels.items() if slug in PANELS and PANELS.load(slug).holds_for_all}
