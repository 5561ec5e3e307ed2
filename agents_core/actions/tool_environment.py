"""What the code of tools gets besides its arguments: variables, hosts, packages. See ``actions.tools`` for a tool's own fields."""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress

from django.db import transaction

from agents_core.errors import NotFound, Refused
from agents_core.models import AgentVariable, Tool, ToolVariable
from agents_core.models.sealed import seal, unseal
from agents_core.tools.environment import Variable
from agents_core.tools.masking import SHORTEST
from agents_core.tools.packages import PackageSet, remove_unused
from agents_core.tools.requirements import BadRequirement, requirements_of

MOST_VARIABLES = 100
LONGEST_VALUE = 32_768
"""Characters of a variable's value."""
MOST_HOSTS = 50

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_HOST = re.compile(r"(?=.{1,253}$)(\*\.)?[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")


def checked_variables(variables: Mapping[str, str]) -> Mapping[str, str]:
    """``variables`` if an environment can hold them. Raises ``Refused``."""
    if len(variables) > MOST_VARIABLES:
        raise Refused(f"There may be {MOST_VARIABLES} variables; these are {len(variables)}.")
    for key, value in variables.items():
        if not _KEY.fullmatch(key):
            raise Refused(f"{key[:80]!r} is no name of a variable: write letters, digits and _, such as API_KEY.")
        if len(value) > LONGEST_VALUE:
            raise Refused(f"The value of {key} has {len(value):,} characters; {LONGEST_VALUE:,} are allowed.")
        if "\x00" in value or not _is_unicode(value):
            raise Refused(f"The value of {key} holds characters that no variable can hold.")
    return variables


def _is_unicode(text: str) -> bool:
    """Half surrogates are none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def checked_hosts(hosts: Iterable[str]) -> list[str]:
    """The names in lower case, sorted, each once. Raises ``Refused`` for what is no host's name."""
    found = sorted({_host(text) for text in hosts})
    if len(found) > MOST_HOSTS:
        raise Refused(f"A tool may reach {MOST_HOSTS} hosts; these are {len(found)}.")
    return found


def _host(text: str) -> str:
    name = text.strip().rstrip(".").lower()
    with suppress(UnicodeError):  # Then it is no host either.
        name = name if name.isascii() else name.encode("idna").decode()
    if not _HOST.fullmatch(name):
        raise Refused(f"{text[:80]!r} is no host: write a name alone, such as api.example.com or *.example.com.")
    return name


def stored_variables(tool_id: str, agent_id: str | None = None) -> list[Variable]:
    """The tool's variables, then the agent's, which win."""
    of_tool = ToolVariable.objects.filter(tool=tool_id).order_by("key")
    of_agent = AgentVariable.objects.filter(agent=agent_id) if agent_id else ()
    return [
        *(Variable(one.key, unseal(one.sealed), one.secret) for one in of_tool),
        *(Variable(one.key, unseal(one.sealed), True) for one in of_agent),
    ]


def set_tool_variable(tool_id: str, key: str, value: str, *, secret: bool) -> None:
    """Gives the tool the variable, in place of one of the same name. Raises ``NotFound``, ``Refused``."""
    checked_variables({key: value})
    if secret and len(value) < SHORTEST:
        raise Refused(f"A secret needs {SHORTEST} characters: shorter ones cannot be hidden in what the tool says.")
    with transaction.atomic():
        if not Tool.objects.select_for_update().filter(pk=tool_id).exists():
            raise NotFound(f"There is no tool {tool_id}.")
        if ToolVariable.objects.filter(tool=tool_id).exclude(key=key).count() >= MOST_VARIABLES:
            raise Refused(f"A tool may have {MOST_VARIABLES} variables.")
        ToolVariable.objects.update_or_create(
            tool_id=tool_id, key=key, defaults={"sealed": seal(value), "secret": secret}
        )


def remove_tool_variable(tool_id: str, key: str) -> None:
    """Raises ``NotFound``."""
    removed, _ = ToolVariable.objects.filter(tool=tool_id, key=key).delete()
    if not removed:
        raise NotFound(f"The tool has no variable {key[:100]!r}: somebody took it away before.")


def packages_of(tool: Tool) -> PackageSet:
    """The set of packages that the tool asks for. Raises ``BadRequirement``."""
    return PackageSet(requirements_of(tool.pip_requirements))


def unused_packages_removed() -> int:
    """Removes the sets of packages that no tool asks for; gives how many."""
    used = []
    for stored in Tool.objects.exclude(pip_requirements=[]).values_list("pip_requirements", flat=True):
        try:
            used.append(PackageSet(requirements_of(stored)))
        except BadRequirement:  # It never had a folder.
            continue
    return remove_unused(used)
