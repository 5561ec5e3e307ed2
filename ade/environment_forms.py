"""What people fill in of the environment that a tool's code runs in."""

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from agents_core.actions.tool_environment import LONGEST_VALUE, checked_hosts
from agents_core.errors import Refused
from agents_core.models import Tool
from agents_core.tools.requirements import requirements_of, stored_requirements

_LONGEST_TEXT = 20_000


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


class RequirementsForm(forms.Form):
    """``version`` is the ``updated_at`` of the tool as it was opened."""

    requirements = forms.CharField(
        label=_("Requirements"),
        required=False,
        max_length=_LONGEST_TEXT,
        widget=forms.Textarea,
        help_text=_("one a line, such as requests or httpx[http2]>=0.27,<1; wheels of the package index only"),
    )
    version = forms.DateTimeField(required=False)

    @classmethod
    def of(cls, tool: Tool) -> "RequirementsForm":
        """Those that are none are shown as they are stored."""
        try:
            shown = list(requirements_of(tool.pip_requirements))
        except Refused:
            shown = [f"{one.get('name')} {one.get('version') or ''}".strip() for one in tool.pip_requirements]
        return cls(initial={"requirements": "\n".join(shown)})

    def clean_requirements(self) -> list[dict[str, Any]]:
        try:
            stored = stored_requirements(_lines(self.cleaned_data["requirements"]))
            requirements_of(stored)
        except Refused as refused:
            raise forms.ValidationError(refused.message) from None
        return stored

    def changes(self) -> dict[str, Any]:
        """As ``actions.tools.modify`` takes them."""
        return {"pip_requirements": self.cleaned_data["requirements"]}

    def read_at(self) -> dt.datetime | None:
        version: dt.datetime | None = self.cleaned_data["version"]
        return version


class HostsForm(forms.Form):
    """``version`` is as in ``RequirementsForm``."""

    hosts = forms.CharField(
        label=_("Hosts"),
        required=False,
        max_length=_LONGEST_TEXT,
        widget=forms.Textarea,
        help_text=_("one name a line, such as api.example.com or *.example.com; none: no network"),
    )
    version = forms.DateTimeField(required=False)

    @classmethod
    def of(cls, tool: Tool) -> "HostsForm":
        return cls(initial={"hosts": "\n".join(tool.hosts)})

    def clean_hosts(self) -> list[str]:
        try:
            return checked_hosts(_lines(self.cleaned_data["hosts"]))
        except Refused as refused:
            raise forms.ValidationError(refused.message) from None

    def changes(self) -> dict[str, Any]:
        """As ``actions.tools.modify`` takes them."""
        return {"hosts": self.cleaned_data["hosts"]}

    def read_at(self) -> dt.datetime | None:
        version: dt.datetime | None = self.cleaned_data["version"]
        return version


class AgentVariableForm(forms.Form):
    """All variables of agents are secrets."""

    key = forms.CharField(label=_("Name"), max_length=100, help_text=_("letters, digits and _, such as API_KEY"))
    value = forms.CharField(label=_("Value"), required=False, strip=False, max_length=LONGEST_VALUE)

    @property
    def text(self) -> str:
        """The value, with the line ends that it was typed with."""
        return str(self.cleaned_data["value"]).replace("\r\n", "\n")


class VariableForm(AgentVariableForm):
    """A variable of a tool."""

    secret = forms.BooleanField(required=False, initial=True)
