"""Tools: their list, and the page where one is written, tried, saved and given to agents."""

import json
from typing import Any

from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from ade.forms import ToolForm
from ade.status import sandbox_status
from ade.tool_agent import AgentInputs, block_changes
from ade.tool_cases import cases_context
from ade.tool_environment import environment_context
from ade.tool_history import history_context
from ade.tool_inputs import Inputs
from ade.tool_page import (
    ARRIVES,
    PAGE,
    find_call,
    find_tool,
    holders_told,
    listed_tools,
    live_context,
    offered_agents,
    tool_groups,
)
from ade.tool_source import MODULES, NEW_SOURCES, Reading, Tried, read_source, stored_reading
from agents_core.actions import tools
from agents_core.actions.mock_agent import MockAgent
from agents_core.errors import AgentsError, Conflict, Refused, Unavailable
from agents_core.models import Author, Tool, ToolType
from agents_core.sandbox.base import SandboxUnavailable
from agents_core.tools.execute import own_arguments
from agents_core.tools.languages import Language, language

_PARTIALS = "ade/partials/_tool_"


@require_GET
def tool_list(request: HttpRequest) -> HttpResponse:
    """All tools; ``?q=`` narrows them, ``?page=`` counts from 1."""
    words, number = request.GET.get("q", "").strip(), request.GET.get("page", "1")
    page = max(1, int(number)) if number.isdigit() and len(number) < 6 else 1
    found = list(listed_tools(words)[(page - 1) * PAGE : page * PAGE + 1])
    more = f"page={page + 1}&{urlencode({'q': words})}" if len(found) > PAGE else None
    context = {"tools": found[:PAGE], "words": words, "more": more, "groups": tool_groups()}
    return render(request, "ade/pages/tools.html", context)


@require_GET
def new_tool(request: HttpRequest) -> HttpResponse:
    """The editor on a template, in the language ``?language=``."""
    written_in = language(request.GET.get("language"))
    source = NEW_SOURCES[written_in]
    form = ToolForm.of(Tool(source_code=source, source_type=written_in))
    reading = read_source(source, None, written_in).linted(source)
    return render(request, "ade/pages/tool.html", _page(None, form, reading))


@require_GET
def tool_page(request: HttpRequest, ref: str) -> HttpResponse:
    """The page of a tool, by id or name: the editor, or what can be seen of one that has no source here."""
    tool = find_tool(ref)
    source = tool.source_code or ""
    reading = _reading(tool, source).linted(source) if _is_editable(tool) else stored_reading(tool)
    return render(request, "ade/pages/tool.html", _page(tool, ToolForm.of(tool), reading))


def _is_editable(tool: Tool) -> bool:
    return tool.tool_type == ToolType.CUSTOM and tool.source_code is not None and tool.source_type in set(Language)


def _reading(tool: Tool, source: str) -> Reading:
    return read_source(source, tool, language(tool.source_type))


def _page(tool: Tool | None, form: ToolForm, reading: Reading) -> dict[str, Any]:
    editable = tool is None or _is_editable(tool)
    return {
        **_saved_context(tool),
        "form": form,
        "reading": reading,
        "editable": editable,
        "inputs": Inputs.of(reading.parameters) if editable else None,
        "mock_agent": AgentInputs.of(MockAgent()),
        "unsaved": tool is None,
        "modules": " ".join(MODULES),
        "agents": offered_agents(tool.id) if tool else [],
    }


def _saved_context(tool: Tool | None) -> dict[str, Any]:
    return {
        **live_context(tool),
        **environment_context(tool),
        **cases_context(tool),
        **history_context(tool),
        "groups": tool_groups(),
        "sandbox": sandbox_status(),
        "delete_question": _("Delete {name}? {loss}").format(name=tool.name, loss=holders_told(tool.id))
        if tool
        else "",
    }


@require_POST
def read_editor(request: HttpRequest) -> HttpResponse:
    """What was made out of the text in the editor, as it is typed: name, problems, schema, form, saved or not."""
    tool, form, reading = edited(request)
    readable = reading.name and (tool is None or _is_editable(tool))
    context = {
        "tool": tool,
        "reading": reading.linted(form.text) if tool is None or _is_editable(tool) else reading,
        "editable": tool is None or _is_editable(tool),
        "inputs": Inputs.of_post(reading.parameters, request.POST.dict()) if readable else None,
        "mock_agent": AgentInputs.of_post(request.POST),
        "unsaved": tool is None or not form.is_valid() or form.differs(tool),
        **live_context(tool),
        "oob": True,
    }
    return render(request, f"{_PARTIALS}read.html", context)


