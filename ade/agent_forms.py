"""What people fill in of an agent beside its model: compaction, budgets, tool rules, schedules, conversations."""

import json
from collections.abc import Mapping
from typing import Any, Self
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from agents_core.actions.budgets import BUDGETS
from agents_core.models import Agent
from agents_core.runtime import compaction_settings
from agents_core.runtime.compaction_settings import CompactionSettings
from agents_core.runtime.repeats import MAX_REPEATED_CALLS

_MOST = 10**12
_LONGEST_TEXT = 500_000


class CompactionForm(forms.Form):
    """``changes`` is what ``compaction_settings`` has to be merged with: only what is other than it was."""

    mode = forms.ChoiceField(
        label=gettext_lazy("Who leaves, who summarises"),
        choices=[
            (compaction_settings.SLIDING, gettext_lazy("the oldest messages leave; a summariser writes")),
            (compaction_settings.ALL, gettext_lazy("all messages leave; a summariser writes")),
            (compaction_settings.SELF_SLIDING, gettext_lazy("the oldest messages leave; the agent writes")),
            (compaction_settings.SELF_ALL, gettext_lazy("all messages leave; the agent writes")),
        ],
    )
    percent = forms.FloatField(
        label=gettext_lazy("Share that leaves"),
        min_value=1,
        max_value=99,
        help_text=gettext_lazy(
            "percent of the messages at least, and of the window that is free afterwards; where the oldest leave"
        ),
    )
    model = forms.CharField(
        label=gettext_lazy("Summariser"),
        required=False,
        max_length=300,
        help_text=gettext_lazy("provider/model; empty: the agent's own model"),
    )
    clip_chars = forms.IntegerField(
        label=gettext_lazy("Longest summary"),
        required=False,
        min_value=1,
        max_value=_MOST,
        help_text=gettext_lazy("characters; empty: no limit"),
    )
    prompt = forms.CharField(
        label=gettext_lazy("What a summary has to keep"),
        required=False,
        widget=forms.Textarea,
        max_length=_LONGEST_TEXT,
        help_text=gettext_lazy("empty: our own words"),
    )
    recompile = forms.ChoiceField(
        label=gettext_lazy("A change of memory is seen"),
        choices=[
            (compaction_settings.IMMEDIATE, gettext_lazy("in the next step")),
            (
                compaction_settings.AT_COMPACTION,
                gettext_lazy("after the next compaction: keeps the provider's prompt cache"),
            ),
        ],
    )

    @classmethod
    def of(cls, agent: Agent) -> Self:
        return cls(initial=cls._shown(agent))

    @staticmethod
    def _shown(agent: Agent) -> dict[str, Any]:
        shown = CompactionSettings.of(agent.compaction_settings).shown
        return {**shown, "percent": _plain(round(100 * shown["sliding_window_percentage"], 2))}

    def changes(self, agent: Agent) -> dict[str, Any]:
        before = self._shown(agent)
        data = {**self.cleaned_data, "model": self.cleaned_data["model"] or None}
        data["prompt"] = self.cleaned_data["prompt"].replace("\r\n", "\n") or None
        changed = {name: value for name, value in data.items() if value != before[name]}
        if "percent" in changed:
            changed["sliding_window_percentage"] = changed.pop("percent") / 100
        # Another mode would bring the prompt back to our own words, which is not what the form shows.
        return {**changed, "prompt": data["prompt"]} if "mode" in changed else changed


_BUDGETS: Mapping[str, tuple[str, str]] = {
    "max_run_s": (gettext_noop("Time of a run"), gettext_noop("seconds")),
    "max_run_tokens": (gettext_noop("Tokens of a run"), gettext_noop("tokens in and out")),
    "max_run_cost_usd": (gettext_noop("Cost of a run"), gettext_noop("US dollars, where the price is known")),
    "max_day_tokens": (gettext_noop("Tokens in 24 hours"), gettext_noop("tokens in and out, of all runs")),
    "max_day_cost_usd": (gettext_noop("Cost in 24 hours"), gettext_noop("US dollars, of all runs")),
    "max_repeated_calls": (
        gettext_noop("Same call, same result"),
        gettext_noop("times in a run, from 2 on; 0: no limit; empty: {most}"),
    ),
}


def _budget_field(name: str) -> forms.Field:
    label, unit = _BUDGETS[name]
    told = _(unit).format(most=MAX_REPEATED_CALLS)
    facts: dict[str, Any] = {"label": _(label), "help_text": told, "required": False, "max_value": _MOST}
    if name.endswith(("_s", "_usd")):
        wrong = {"min_value": _("Write a number above 0.")}
        return forms.FloatField(min_value=0.000001, error_messages=wrong, **facts)
    return forms.IntegerField(min_value=0 if name == "max_repeated_calls" else 1, **facts)


class BudgetsForm(forms.Form):
    """One field for each of ``BUDGETS``; an empty one is no budget. ``changes`` is what ``budgets`` is merged with."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.update({name: _budget_field(name) for name in BUDGETS})

    @classmethod
    def of(cls, agent: Agent) -> Self:
        return cls(initial={name: _plain(value) for name, value in agent.budgets.items()})

    def clean(self) -> dict[str, Any]:
        if self.cleaned_data.get("max_repeated_calls") == 1:
            self.add_error("max_repeated_calls", _("Every call is made once: 2 is the least, 0 is no limit."))
        return self.cleaned_data

    def changes(self) -> dict[str, Any]:
        return dict(self.cleaned_data)


def _plain(value: float | None) -> float | int | None:
    """60.0 as 60, as a person would write it."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


