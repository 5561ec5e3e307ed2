"""MCP servers on the wire (contract: wire, section 18)."""

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field

from agents_core.actions.mcp import ServerSettings
from agents_core.api.schemas.common import Answer, Body, StrictBody
from agents_core.models import McpKind, McpServer
from agents_core.tools.mcp.target import secrets_of

Kind = Literal["stdio", "sse", "streamable_http"]


class StdioConfig(StrictBody):
    mcp_server_type: Literal["stdio"] = "stdio"
    command: str | None = None
    args: list[str] | None = None
    env: dict[str, str] | None = None


class _AddressConfig(StrictBody):
    server_url: str | None = None
    auth_header: str | None = None
    auth_token: str | None = None
    custom_headers: dict[str, str] | None = None


class SseConfig(_AddressConfig):
    mcp_server_type: Literal["sse"] = "sse"


class StreamableHttpConfig(_AddressConfig):
    mcp_server_type: Literal["streamable_http"] = "streamable_http"


# Clients leave the type out; the other fields say which it is, and an address alone is a streamable one.
Config = Annotated[StreamableHttpConfig | SseConfig | StdioConfig, Field(union_mode="smart")]

_NAMES = {"server_url": "url", "custom_headers": "headers"}


def settings_from(config: Config, before: McpServer | None = None) -> ServerSettings:
    """What a config says, over what the server was told before; another type begins anew."""
    given: dict[str, Any] = {
        _NAMES.get(name, name): value for name, value in config.given().items() if name != "mcp_server_type"
    }
    same = before is not None and before.kind == config.mcp_server_type
    base = ServerSettings.of(before) if before is not None and same else ServerSettings(config.mcp_server_type)
    return replace(base, **given)


class McpServerCreate(StrictBody):
    server_name: str
    config: Config


class McpServerUpdate(StrictBody):
    server_name: str | None = None
    config: Config


class McpToolRun(Body):
    args: dict[str, Any] = Field(default_factory=dict)


class StdioServer(Answer):
    id: str
    server_name: str
    mcp_server_type: Literal["stdio"] = "stdio"
    command: str
    args: list[str]
    env: dict[str, str] | None


class AddressServer(Answer):
    id: str
    server_name: str
    mcp_server_type: Literal["sse", "streamable_http"]
    server_url: str
    auth_header: str | None
    auth_token: str | None
    custom_headers: dict[str, str] | None


def shown(server: McpServer) -> StdioServer | AddressServer:
    secrets = secrets_of(server)
    about: dict[str, Any] = {"id": server.id, "server_name": server.name, "mcp_server_type": server.kind}
    if server.kind == McpKind.STDIO:
        return StdioServer(**about, command=server.command, args=server.args, env=secrets["env"] or None)
    return AddressServer(
        **about,
        server_url=server.url,
        auth_header=secrets["auth_header"] or None,
        auth_token=_echoed(secrets["auth_token"]),
        custom_headers=secrets["headers"] or None,
    )


def _echoed(token: str) -> str | None:
    return (token and (token if token.lower().startswith("bearer ") else f"Bearer {token}")) or None


# --- the older routes, which know servers by name ------------------------------------------------------------------


class OldServer(StrictBody):
    """A server with its config beside its name."""

    server_name: str | None = None
    type: Kind | None = None
    command: str | None = None
    args: list[str] | None = None
    env: dict[str, str] | None = None
    server_url: str | None = None
    auth_header: str | None = None
    auth_token: str | None = None
    custom_headers: dict[str, str] | None = None
    stdio_config: dict[str, Any] | None = None
    token: str | None = None

    def settings(self, before: McpServer | None = None) -> ServerSettings:
        """As ``settings_from``."""
        given = self.given()
        program = {
            name: value for name, value in (self.stdio_config or {}).items() if name in ("command", "args", "env")
        }
        kind = given.get("type") or (
            before.kind if before else "stdio" if self.command or program else "streamable_http"
        )
        fields = {"auth_token": self.token, **given, **program}
        names = ("command", "args", "env", "server_url", "auth_header", "auth_token", "custom_headers")
        told = {_NAMES.get(name, name): fields[name] for name in names if fields.get(name) is not None}
        base = ServerSettings.of(before) if before is not None and before.kind == kind else ServerSettings(str(kind))
        return replace(base, **told)


def shown_old(server: McpServer) -> dict[str, Any]:
    now = shown(server).model_dump()
    kind = now.pop("mcp_server_type")
    return {**{name: value for name, value in now.items() if name != "id"}, "type": kind}
