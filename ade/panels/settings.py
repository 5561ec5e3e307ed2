"""An agent's settings: its model, its instructions, its name."""

from typing import Any, ClassVar

from ade.forms import AgentForm
from ade.panels.base import Panel
from ade.views.handles import model_handles


class SettingsPanel(Panel):
    slug = "settings"
    title = "Settings"
    follows: ClassVar = frozenset({"agent.changed"})

    def context(self) -> dict[str, Any]:
        return {"form": AgentForm.of(self.agent), "handles": model_handles()}