def edited(request: HttpRequest) -> tuple[Tool | None, ToolForm, Reading]:
    """The tool whose editor was sent, if it is saved; what was sent; and what was made out of it."""
    form = ToolForm(request.POST)
    tool = Tool.objects.filter(id=request.POST.get("tool", "")).first()
    if tool is None or _is_editable(tool):
        return tool, form, read_source(form.text, tool, form.written_in)
    return tool, form, stored_reading(tool)


@require_POST
def fill_inputs(request: HttpRequest) -> HttpResponse:
    """The form of mock inputs: with a real call (``fill``), a block more or less (``block``), or turned into JSON and back (``mode``)."""
    tool, _, reading = edited(request)
    if "fill" in request.POST:
        inputs, mock_agent = _filled(tool, reading, request.POST["fill"])
    elif "block" in request.POST:
        inputs, mock_agent = _with_rows(reading, request)
    else:
        inputs, mock_agent = _turned(reading, request)
    context = {"inputs": inputs, "mock_agent": mock_agent, "reading": reading, **live_context(tool)}
    return render(request, f"{_PARTIALS}inputs.html", context)


def _filled(tool: Tool | None, reading: Reading, call_id: str) -> tuple[Inputs, AgentInputs]:
    call = find_call(tool.name if tool else "", call_id)
    return Inputs.of(reading.parameters, own_arguments(call.arguments)), AgentInputs.of_caller(call.agent_id)


def _sent(reading: Reading, request: HttpRequest) -> tuple[Inputs, AgentInputs]:
    return Inputs.of_post(reading.parameters, request.POST.dict()), AgentInputs.of_post(request.POST)


def _with_rows(reading: Reading, request: HttpRequest) -> tuple[Inputs, AgentInputs]:
    (inputs, mock_agent), place = _sent(reading, request), request.POST["block"]
    return inputs, mock_agent.with_row() if place == "new" else mock_agent.without_row(place)


def _turned(reading: Reading, request: HttpRequest) -> tuple[Inputs, AgentInputs]:
    """Both or neither: what is wrong is mended where it was written."""
    inputs, mock_agent = _sent(reading, request)
    agent_is_wrong = bool(reading.injected) and mock_agent.agent() is None
    if inputs.arguments() is None or agent_is_wrong:
        return inputs, mock_agent
    if request.POST.get("mode") == "json":
        return inputs.as_raw(), mock_agent.as_raw()
    return inputs.as_form(reading.parameters), mock_agent.as_form()


@require_POST
def run_tool(request: HttpRequest) -> HttpResponse:
    """Runs the text in the editor, saved or not, with the mock inputs, step by step with ``record``; gives the result pane."""
    tool, form, reading = edited(request)
    if not reading.name:
        refusal = {"title": _("There is nothing to run"), "cause": reading.problems[0].message}
        return render(request, f"{_PARTIALS}result.html", {"refusal": refusal, "reading": reading})
    inputs, mock_agent = _sent(reading, request)
    arguments, agent = inputs.arguments(), mock_agent.agent() if reading.injected else MockAgent()
    context = {"inputs": inputs, "mock_agent": mock_agent, "reading": reading, **live_context(tool), "oob": True}
    if arguments is None or agent is None:
        response = render(request, f"{_PARTIALS}inputs.html", context)
        response["HX-Reswap"] = "none"
        return response
    tried = _tried(tool, form, reading, arguments, agent, record="record" in request.POST)
    return render(request, f"{_PARTIALS}ran.html", {**context, **tried})


def _tried(
    tool: Tool | None, form: ToolForm, reading: Reading, arguments: dict[str, Any], agent: MockAgent, *, record: bool
) -> dict[str, Any]:
    fields = {"name": reading.name, **form.program()}
    try:
        outcome = async_to_sync(tools.run_once)(fields, arguments, {}, of=tool, agent=agent.told(), record=record)
    except SandboxUnavailable:
        status = sandbox_status()
        return {"refusal": {"title": _("No sandbox on this machine"), "cause": status.reason, "remedy": status.advice}}
    except (Unavailable, Refused) as refusal:
        return {"refusal": {"title": _("It cannot run now"), "cause": refusal.message}}
    limit = form.cleaned_data["return_char_limit"] if form.is_valid() else Tool().return_char_limit
    return {"tried": Tried(reading.name, outcome, limit, record), "block_changes": block_changes(agent, outcome)}


