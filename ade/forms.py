"""What people fill in."""

from typing import Any, Self

from django import forms

from agents_core.models import Agent


def _split_tags(text: str) -> list[str]:
    return list(dict.fromkeys(tag.strip() for tag in text.split(",") if tag.strip()))


class AgentForm(forms.Form):
    """The settings of an agent that people change most. ``changes`` is what ``actions.agents.modify`` takes."""

    name = forms.CharField(max_length=200)
    description = forms.CharField(required=False, max_length=2000)
    model = forms.CharField(max_length=300, help_text="provider/model, such as openai/gpt-4o-mini or offline/rules")
    context_window = forms.IntegerField(
        min_value=1024, max_value=10_000_000, help_text="tokens; the oldest messages are summarised at 90 %"
    )
    temperature = forms.FloatField(required=False, min_value=0, max_value=2, help_text="empty: the provider's own")
    max_output_tokens = forms.IntegerField(required=False, min_value=1, help_text="empty: the provider's own")
    system = forms.CharField(widget=forms.Textarea, strip=False, max_length=500_000)
    timezone = forms.CharField(max_length=100, help_text="such as Europe/Lisbon")
    tags = forms.CharField(required=False, help_text="divided by commas")

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
