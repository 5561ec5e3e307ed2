"""An agent's settings, a section at a time: model, compaction, budgets, tool rules, variables, schedules, conversations."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, F, Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ade.agent_forms import BudgetsForm, CompactionForm, ConversationForm, RuleForm, ScheduleForm
from ade.environment_forms import AgentVariableForm
from ade.forms import AgentForm
from ade.fragments import Fragment
from ade.panels.base import Panel
from ade.rule_words import rule_views
from ade.views.handles import model_handles
from agents_core.events.types import StoredEvent
from agents_core.models import Agent, Conversation, Eviction, Run, Schedule, Step, StepKind
from agents_core.runtime.context import COMPACT_AT

LISTED = 100
"""Schedules or conversations that are drawn at once."""


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """Messages that are sent later. ``status``: how the run of the last time is, "" before there was one."""

    schedule: Schedule
    text: str
    status: str

    @property
    def dom_id(self) -> str:
        return f"schedule-{self.schedule.id}"


class SettingsPanel(Panel):
    """``params``: ``section`` is one of ``SECTIONS``."""

    slug = "settings"
    title = gettext_noop("Settings")

    @property
    def section(self) -> str:
        asked = self.params.get("section", "")
        return asked if asked in SECTIONS else next(iter(SECTIONS))

    def context(self) -> dict[str, Any]:
        chosen = SECTIONS[self.section]
        return {
            "sections": {name: _(each.title) for name, each in SECTIONS.items()},
            "section": self.section,
            "template": f"ade/partials/_settings_{self.section}.html",
            "params": urlencode({"section": self.params["section"]}) if self.params.get("section") else "",
            **chosen.facts(self.agent),
        }

    def fragments(self, events: Sequence[StoredEvent]) -> list[Fragment]:
        follows = {"agent.changed", *SECTIONS[self.section].follows}
        return [self.whole()] if any(event.event.type in follows for event in events) else []


def _model(agent: Agent) -> dict[str, Any]:
    return {"form": AgentForm.of(agent), "handles": model_handles()}


def _compaction(agent: Agent) -> dict[str, Any]:
    recorded = Step.objects.filter(agent=agent, conversation=None, kind=StepKind.AGENT, request_digest__isnull=False)
    return {
        "form": CompactionForm.of(agent),
        "handles": model_handles(),
        "percent": round(100 * COMPACT_AT),
        "threshold_tokens": round(agent.context_window * COMPACT_AT),
        "used": recorded.order_by("-number").values_list("estimated_tokens", flat=True).first(),
        "last": Eviction.objects.filter(agent=agent).order_by("-id").first(),
        "compactions": Eviction.objects.filter(agent=agent).count(),
    }


def _budgets(agent: Agent) -> dict[str, Any]:
    recent = Step.objects.filter(agent=agent, started_at__gt=timezone.now() - timedelta(days=1))
    spent = recent.aggregate(tokens=Sum(F("prompt_tokens") + F("completion_tokens")), cost=Sum("cost_usd"))
    return {"form": BudgetsForm.of(agent), "spent": spent}


def _variables(agent: Agent) -> dict[str, Any]:
    return {"form": AgentVariableForm(), "keys": list(agent.variables.order_by("key").values_list("key", flat=True))}


def tool_names(agent: Agent) -> list[str]:
    return list(agent.tools.order_by("name").values_list("name", flat=True))


def _rules(agent: Agent) -> dict[str, Any]:
    return {"form": RuleForm(names=tool_names(agent)), "rules": rule_views(agent.tool_rules)}


def _schedules(agent: Agent) -> dict[str, Any]:
    rows = list(agent.schedules.order_by(F("next_at").asc(nulls_last=True), "-created_at", "id")[:LISTED])
    statuses = dict(Run.objects.filter(id__in=[row.last_run_id for row in rows]).values_list("id", "status"))
    views = [ScheduleView(row, _text(row.messages), statuses.get(row.last_run_id or "", "")) for row in rows]
    return {"form": ScheduleForm(), "schedules": views}


def _text(messages: Sequence[Mapping[str, Any]]) -> str:
    return " ".join(part["text"] for message in messages for part in message["content"] if part["type"] == "text")


def _conversations(agent: Agent) -> dict[str, Any]:
    rows = Conversation.objects.filter(agent=agent).annotate(messages_count=Count("messages"))
    recent = rows.order_by(F("last_message_at").desc(nulls_last=True), "-created_at", "id")
    return {"form": ConversationForm(), "handles": model_handles(), "conversations": recent[:LISTED]}


@dataclass(frozen=True, slots=True)
class Section:
    """``facts``: what its template needs. ``follows``: events after which it is drawn anew, besides changes of the agent."""

    title: str
    facts: Callable[[Agent], dict[str, Any]]
    follows: frozenset[str] = frozenset()


_RUN = frozenset({"run.created", "run.started", "run.ended"})

SECTIONS: Mapping[str, Section] = {
    "model": Section(gettext_noop("Model and instructions"), _model),
    "compaction": Section(gettext_noop("Compaction"), _compaction, frozenset({"context.compacted", "step.ended"})),
    "budgets": Section(gettext_noop("Budgets"), _budgets, frozenset({"step.ended"})),
    "rules": Section(gettext_noop("Tool rules"), _rules),
    "variables": Section(gettext_noop("Variables"), _variables),
    "schedules": Section(gettext_noop("Schedules"), _schedules, _RUN),
    "conversations": Section(gettext_noop("Conversations"), _conversations, _RUN | {"message.created"}),
}
