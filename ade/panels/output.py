"""What the agent's own tools printed in the sandbox."""

from typing import Any, ClassVar

from ade.panels.base import Panel
from agents_core.models import ToolCall

_SHOWN = 50


class OutputPanel(Panel):
    slug = "output"
    title = "Sandbox output"
    follows: ClassVar = frozenset({"tool.called", "tool.returned"})

    def context(self) -> dict[str, Any]:
        sandboxed = ToolCall.objects.filter(agent=self.agent).exclude(code_digest=None)
        return {"calls": sandboxed.select_related("step").order_by("-id")[:_SHOWN]}
