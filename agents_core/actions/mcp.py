"""MCP servers: adding, changing and removing them, and seeing what they say."""

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction

from agents_core.actions.tools import tell_holders
from agents_core.conf import conf
from agents_core.errors import AgentsError, Conflict, InvalidInput, NotFound
from agents_core.models import AgentVariable, McpKind, McpServer, Tool
from agents_core.models.sealed import seal, unseal
from agents_core.tools.mcp.connection import connected
from agents_core.tools.mcp.errors import ProgramsForbidden
from agents_core.tools.mcp.listing import Listing, listing
from agents_core.tools.mcp.target import secrets_of, target_of

LONGEST_CALL_S = 600
_LONGEST_NAME = 100
_LONGEST_TEXT = 8_000
_MOST = 100
_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What a person says of a server; what its kind does not need is left empty. ``env`` and ``headers``: name to value."""

    kind: str
    command: str = ""
    args: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    auth_header: str = ""
    auth_token: str = ""
    call_timeout_s: int = 60

    @classmethod
    def of(cls, server: McpServer) -> "ServerSettings":
        """Those of a stored server, its secrets opened."""
        stored = {name: getattr(server, name) for name in ("kind", "command", "args", "url", "call_timeout_s")}
        return cls(**stored, **secrets_of(server))


def get(server_id: str) -> McpServer:
    """Raises ``NotFound``."""
    server = McpServer.objects.filter(pk=server_id).first()
    if server is None:
        raise NotFound(f"There is no MCP server {server_id}.")
    return server


def named(name: str) -> McpServer:
    """Raises ``NotFound``."""
    server = McpServer.objects.filter(name=name).first()
    if server is None:
        raise NotFound(f"There is no MCP server named {name!r}.")
    return server


def create(name: str, settings: ServerSettings) -> McpServer:
    """A server, which nobody has connected to yet. Raises ``InvalidInput``, ``ProgramsForbidden``, ``Conflict`` for a taken name."""
    server = drafted(name, settings)
    _save(server)
    return server


def drafted(name: str, settings: ServerSettings) -> McpServer:
    """A server that is not stored. Raises ``InvalidInput``, ``ProgramsForbidden``."""
    server = McpServer(name=_checked_name(name))
    _apply(server, settings)
    return server


def modify(server_id: str, *, name: str | None = None, settings: ServerSettings | None = None) -> McpServer:
    """The server with what is given changed. Raises ``NotFound``, and as ``create``."""
    with transaction.atomic():
        server = locked(server_id)
        if settings is not None:
            _apply(server, settings)
        if name is not None and name != server.name:
            _rename(server, _checked_name(name))
        _save(server)
    return server


def locked(server_id: str) -> McpServer:
    """The server, which nobody else changes until the transaction ends. Raises ``NotFound``."""
    server = McpServer.objects.select_for_update().filter(pk=server_id).first()
    if server is None:
        raise NotFound(f"There is no MCP server {server_id}.")
    return server


def delete(server_id: str) -> None:
    """Removes the server and takes its tools from every agent. Raises ``NotFound``."""
    with transaction.atomic():
        server = locked(server_id)
        tools = Tool.objects.filter(mcp__server=server)
        tell_holders(tools.values_list("id", flat=True))
        tools.delete()
        server.delete()


def sign_out(server_id: str) -> None:
    """Forgets what signing in to the server gave. Raises ``NotFound``."""
    with transaction.atomic():
        server = locked(server_id)
        server.sealed_sign_in = None
        server.save(update_fields=["sealed_sign_in"])


def marks_of(server: McpServer) -> dict[str, Any]:
    """The tags and metadata by which a tool shows its server (contract: wire, section 18)."""
    about = {"server_id": server.id, "server_name": server.name}
    return {"tags": [f"mcp:{server.name}"], "metadata": {"mcp": about}}


def _rename(server: McpServer, name: str) -> None:
    old = f"mcp:{server.name}"
    server.name = name
    marks = marks_of(server)
    for tool in Tool.objects.filter(mcp__server=server):
        tool.tags = [*marks["tags"], *(tag for tag in tool.tags if tag != old)]
        tool.metadata = {**tool.metadata, **marks["metadata"]}
        tool.save(update_fields=["tags", "metadata"])


def _save(server: McpServer) -> None:
    try:
        with transaction.atomic():
            server.save()
    except IntegrityError:
        raise Conflict(f"An MCP server named {server.name!r} exists: choose another name.") from None


# --- what is given ------------------------------------------------------------------------------------------------


def _apply(server: McpServer, given: ServerSettings) -> None:
    if given.kind not in McpKind.values:
        raise InvalidInput(f"There is no MCP server of the kind {given.kind!r}: use {', '.join(McpKind.values)}.")
    if not 1 <= given.call_timeout_s <= LONGEST_CALL_S:
        raise InvalidInput(f"A call may take from 1 to {LONGEST_CALL_S} seconds.")
    is_program = given.kind == McpKind.STDIO
    secrets = _program_secrets(given) if is_program else _address_secrets(given)
    url = "" if is_program else given.url.strip()
    if url != server.url:
        server.sealed_sign_in = None  # what one server gave is nothing for another
    server.kind, server.url, server.call_timeout_s = given.kind, url, given.call_timeout_s
    server.command, server.args = (given.command.strip(), list(given.args)) if is_program else ("", [])
    server.sealed_secrets = seal(json.dumps(secrets))


def _program_secrets(given: ServerSettings) -> dict[str, Any]:
    if not conf().mcp_stdio:
        raise ProgramsForbidden
    if not given.command.strip():
        raise InvalidInput("Give the command that starts the server, such as npx or uvx.")
    if len(given.args) > _MOST:
        raise InvalidInput(f"A command takes at most {_MOST} arguments here.")
    for text in (given.command, *given.args):
        _check_text(text, "The command and its arguments")
    for name, value in given.env.items():
        if not _VARIABLE_NAME.fullmatch(name):
            raise InvalidInput(f"{name[:80]!r} is no name of a variable: use letters, digits and _.")
        _check_text(value, f"The variable {name}")
    return {"env": dict(given.env)}


def _address_secrets(given: ServerSettings) -> dict[str, Any]:
    _check_url(given.url.strip())
    for name, value in (*given.headers.items(), (given.auth_header or "Authorization", given.auth_token)):
        if not _HEADER_NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
            raise InvalidInput(f"{name[:80]!r} is no name of a header: use letters, digits and -.")
        if not (value.isascii() and value.isprintable()) or len(value) > _LONGEST_TEXT:
            raise InvalidInput(f"The header {name} holds what no header can: write it in plain letters, on one line.")
    return {"headers": dict(given.headers), "auth_header": given.auth_header, "auth_token": given.auth_token}


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise InvalidInput(f"Give the server a name of at most {_LONGEST_NAME} characters, on one line.")
    return name


def _check_text(text: str, what: str) -> None:
    if "\x00" in text or len(text) > _LONGEST_TEXT:
        raise InvalidInput(f"{what} may hold {_LONGEST_TEXT:,} characters each, and no NUL.")


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or len(url) > 2000 or any(letter.isspace() for letter in url) or not url.isprintable():
        raise InvalidInput(f"{url[:200]!r} is no address of a server: begin it with http:// or https:// and a host.")


# --- what it says -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Look:
    """What came of connecting to a server once. ``found`` is None where ``problem`` says why; ``took_ms`` is wall time."""

    found: Listing | None
    problem: AgentsError | None
    took_ms: float

    def stored(self) -> dict[str, Any]:
        """As ``McpServer.last_check`` keeps it: {at, took_ms, problem, code, …the listing}."""
        kept = self.found.stored() if self.found else {}
        told = {"problem": self.problem.message, "code": self.problem.code} if self.problem else {"problem": ""}
        return {"at": datetime.now(UTC).isoformat(), "took_ms": self.took_ms, **told, **kept}


async def look(server: McpServer, agent_id: str | None = None) -> Look:
    """Connects to the server, for the agent if one is named, lists all it has and closes; never raises for what goes wrong there."""
    began = time.perf_counter()
    found, problem = None, None
    try:
        async with connected(target_of(server, await variables_of(agent_id))) as connection:
            found = await listing(connection)
    except AgentsError as error:
        problem = error
    return Look(found, problem, (time.perf_counter() - began) * 1000)


async def variables_of(agent_id: str | None) -> dict[str, str]:
    """The agent's secrets by name."""
    rows = AgentVariable.objects.filter(agent=agent_id) if agent_id else AgentVariable.objects.none()
    return {row.key: unseal(row.sealed) async for row in rows}
