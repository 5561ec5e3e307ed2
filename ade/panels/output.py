"""What the agent's own tools printed in the sandbox."""

from typing import Any, ClassVar

from django.utils.translation import gettext_noop

from ade.panels.base import Panel
from agents_core.models import ToolCall, ToolCallStatus

_SHOWN = 50
_NOT_RUN = (ToolCallStatus.AWAITING, ToolCallStatus.HELD)


class OutputPanel(Panel):
    slug = "output"
    title = gettext_noop("Sandbox output")
    follows: ClassVar = frozenset({"tool.called", "tool.returned"})

    def context(self) -> dict[str, Any]:
        sandboxed = ToolCall.objects.filter(agent=self.agent).exclude(code_digest=None).exclude(status__in=_NOT_RUN)
        return {"calls": sandboxed.select_related("step").order_by("-id")[:_SHOWN]}
