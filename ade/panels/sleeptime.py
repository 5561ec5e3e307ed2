"""The sleep-time agents of an agent: when they are called, and what they did; and whom it tends itself."""

from typing import Any, ClassVar, Self

from django import forms
from django.utils.translation import gettext_lazy as _

from ade.panels.base import Panel
from ade.tending import Tending, tending

LARGEST_FREQUENCY = 100_000
LONGEST_IDLE_S = 30 * 24 * 3600


class SleeptimeForm(forms.Form):
    """When the sleep-time agents are called. ``changes`` is what ``actions.groups.modify`` takes."""

    enabled = forms.BooleanField(required=False)
    frequency = forms.IntegerField(
        min_value=1,
        max_value=LARGEST_FREQUENCY,
        label=_("Every"),
        help_text=_("requests; 1: after each"),
        error_messages={"required": _("Give the number of requests: 1 calls them after each.")},
    )
    idle_s = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=LONGEST_IDLE_S,
        label=_("When idle for"),
        help_text=_("seconds with something they have not seen; empty: not for that"),
    )

    @classmethod
    def of(cls, found: Tending) -> Self:
        group = found.group
        initial = {
            "enabled": found.agent.enable_sleeptime,
            "frequency": (group.sleeptime_agent_frequency if group else None) or 1,
            "idle_s": group.sleeptime_idle_s if group else None,
        }
        return cls(initial=initial)

    def changes(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {"sleeptime_agent_frequency": data["frequency"], "sleeptime_idle_s": data["idle_s"]}


class SleeptimePanel(Panel):
    """The runs in it are other agents', whose events do not come here: the page asks for them from time to time."""

    slug = "sleeptime"
    title = "Sleep-time"
    follows: ClassVar = frozenset({"agent.changed", "group.changed", "sleeptime.called", "run.ended"})

    def context(self) -> dict[str, Any]:
        found = tending(self.agent)
        return {"tending": found, "form": SleeptimeForm.of(found)}
