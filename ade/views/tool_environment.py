"""The tab "Environment" of a tool's page. Each view gives the section it is about, as it is now."""

import json

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from ade.environment_forms import HostsForm, RequirementsForm, VariableForm
from ade.tool_environment import environment_context
from agents_core.actions import tool_environment, tools
from agents_core.errors import AgentsError
from agents_core.models import Tool

_PARTIALS = "ade/partials/_tool_"
_IMPORTABLE = "packages"
"""The event that has the source read again: what it imports may be there now."""


@require_GET
def packages(request: HttpRequest, tool_id: str) -> HttpResponse:
    """How the installation goes; asked again and again while it runs."""
    tool = tools.get(tool_id)
    response = render(request, f"{_PARTIALS}packages_state.html", _context(tool))
    if tool_environment.packages_of(tool).state == "installed":
        response["HX-Trigger"] = _IMPORTABLE
    return response


@require_POST
def install(request: HttpRequest, tool_id: str) -> HttpResponse:
    """Begins to install what is not there."""
    tool = tools.get(tool_id)
    tool_environment.packages_of(tool).start()
    return render(request, f"{_PARTIALS}packages_state.html", _context(tool))


@require_POST
def remove_unused(request: HttpRequest, tool_id: str) -> HttpResponse:
    """Removes the packages that no tool asks for."""
    count = tool_environment.unused_packages_removed()
    said = (
        ngettext("{count} set of packages removed", "{count} sets of packages removed", count).format(count=count)
        if count
        else _("Every set of packages is in use")
    )
    return _answer(request, "packages", tools.get(tool_id), said)


@require_POST
def save_requirements(request: HttpRequest, tool_id: str) -> HttpResponse:
    return _save(
        request,
        tool_id,
        RequirementsForm(request.POST),
        "packages",
        "requirements_form",
        _("The requirements are saved"),
    )


@require_POST
def save_hosts(request: HttpRequest, tool_id: str) -> HttpResponse:
    return _save(request, tool_id, HostsForm(request.POST), "hosts", "hosts_form", _("The hosts are saved"))


def _save(
    request: HttpRequest, tool_id: str, form: RequirementsForm | HostsForm, section: str, name: str, said: str
) -> HttpResponse:
    tool = tools.get(tool_id)
    if not form.is_valid():
        return _refused(request, section, tool, **{name: form})
    try:
        saved = tools.modify(tool_id, form.changes(), read_at=form.read_at())
    except AgentsError as error:
        return _refused(request, section, tool, **{name: form, "trouble": error.message})
    return _answer(request, section, saved, said)


@require_POST
def set_variable(request: HttpRequest, tool_id: str) -> HttpResponse:
    tool, form = tools.get(tool_id), VariableForm(request.POST)
    if not form.is_valid():
        return _refused(request, "variables", tool, variable_form=form)
    given = form.cleaned_data
    try:
        tool_environment.set_tool_variable(tool_id, given["key"], form.text, secret=given["secret"])
    except AgentsError as error:
        form.add_error(None, error.message)
        return _refused(request, "variables", tool, variable_form=form)
    return _answer(request, "variables", tool, _("{key} is set").format(key=given["key"]))


@require_POST
def remove_variable(request: HttpRequest, tool_id: str) -> HttpResponse:
    """Takes away the variable named ``key``."""
    key = request.POST.get("key", "")
    tool_environment.remove_tool_variable(tool_id, key)
    return _answer(request, "variables", tools.get(tool_id), _("{key} is removed").format(key=key))


def _context(tool: Tool) -> dict[str, object]:
    return {"tool": tool, **environment_context(tool)}


def _answer(request: HttpRequest, section: str, tool: Tool, said: str) -> HttpResponse:
    """The version goes with it: the editor beside would else take this change for somebody else's."""
    response = render(
        request, f"{_PARTIALS}environment_saved.html", {**_context(tool), "section": section, "oob": True}
    )
    response["HX-Trigger"] = json.dumps({"toast": {"text": said, "tone": "ok"}, _IMPORTABLE: None})
    return response


def _refused(request: HttpRequest, section: str, tool: Tool, **told: object) -> HttpResponse:
    """As it was sent, with what is wrong beside it."""
    return render(request, f"{_PARTIALS}{section}.html", {**_context(tool), **told}, status=422)
