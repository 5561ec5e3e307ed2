"""The cases of a tool: written, run on the text in the editor, and taken away."""

import json
from typing import Any

from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from ade.forms import ToolForm
from ade.tool_agent import AgentInputs
from ade.tool_cases import CaseForm, CaseRow, cases_context, told_json
from ade.tool_inputs import Inputs
from ade.tool_page import ARRIVES, find_call, live_context
from ade.tool_source import Reading, read_source
from ade.views.tools import edited
from agents_core.actions import tool_cases, tools
from agents_core.actions.mock_agent import MockAgent
from agents_core.errors import AgentsError, Refused
from agents_core.models import Tool
from agents_core.tools.clues import clues
from agents_core.tools.execute import own_arguments
from agents_core.tools.probe import LIMITS, Probed, probe

_PARTIALS = "ade/partials/_tool_"


@require_POST
def propose_case(request: HttpRequest) -> HttpResponse:
    """The form of a new case: of the mock inputs, or of the call ``call``, with what the editor's text gives for it now."""
    tool, form, reading = edited(request)
    try:
        if tool is None:
            raise Refused(_("Save the tool first: its cases are kept with it."))
        arguments = _arguments(request, tool, reading)
        fields, caller = _fields(tool, reading.name, form), MockAgent().told()
        outcome = async_to_sync(tools.run_once)(fields, arguments, {}, of=tool, agent=caller)
    except AgentsError as error:
        return render(request, f"{_PARTIALS}case_form.html", {"tool": tool, "trouble": error.message})
    return render(request, f"{_PARTIALS}case_form.html", {"tool": tool, "form": CaseForm.proposing(arguments, outcome)})


def _fields(tool: Tool | None, name: str, form: ToolForm) -> dict[str, Any]:
    """The tool with the form's source, as ``tools.run_once`` takes it."""
    kept = {"name": tool.name} if tool else {}
    return {**kept, **form.program(), **({"name": name} if name else {})}


def _arguments(request: HttpRequest, tool: Tool, reading: Reading) -> dict[str, Any]:
    """Raises ``NotFound`` for a call that is gone, ``InvalidInput`` for mock inputs that are wrong."""
    if "call" in request.POST:
        return own_arguments(find_call(tool.name, request.POST["call"]).arguments)
    return Inputs.of_post(reading.parameters, request.POST.dict()).meant()


@require_POST
def probe_tool(request: HttpRequest) -> HttpResponse:
    """Looks for arguments that the schema allows and that break the text in the editor; gives the smallest."""
    tool, form, reading = edited(request)
    if not reading.name:
        return render(request, f"{_PARTIALS}probe.html", {"trouble": reading.problems[0].message})
    fields = _fields(tool, reading.name, form)
    run, caller = async_to_sync(tools.run_once), MockAgent().told()
    known = list(tool.cases.values_list("arguments", flat=True)) if tool else []
    probed = probe(
        lambda arguments: run(fields, arguments, {}, of=tool, agent=caller, limits=LIMITS),
        reading.parameters,
        clues(form.text, form.written_in),
        known,
    )
    return render(request, f"{_PARTIALS}probe.html", {"probed": probed, "example": _told(probed)})


def _told(probed: Probed) -> dict[str, str]:
    """The counter-example as it is shown, and as a form sends it back."""
    if probed.found is None:
        return {}
    arguments = told_json(probed.found.arguments)
    return {"arguments": arguments, "vals": json.dumps({"raw": arguments, "mode": "form"})}


@require_GET
def edit_case(request: HttpRequest, tool_id: str, case_id: int) -> HttpResponse:
    form = CaseForm.of(tool_cases.find(tool_id, case_id))
    return render(request, f"{_PARTIALS}case_form.html", {"tool": tools.get(tool_id), "form": form})


@require_POST
def save_case(request: HttpRequest, tool_id: str) -> HttpResponse:
    """Gives the list of cases; 422 and the form with what is wrong with it."""
    tool, form = tools.get(tool_id), CaseForm(request.POST)
    try:
        if form.is_valid():
            case = tool_cases.save(tool.id, form.wanted(), form.cleaned_data["case"])
            return _listed(request, tool, said=_("{name} is kept").format(name=case.name))
    except AgentsError as error:
        form.add_error(None, error.message)
    response = render(request, f"{_PARTIALS}case_form.html", {"tool": tool, "form": form}, status=422)
    response["HX-Retarget"], response["HX-Reswap"] = "#case-form", "outerHTML"
    return response


def _listed(request: HttpRequest, tool: Tool, said: str) -> HttpResponse:
    context = {**live_context(tool), **cases_context(tool), "editable": True, "oob": True}
    response = render(request, f"{_PARTIALS}cases_changed.html", context)
    response["X-Panel"], response["HX-Trigger"] = ARRIVES, json.dumps({"toast": {"text": said, "tone": "ok"}})
    return response


@require_POST
def delete_case(request: HttpRequest, tool_id: str, case_id: int) -> HttpResponse:
    tool, case = tools.get(tool_id), tool_cases.find(tool_id, case_id)
    tool_cases.delete(tool.id, case.id)
    return _listed(request, tool, said=_("{name} is deleted").format(name=case.name))


@require_POST
def run_case(request: HttpRequest, tool_id: str, case_id: int) -> HttpResponse:
    """Runs the case on the text in the editor, saved or not; gives its card."""
    tool, case = tools.get(tool_id), tool_cases.find(tool_id, case_id)
    form = ToolForm(request.POST) if "source" in request.POST else ToolForm.of(tool)
    fields = _fields(tool, read_source(form.text, tool, form.written_in).name, form)
    ran = async_to_sync(tool_cases.run)(case, fields, tool)
    tool_cases.remember(case, ran, form.text)
    response = render(request, f"{_PARTIALS}case.html", {"tool": tool, "row": CaseRow(case, stale=False)})
    response["HX-Trigger-After-Swap"] = "case-ran"
    return response


@require_GET
def sum_cases(request: HttpRequest, tool_id: str) -> HttpResponse:
    """How many cases passed when they last ran."""
    context = {**cases_context(tools.get(tool_id)), "oob": True}
    return render(request, f"{_PARTIALS}cases_summed.html", context)


@require_POST
def fill_from_case(request: HttpRequest, tool_id: str, case_id: int) -> HttpResponse:
    """The form of mock inputs with the arguments of the case, and the agent that calls cases."""
    tool, _, reading = edited(request)
    inputs = Inputs.of(reading.parameters, tool_cases.find(tool_id, case_id).arguments)
    context = {"inputs": inputs, "mock_agent": AgentInputs.of(MockAgent()), "reading": reading, **live_context(tool)}
    return render(request, f"{_PARTIALS}inputs.html", context)
