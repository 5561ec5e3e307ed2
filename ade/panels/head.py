"""The top bar of the workspace: who the agent is, what it does now, how full its window is."""

from dataclasses import dataclass
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ade.panels.base import Panel
from ade.run_words import why
from ade.standing import STAGES
from ade.window import newest_bar
from agents_core.actions.pauses import open_pause
from agents_core.models import ACTIVE, Pause, Run, RunStatus, ToolCall, ToolCallStatus
from agents_core.record.lines import newest_run


@dataclass(frozen=True, slots=True)
class State:
    """``name`` chooses the colour (static/ade/README.md), ``words`` say it."""

    name: str
    words: str
    can_stop: bool = False
    pause: Pause | None = None


class HeadPanel(Panel):
    slug = "head"
    title = gettext_noop("Agent")
    follows: ClassVar[frozenset[str]] = frozenset(
        {
            "run.created",
            "run.started",
            "run.cancel_requested",
            "run.ended",
            "run.paused",
            "run.resumed",
            "step.started",
            "step.ended",
            "agent.changed",
            "approval.answered",
            "block.changed",  # what an agent that has gone elsewhere will send holds it
        }
    )

    def context(self) -> dict[str, Any]:
        return {"state": self._state(), "bar": newest_bar(self.agent)}

    def _state(self) -> State:
        active = list(Run.objects.filter(agent=self.agent, status__in=ACTIVE).order_by("first_seq"))
        if any(run.status == RunStatus.PAUSED for run in active) and (pause := open_pause(self.agent.id)):
            where = _("paused {stage} · step {number}").format(stage=_(STAGES[pause.stage]), number=pause.step.number)
            return State("paused", where, can_stop=True, pause=pause)
        running = [run for run in active if run.status == RunStatus.RUNNING]
        if any(run.cancel_requested for run in running):
            return State("waiting", _("stopping"))
        if running:
            return State("running", _("running · step {number}").format(number=self.agent.step_count), can_stop=True)
        if active:
            return State("queued", _("queued"), can_stop=True)
        return self._at_rest()

    def _at_rest(self) -> State:
        last = newest_run(self.agent.id)
        if last is None:
            return State("idle", _("idle") if self.agent.step_count else _("no message yet"))
        waiting = (
            ToolCall.objects.filter(agent=self.agent, status=ToolCallStatus.AWAITING).select_related("step").first()
        )
        if waiting is not None:
            return State("waiting", _("waits for you · step {number}").format(number=waiting.step.number))
        if last.status == RunStatus.FAILED:
            return State("failed", _("failed · {why}").format(why=why(last)))
        return State("idle", _("idle · stopped") if last.status == RunStatus.CANCELLED else _("idle"))
