"""What the page of a tool shows of its environment: packages and how their installation goes, hosts, variables."""

from dataclasses import dataclass
from typing import Any

from ade.environment_forms import HostsForm, RequirementsForm, VariableForm
from agents_core.actions.tool_environment import packages_of, stored_variables
from agents_core.errors import AgentsError
from agents_core.models import Tool
from agents_core.tools.packages import PackageSet, State
from agents_core.tools.requirements import BadRequirement

_SHOWN_LOG_LINES = 400


@dataclass(frozen=True, slots=True)
class PackagesView:
    """The installation of a tool's packages as it stands now."""

    state: State
    failure: str
    log: str
    installed: list[str]

    @property
    def running(self) -> bool:
        return self.state == "installing"


def packages_view(tool: Tool) -> PackagesView | None:
    """None for a tool that asks for no packages, or for what are none."""
    try:
        packages: PackageSet = packages_of(tool)
    except BadRequirement:
        return None
    if not packages.requirements:
        return None
    state = packages.state
    log = "\n".join(packages.log.splitlines()[-_SHOWN_LOG_LINES:])
    return PackagesView(state, packages.failure, log, packages.installed if state == "installed" else [])


@dataclass(frozen=True, slots=True)
class VariableRow:
    """``value`` is empty for a secret."""

    key: str
    value: str
    secret: bool


def variable_rows(tool: Tool) -> tuple[list[VariableRow], str]:
    """The rows, and what kept them from being read, as a sentence."""
    try:
        found = stored_variables(tool.id)
    except AgentsError as error:
        return [], error.message
    return [VariableRow(one.key, "" if one.secret else one.value, one.secret) for one in found], ""


def environment_context(tool: Tool | None) -> dict[str, Any]:
    """What the tab "Environment" needs; little for a tool that is not saved or has no source."""
    if tool is None or not tool.source_code:
        return {}
    variables, unreadable = variable_rows(tool)
    return {
        "packages": packages_view(tool),
        "requirements_form": RequirementsForm.of(tool),
        "hosts_form": HostsForm.of(tool),
        "variables": variables,
        "variables_unreadable": unreadable,
        "variable_form": VariableForm(),
    }
