"""What a person sets of an agent, and has it do by that: compact, wait for a time, begin a conversation."""

import json
from typing import Any

from asgiref.sync import async_to_sync
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ade.agent_forms import BudgetsForm, CompactionForm, ConversationForm, RuleForm, ScheduleForm
from ade.environment_forms import AgentVariableForm
from ade.forms import AgentForm
from ade.panels.settings import SettingsPanel, tool_names
from ade.rule_words import rule_key
from ade.views.blocks import toast
from agents_core.actions import agent_variables, agents, compaction, conversations, deletions, schedules, tools
from agents_core.actions.messages import Input
from agents_core.actions.model_choice import check_handle
from agents_core.errors import NotFound, Refused
from agents_core.models import Agent, Author, Conversation, new_id


@require_POST
def save_model(request: HttpRequest, agent_id: str) -> HttpResponse:
    agent, form = agents.get(agent_id), AgentForm(request.POST)
    if form.is_valid():
        agents.modify(agent_id, form.changes(), Author.PERSON)
    return _answer(request, agent, "model", form)


@require_POST
def save_compaction(request: HttpRequest, agent_id: str) -> HttpResponse:
    agent, form = agents.get(agent_id), CompactionForm(request.POST)
    if form.is_valid():
        changes = form.changes(agent)
        if changes.get("model"):
            check_handle(changes["model"])
        agents.modify(agent_id, {"compaction_settings": changes}, Author.PERSON)
    return _answer(request, agent, "compaction", form)


@require_POST
def save_budgets(request: HttpRequest, agent_id: str) -> HttpResponse:
    agent, form = agents.get(agent_id), BudgetsForm(request.POST)
    if form.is_valid():
        agents.modify(agent_id, {"budgets": form.changes()}, Author.PERSON)
    return _answer(request, agent, "budgets", form)


@require_POST
def add_rule(request: HttpRequest, agent_id: str) -> HttpResponse:
    agent = agents.get(agent_id)
    form = RuleForm(request.POST, names=tool_names(agent))
    if form.is_valid():
        tools.add_rule(agent_id, form.rule())
    return _answer(request, agent, "rules", form, _("The rule holds from the next step on."))


@require_POST
def remove_rule(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Takes away the rule that is ``rule`` as JSON."""
    key = request.POST.get("rule", "")
    rule = next((each for each in agents.get(agent_id).tool_rules if rule_key(each) == key), None)
    if rule is None:
        raise NotFound(_("The agent has no such rule: somebody took it away before."))
    tools.remove_rule(agent_id, rule)
    return HttpResponse(status=204)


@require_POST
def set_variable(request: HttpRequest, agent_id: str) -> HttpResponse:
    agent, form = agents.get(agent_id), AgentVariableForm(request.POST)
    if form.is_valid():
        try:
            agent_variables.set_agent_variable(agent_id, form.cleaned_data["key"], form.text)
        except Refused as refused:
            form.add_error(None, refused.message)
    return _answer(request, agent, "variables", form, _("Its tools get it from their next call on."))


@require_POST
def remove_variable(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Takes away the variable named ``key``."""
    agent_variables.remove_agent_variable(agent_id, request.POST.get("key", ""))
    return HttpResponse(status=204)


@require_POST
def compact(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Queues a compaction of the agent's own thread; the trace shows it."""
    async_to_sync(compaction.queue_compaction)(agent_id, None, {}, new_id("run"))
    return HttpResponse(status=204, headers=toast(_("The context is compacted after the runs that wait before.")))


@require_POST
def recompile(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Compiles the prompt anew, for an agent that else waits for a compaction."""
    agents.recompile_prompt(agent_id)
    return HttpResponse(status=204, headers=toast(_("The next step sees memory as it is now.")))


@require_POST
def add_schedule(request: HttpRequest, agent_id: str) -> HttpResponse:
    agent, form = agents.get(agent_id), ScheduleForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        message = Input(given["role"], [{"type": "text", "text": given["text"].replace("\r\n", "\n")}])
        schedules.create(agent_id, [message], **form.when(agent.timezone))
    return _answer(request, agent, "schedules", form, _("Scheduled."))


@require_POST
def delete_schedule(request: HttpRequest, agent_id: str, schedule_id: str) -> HttpResponse:
    schedules.delete(agent_id, schedule_id)
    return HttpResponse(status=204)


@require_POST
def add_conversation(request: HttpRequest, agent_id: str) -> HttpResponse:
    agent, form = agents.get(agent_id), ConversationForm(request.POST)
    if form.is_valid():
        fields = {name: value or None for name, value in form.cleaned_data.items()}
        conversations.create(agent_id, **fields)
    return _answer(request, agent, "conversations", form, _("It has begun: open it to talk there."))


@require_POST
def delete_conversation(request: HttpRequest, agent_id: str, conversation_id: str) -> HttpResponse:
    if not Conversation.objects.filter(agent=agent_id, id=conversation_id).exists():
        raise NotFound(_("The agent has no conversation {conversation_id}.").format(conversation_id=conversation_id))
    deletions.delete_conversation(conversation_id)
    return HttpResponse(status=204)


def _answer(request: HttpRequest, agent: Agent, section: str, form: Form, text: str = "") -> HttpResponse:
    """The section as it is now; where something is wrong, as it was sent, with what is wrong beside it."""
    told: dict[str, Any] = {} if form.is_valid() else {"form": form}
    panel = SettingsPanel(agents.get(agent.id), {"section": section})
    response = render(request, panel.template, {**panel.full_context(), **told}, status=422 if told else 200)
    if not told:
        response["HX-Trigger"] = json.dumps({"toast": {"text": text or _("Saved"), "tone": "ok"}})
    return response
