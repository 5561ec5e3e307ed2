"""How one server is reached for one agent: its settings, opened, with the agent's variables in their places."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from agents_core.errors import Refused
from agents_core.models import McpKind, McpServer
from agents_core.models.sealed import unseal

_VARIABLE = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*(?:\|\s*(.*?)\s*)?\}\}")


class VariableMissing(Refused):
    """A setting of the server stands for a variable that the agent does not have."""

    code = "mcp_variable_missing"


class VariableUnfit(Refused):
    """A variable of the agent holds what cannot stand where the server's settings want it."""

    code = "mcp_variable_unfit"


@dataclass(frozen=True, slots=True)
class Target:
    """A server as it is connected to; equal ones share a connection. ``env`` and ``headers`` are pairs of name and value; ``sign_in`` is
    sealed; ``call_timeout_s`` bounds one call."""

    server_id: str
    name: str
    kind: str
    command: str
    args: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    url: str
    headers: tuple[tuple[str, str], ...]
    call_timeout_s: int
    sign_in: bytes | None

    @property
    def where(self) -> str:
        """Its command, or its address without what may be secret in it."""
        if self.kind == McpKind.STDIO:
            return self.command
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def secrets_of(server: McpServer) -> dict[str, Any]:
    """{env, headers, auth_header, auth_token} of the server, opened; absent parts are empty."""
    stored = json.loads(unseal(server.sealed_secrets)) if server.sealed_secrets else {}
    return {"env": {}, "headers": {}, "auth_header": "", "auth_token": "", **stored}


def target_of(server: McpServer, variables: Mapping[str, str]) -> Target:
    """The server for an agent with ``variables``. Raises ``VariableMissing``, ``VariableUnfit``."""

    def filled(text: str) -> str:
        return _VARIABLE.sub(lambda found: _value(server.name, found, variables), text)

    secrets = secrets_of(server)
    headers = headers_of(secrets)
    return Target(
        server_id=server.id,
        name=server.name,
        kind=server.kind,
        command=server.command,
        args=tuple(filled(each) for each in server.args),
        env=tuple((name, filled(value)) for name, value in secrets["env"].items()),
        url=filled(server.url),
        headers=tuple((name, _sendable(name, filled(value))) for name, value in headers.items()),
        call_timeout_s=server.call_timeout_s,
        sign_in=bytes(server.sealed_sign_in) if server.sealed_sign_in else None,
    )


def _sendable(name: str, value: str) -> str:
    """``value``, which an HTTP library would otherwise refuse in words that show it."""
    if not (value.isascii() and value.isprintable()):
        raise VariableUnfit(
            f"The header {name} gets a secret that no header can hold: it has to be plain letters on one line."
        )
    return value


def headers_of(secrets: Mapping[str, Any]) -> dict[str, str]:
    """The headers of ``secrets_of``, the one with the token among them."""
    name, token = secrets["auth_header"] or "Authorization", secrets["auth_token"]
    return {**secrets["headers"], **_auth_header(name, token)}


def _auth_header(name: str, token: str) -> dict[str, str]:
    if not token:
        return {}
    bare = name.lower() == "authorization" and " " not in _VARIABLE.sub("", token).strip()
    return {name: f"Bearer {token}" if bare else token}


def _value(server: str, found: "re.Match[str]", variables: Mapping[str, str]) -> str:
    name, default = found.groups()
    value = variables.get(name, default)
    if value is None:
        raise VariableMissing(
            f"The MCP server {server!r} needs the variable {name}: add it to the agent's secrets, or give the server a default, "
            f"as in {{{{ {name} | text }}}}."
        )
    return value
