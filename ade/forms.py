"""What people fill in."""

import datetime as dt
from typing import Any, Self

from django import forms
from django.utils.translation import gettext_lazy as _

from ade.tool_source import LONGEST_SOURCE
from agents_core.models import Agent, Tool
from agents_core.tools.languages import Language, language

_TOOL_FIELDS = ("return_char_limit", "enable_parallel_execution")


def _split_tags(text: str) -> list[str]:
    return list(dict.fromkeys(tag.strip() for tag in text.split(",") if tag.strip()))


class AgentForm(forms.Form):
    """The settings of an agent that people change most. ``changes`` is what ``actions.agents.modify`` takes."""

    name = forms.CharField(label=_("Name"), max_length=200)
    description = forms.CharField(label=_("Description"), required=False, max_length=2000)
    model = forms.CharField(
        label=_("Model"), max_length=300, help_text=_("provider/model, such as openai/gpt-4o-mini or offline/rules")
    )
    context_window = forms.IntegerField(
        label=_("Context window"),
        min_value=1024,
        max_value=10_000_000,
        help_text=_("tokens; the oldest messages are summarised at 90 %"),
    )
    temperature = forms.FloatField(
        label=_("Temperature"), required=False, min_value=0, max_value=2, help_text=_("empty: the provider's own")
    )
    max_output_tokens = forms.IntegerField(
        label=_("Max output tokens"), required=False, min_value=1, help_text=_("empty: the provider's own")
    )
    system = forms.CharField(widget=forms.Textarea, strip=False, max_length=500_000)
    timezone = forms.CharField(label=_("Timezone"), max_length=100, help_text=_("such as Europe/Lisbon"))
    tags = forms.CharField(label=_("Tags"), required=False, help_text=_("divided by commas"))

    @classmethod
    def of(cls, agent: Agent) -> Self:
        settings = agent.model_settings
        initial = {
            **{
                name: getattr(agent, name)
                for name in ("name", "description", "model", "context_window", "system", "timezone")
            },
            "temperature": settings.get("temperature"),
            "max_output_tokens": settings.get("max_output_tokens"),
            "tags": ", ".join(agent.tags),
        }
        return cls(initial=initial)

    def changes(self) -> dict[str, Any]:
        data = dict(self.cleaned_data)
        settings = {name: data.pop(name) for name in ("temperature", "max_output_tokens")}
        return {
            **data,
            "description": data["description"] or None,
            "tags": _split_tags(data["tags"]),
            "model_settings": settings,
        }


class ToolForm(forms.Form):
    """The editor of a tool. ``version`` is the ``updated_at`` of the tool as it was opened."""

    tool = forms.CharField(required=False, max_length=100)
    version = forms.DateTimeField(required=False)
    source = forms.CharField(required=False, strip=False, max_length=LONGEST_SOURCE)
    source_type = forms.CharField(required=False, max_length=20)
    return_char_limit = forms.IntegerField(min_value=1, max_value=1_000_000)
    enable_parallel_execution = forms.BooleanField(required=False)
    tags = forms.CharField(required=False, max_length=2000)

    @classmethod
    def of(cls, tool: Tool) -> Self:
        initial = {
            **{name: getattr(tool, name) for name in _TOOL_FIELDS},
            "source": tool.source_code or "",
            "source_type": tool.source_type,
            "tags": ", ".join(tool.tags),
        }
        return cls(initial=initial)

    @property
    def text(self) -> str:
        """The source as it was sent, also where the form is not valid."""
        sent = self.data.get("source", "") if self.is_bound else self.initial["source"]
        return str(sent).replace("\r\n", "\n")

    @property
    def written_in(self) -> Language:
        """Raises ``Refused`` for a language that cannot run here."""
        return language(self.data.get("source_type") if self.is_bound else self.initial["source_type"])

    def program(self) -> dict[str, Any]:
        """The source and its language, as ``actions.tools`` takes them."""
        return {"source_code": self.text, "source_type": self.written_in.value}

    def settings(self) -> dict[str, Any]:
        """What can be changed of every tool."""
        data = self.cleaned_data
        return {"return_char_limit": data["return_char_limit"], "tags": _split_tags(data["tags"])}

    def changes(self) -> dict[str, Any]:
        """As ``actions.tools`` takes them, of a tool whose source is here."""
        parallel = self.cleaned_data["enable_parallel_execution"]
        return {**self.settings(), "enable_parallel_execution": parallel, **self.program()}

    def differs(self, tool: Tool) -> bool:
        """Whether saving would change ``tool``."""
        given = self.changes() if tool.source_code else self.settings()
        return any(getattr(tool, name) != value for name, value in given.items())

    def read_at(self) -> dt.datetime | None:
        """The ``updated_at`` of the tool that was opened; None where a client does not tell."""
        version: dt.datetime | None = self.cleaned_data["version"]
        return version

    def told_errors(self) -> str:
        return " ".join(f"{self[name].label}: {' '.join(map(str, errors))}" for name, errors in self.errors.items())