_RULES = {
    "requires_approval": gettext_lazy("waits for a person before each call"),
    "run_first": gettext_lazy("is called before any other"),
    "exit_loop": gettext_lazy("ends the turn"),
    "continue_loop": gettext_lazy("goes on after it"),
    "max_count_per_step": gettext_lazy("may be called only so often in a turn"),
    "required_before_exit": gettext_lazy("has to be called before the turn ends"),
    "constrain_child_tools": gettext_lazy("is followed only by …"),
    "parent_last_tool": gettext_lazy("is what … may follow only"),
    "conditional": gettext_lazy("decides by its result what follows"),
}


class RuleForm(forms.Form):
    """A new tool rule of an agent that has the tools ``names``."""

    tool_name = forms.ChoiceField(label=gettext_lazy("Tool"))
    type = forms.ChoiceField(label=gettext_lazy("Rule"), choices=list(_RULES.items()))
    max_count_limit = forms.IntegerField(
        label=gettext_lazy("Times"), required=False, min_value=1, max_value=10_000, initial=1
    )
    children = forms.MultipleChoiceField(label=gettext_lazy("Tools"), required=False)
    child_output_mapping = forms.CharField(
        label=gettext_lazy("Result → tool"),
        required=False,
        widget=forms.Textarea,
        max_length=20_000,
        help_text='JSON: {"yes": "send_mail", "no": "ask_again"}',
    )
    default_child = forms.ChoiceField(label=gettext_lazy("Else"), required=False)

    def __init__(self, *args: Any, names: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(name, name) for name in names]
        for field in ("tool_name", "children"):
            self.fields[field].choices = choices  # type: ignore[attr-defined]
        self.fields["default_child"].choices = [("", _("any tool")), *choices]  # type: ignore[attr-defined]
        self._names = names

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        match data.get("type"):
            case "max_count_per_step" if data.get("max_count_limit") is None and "max_count_limit" not in self.errors:
                self.add_error("max_count_limit", _("Say how often."))
            case "constrain_child_tools" | "parent_last_tool" if not data.get("children"):
                self.add_error("children", _("Choose at least one tool."))
            case "conditional" if "child_output_mapping" not in self.errors:
                self._clean_mapping(data)
        return data

    def _clean_mapping(self, data: dict[str, Any]) -> None:
        try:
            mapping = json.loads(data.get("child_output_mapping") or "")
            "".join(mapping).encode()  # half of a character cannot be stored
        except (ValueError, RecursionError, TypeError):
            mapping = None
        if not isinstance(mapping, dict) or not mapping or "\x00" in "".join(mapping):
            self.add_error("child_output_mapping", _('Write an object, such as {"yes": "send_mail"}.'))
        elif unknown := [each for each in mapping.values() if each not in self._names]:
            self.add_error(
                "child_output_mapping", _("The agent has no tool {unknown!r}.").format(unknown=str(unknown[0])[:100])
            )
        else:
            data["child_output_mapping"] = mapping

    def rule(self) -> dict[str, Any]:
        data = self.cleaned_data
        needs = {
            "max_count_per_step": ("max_count_limit",),
            "constrain_child_tools": ("children",),
            "parent_last_tool": ("children",),
            "conditional": ("child_output_mapping",),
        }.get(data["type"], ())
        rule = {name: data[name] for name in ("type", "tool_name", *needs)}
        has_default = data["type"] == "conditional" and data["default_child"]
        return {**rule, "default_child": data["default_child"]} if has_default else rule


class ScheduleForm(forms.Form):
    """A message that an agent gets later. ``at`` and ``cron`` are in the time zone of the agent."""

    text = forms.CharField(label=gettext_lazy("Message"), widget=forms.Textarea, max_length=100_000)
    role = forms.ChoiceField(
        label=gettext_lazy("As"), choices=[("user", gettext_lazy("user")), ("system", gettext_lazy("system"))]
    )
    repeats = forms.ChoiceField(
        label=gettext_lazy("When"), choices=[("once", gettext_lazy("once")), ("cron", gettext_lazy("again and again"))]
    )
    at = forms.DateTimeField(
        label=gettext_lazy("At"),
        required=False,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    )
    cron = forms.CharField(
        label=gettext_lazy("Cron"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("minute hour day month weekday, such as 0 9 * * 1-5"),
    )

    def clean(self) -> dict[str, Any]:
        needed = "cron" if self.cleaned_data.get("repeats") == "cron" else "at"
        if not self.cleaned_data.get(needed) and needed not in self.errors:
            self.add_error(needed, _("Say when."))
        return self.cleaned_data

    def when(self, zone: str) -> dict[str, Any]:
        """As ``actions.schedules.create`` takes it."""
        data = self.cleaned_data
        if data["repeats"] == "cron":
            return {"cron": data["cron"]}
        return {"at": data["at"].replace(tzinfo=ZoneInfo(zone))}


class ConversationForm(forms.Form):
    summary = forms.CharField(label=gettext_lazy("About"), required=False, max_length=2000)
    model = forms.CharField(
        label=gettext_lazy("Model"),
        required=False,
        max_length=300,
        help_text=gettext_lazy("provider/model; empty: the agent's own"),
    )
