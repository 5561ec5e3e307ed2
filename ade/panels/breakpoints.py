"""Where the agent's runs are to stop."""

from typing import Any, ClassVar

from django.utils.translation import gettext_noop

from ade.breakpoint_forms import BreakpointForm
from ade.panels.base import Panel
from agents_core.actions import breakpoints


class BreakpointsPanel(Panel):
    slug = "breakpoints"
    title = gettext_noop("Breakpoints")
    holds_for_all: ClassVar = True
    follows: ClassVar[frozenset[str]] = frozenset({"run.paused", "breakpoint.logged", "agent.changed", "block.changed"})

    form: BreakpointForm | None = None

    def context(self) -> dict[str, Any]:
        return {
            "breakpoints": breakpoints.of_agent(self.agent.id),
            "form": self.form or BreakpointForm(),
            "tools": self.agent.tools.order_by("name").values_list("name", flat=True),
            "labels": self.agent.blocks.order_by("label").values_list("label", flat=True),
        }