@require_POST
def save_tool(request: HttpRequest) -> HttpResponse:
    """Makes a tool of what is in the editor, or changes it; gives what the page knows of the saved one."""
    tool, form, reading = edited(request)
    if not form.is_valid():
        notice = {"title": _("Not saved"), "text": form.told_errors()}
        return _refused(request, {"form": form, "notice": notice, "tool": tool, "settings": True})
    try:
        saved = _save(request, tool, form)
    except Conflict as conflict:
        return _refused(request, {"notice": _conflict_notice(conflict, tool, reading)})
    except AgentsError as error:
        return _refused(request, {"notice": {"title": _("Not saved"), "text": error.message}})
    shown = ToolForm.of(saved)
    context = {**_page(saved, shown, _reading(saved, saved.source_code or "")), "oob": True}
    response = render(request, f"{_PARTIALS}saved.html", context)
    response["X-Panel"], response["HX-Replace-Url"] = ARRIVES, f"/tools/{saved.id}"
    response["HX-Trigger"] = json.dumps({"toast": {"text": _saved_text(tool, saved), "tone": "ok"}})
    response["HX-Trigger-After-Settle"] = (
        "tool-saved"  # The editor is read anew: an answer from before the save is late now.
    )
    return response


def _save(request: HttpRequest, tool: Tool | None, form: ToolForm) -> Tool:
    if tool is None:
        made = tools.upsert(form.changes(), strict="overwrite" not in request.POST, author=Author.PERSON)
        return tools.get(made.id)
    changes = form.changes() if _is_editable(tool) else form.settings()
    read_at = None if "overwrite" in request.POST else form.read_at()
    return tools.modify(tool.id, changes, read_at=read_at, author=Author.PERSON)


def _saved_text(before: Tool | None, saved: Tool) -> str:
    return (
        _("Renamed to {name} and saved").format(name=saved.name)
        if before and before.name != saved.name
        else _("{name} is saved").format(name=saved.name)
    )


def _conflict_notice(conflict: Conflict, tool: Tool | None, reading: Reading) -> dict[str, Any]:
    notice = {"title": _("Not saved"), "text": conflict.message, "overwrite": True}
    if tool:
        return {**notice, "see": f"/tools/{tool.id}", "see_label": _("Show theirs in a new tab")}
    there = find_tool(reading.name)
    advice = _("Name the function differently, or replace that tool.")
    text = f"{conflict.message} {advice}"
    return {**notice, "text": text, "see": f"/tools/{there.id}", "see_label": _("Open it in a new tab")}


def _refused(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """422 is swapped in, and tells the editor to keep its draft."""
    return render(request, f"{_PARTIALS}refused.html", {**context, "oob": True}, status=422)


@require_POST
def delete_tool(request: HttpRequest, tool_id: str) -> HttpResponse:
    tools.delete(tool_id)
    return HttpResponse(status=204, headers={"HX-Redirect": "/tools"})


@require_GET
def agents_of_tool(request: HttpRequest, tool_id: str) -> HttpResponse:
    """The agents that hold the tool or could; ``?q=`` narrows them by name."""
    return _agents(request, tools.get(tool_id), request.GET.get("q", ""))


@require_POST
def attach(request: HttpRequest, tool_id: str, agent_id: str) -> HttpResponse:
    tools.attach(agent_id, tool_id)
    return _agents(request, tools.get(tool_id), request.POST.get("q", ""), changed=True)


@require_POST
def detach(request: HttpRequest, tool_id: str, agent_id: str) -> HttpResponse:
    tools.detach(agent_id, tool_id)
    return _agents(request, tools.get(tool_id), request.POST.get("q", ""), changed=True)


def _agents(request: HttpRequest, tool: Tool, words: str, *, changed: bool = False) -> HttpResponse:
    context = {
        "agents": offered_agents(tool.id, words.strip()),
        "changed": changed,
        **live_context(tool),
        "oob": changed,
    }
    return render(request, f"{_PARTIALS}agents.html", context)
