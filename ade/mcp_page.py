"""What the pages of MCP servers show, and the form that one is told by."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.http import QueryDict
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext

from agents_core.actions.mcp import LONGEST_CALL_S, Look, ServerSettings
from agents_core.conf import conf
from agents_core.errors import InvalidInput
from agents_core.models import Agent, AgentTool, McpKind, McpServer, Tool
from agents_core.tools.mcp.target import headers_of, secrets_of

KINDS = {
    McpKind.STREAMABLE_HTTP: (gettext_noop("streamable HTTP"), gettext_noop("a server at an address")),
    McpKind.SSE: (gettext_noop("SSE"), gettext_noop("an older server at an address")),
    McpKind.STDIO: (gettext_noop("stdio"), gettext_noop("a program on this machine")),
}
KEPT = "••••••"
"""Stands for a stored secret, which no page shows."""

_SHOWN_AGENTS = 30


class ServerForm(forms.Form):
    """A server as a person writes it."""

    name = forms.CharField(required=False)
    kind = forms.CharField(required=False)
    command_line = forms.CharField(required=False)
    env = forms.CharField(required=False)
    url = forms.CharField(required=False)
    headers = forms.CharField(required=False)
    call_timeout_s = forms.IntegerField(
        error_messages=dict.fromkeys(
            ("required", "invalid"),
            format_lazy(
                gettext_lazy("A call may take a whole number of seconds, from 1 to {most}."), most=LONGEST_CALL_S
            ),
        )
    )

    @classmethod
    def of(cls, server: McpServer) -> "ServerForm":
        """The form of a stored server, its secrets hidden."""
        secrets = secrets_of(server)
        return cls(
            {
                "name": server.name,
                "kind": server.kind,
                "command_line": shlex.join([server.command, *server.args]) if server.command else "",
                "env": _lines(secrets["env"], "="),
                "url": server.url,
                "headers": _lines(headers_of(secrets), ": "),
                "call_timeout_s": server.call_timeout_s,
            }
        )

    @classmethod
    def blank(cls) -> "ServerForm":
        return cls({"kind": McpKind.STREAMABLE_HTTP, "call_timeout_s": 60})

    def settings(self, before: McpServer | None = None) -> ServerSettings:
        """What was written, with the secrets of ``before`` where they are hidden. Raises ``InvalidInput`` with what to do instead."""
        if not self.is_valid():
            raise InvalidInput(" ".join(str(error) for errors in self.errors.values() for error in errors))
        given, kept = self.cleaned_data, secrets_of(before) if before else {"env": {}}
        headers = headers_of(kept) if before else {}
        command, *args = _words(given["command_line"]) or [""]
        return ServerSettings(
            kind=given["kind"],
            command=command,
            args=args,
            env=_pairs(given["env"], "=", kept["env"], "NAME=value"),
            url=given["url"],
            headers=_pairs(given["headers"], ":", headers, "Name: value"),
            call_timeout_s=given["call_timeout_s"],
        )


def form_of(post: QueryDict) -> ServerForm:
    return ServerForm({name: post.get(name, "").replace("\x00", "") for name in ServerForm.base_fields})


def _lines(pairs: Mapping[str, str], sign: str) -> str:
    return "\n".join(f"{name}{sign}{KEPT}" for name in pairs)


def _pairs(text: str, sign: str, kept: Mapping[str, str], shape: str) -> dict[str, str]:
    """Lines of name and value; a hidden value is the kept one. Raises ``InvalidInput`` for a line that is none."""
    pairs = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, divider, value = line.partition(sign)
        name, value = name.strip(), value.strip()
        if not divider or not name:
            raise InvalidInput(
                _("Write {shape} on each line: {line!r} is not of that form.").format(shape=shape, line=line[:40])
            )
        if value == KEPT and name not in kept:
            raise InvalidInput(_("There is no stored value for {name}: write it.").format(name=name))
        pairs[name] = kept[name] if value == KEPT else value
    return pairs


def _words(command_line: str) -> list[str]:
    try:
        return shlex.split(command_line)
    except ValueError:
        raise InvalidInput(_("The command has a quote that is not closed.")) from None


@dataclass(frozen=True, slots=True)
class Said:
    """What came of the last look at a server, in words. ``state`` and ``state_word`` as a state is drawn."""

    state: str
    state_word: str
    text: str
    advice: str = ""
    at: datetime | None = None


def said_by(check: Mapping[str, Any] | None) -> Said:
    """The words for ``McpServer.last_check``."""
    if not check:
        return Said("idle", _("not asked yet"), _("Nobody has asked this server yet: refresh it."))
    at = datetime.fromisoformat(check["at"])
    if problem := check["problem"]:
        state, word, advice = _failed(check.get("code", ""))
        return Said(state, word, problem, advice, at)
    name = check.get("about") or _("The server")
    counts = {"tools": check["tools"], "resources": len(check["resources"]), "prompts": len(check["prompts"])}
    told = ", ".join(_counted(what, number) for what, number in counts.items())
    return Said("completed", _("answers"), f"{_answered(name, check)}: {told}.", "", at)


def _answered(name: str, check: Mapping[str, Any]) -> str:
    if not check["took_ms"]:
        return _("{name} answered (protocol {protocol})").format(name=name, protocol=check["protocol"])
    return _("{name} answered in {took_ms:,.0f} ms (protocol {protocol})").format(
        name=name, took_ms=check["took_ms"], protocol=check["protocol"]
    )


def said_of(seen: Look) -> Said:
    return said_by(seen.stored())


def _failed(code: str) -> tuple[str, str, str]:
    match code:
        case "oauth_required":
            return "waiting", _("sign in"), ""
        case "mcp_variable_missing":
            return (
                "waiting",
                _("for agents only"),
                _("Its tools are listed with the secrets of an agent that has them."),
            )
    return "failed", _("fails"), _("Agents that call its tools are told so; the tools stay.")


def _counted(what: str, number: int) -> str:
    told = {
        "tools": ngettext("{number:,} tool", "{number:,} tools", number),
        "resources": ngettext("{number:,} resource", "{number:,} resources", number),
        "prompts": ngettext("{number:,} prompt", "{number:,} prompts", number),
    }[what]
    return told.format(number=number)


@dataclass(frozen=True, slots=True)
class ServerRow:
    server: McpServer
    said: Said

    @property
    def where(self) -> str:
        """Its address, or its command without what may be secret in it."""
        return self.server.url or shlex.join([self.server.command, *self.server.args])

    @property
    def kind(self) -> str:
        return _(KINDS[McpKind(self.server.kind)][0])


def server_rows() -> list[ServerRow]:
    """All servers by name, each with ``tool_count`` and ``agent_count``."""
    held = Count("tools__tool__agent_links__agent", distinct=True)
    found = McpServer.objects.annotate(tool_count=Count("tools", distinct=True), agent_count=held).order_by("name")
    return [ServerRow(server, said_by(server.last_check)) for server in found]


def page_context(server: McpServer, form: ServerForm | None = None) -> dict[str, Any]:
    """All that a server's page shows."""
    check = server.last_check or {}
    tools = Tool.objects.filter(mcp__server=server).annotate(
        remote_name=F("mcp__remote_name"), holders=Count("agent_links")
    )
    changes = check.get("changes", {})
    return {
        "row": ServerRow(server, said_by(check)),
        "server": server,
        "check": check,
        "changed": [(what, changes[what]) for what in ("added", "updated", "deleted") if changes.get(what)],
        "skipped": changes.get("skipped", {}),
        "tools": tools.order_by("name"),
        "agents": offered_agents(server.id),
        "tool_count": len(tools),
        **form_context(form or ServerForm.of(server)),
    }


def form_context(form: ServerForm) -> dict[str, Any]:
    return {"form": form, "kinds": KINDS, "programs_allowed": conf().mcp_stdio}


def offered_agents(server_id: str, words: str = "") -> "QuerySet[Agent]":
    """Agents that hold tools of the server, then those that could, each with ``held`` and how many as ``held_count``; the first thirty."""
    of_server = Q(tool_links__tool__mcp__server=server_id)
    held = Exists(AgentTool.objects.filter(agent=OuterRef("id"), tool__mcp__server=server_id))
    found = Agent.objects.filter(hidden=False, name__icontains=words)
    return found.annotate(held=held, held_count=Count("tool_links", filter=of_server)).order_by("-held", "name", "id")[
        :_SHOWN_AGENTS
    ]
