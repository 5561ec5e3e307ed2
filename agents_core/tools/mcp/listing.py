"""What a server offers: its tools, resources and prompts."""

from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from agents_core.models.pipeline import storable
from agents_core.tools.mcp.connection import Connection

if TYPE_CHECKING:
    from mcp import Client

LIST_S = 30.0
"""How long a server may take to list what it has."""

_MOST = 1000
_MOST_PAGES = 50
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class RemoteTool:
    name: str
    description: str
    input_schema: Any


@dataclass(frozen=True, slots=True)
class Offer:
    """A resource or a prompt, as a person reads of it. ``address``: the URI of a resource, the arguments of a prompt."""

    name: str
    address: str
    description: str


@dataclass(frozen=True, slots=True)
class Listing:
    """All that a server offers, at most a thousand of each. ``about``: the name and version that it gives itself, and its protocol."""

    about: str
    protocol: str
    instructions: str
    tools: list[RemoteTool]
    resources: list[Offer]
    prompts: list[Offer]

    def stored(self) -> dict[str, Any]:
        """What is kept of it beside the tools."""
        kept = asdict(self)
        return {
            **kept,
            "tools": len(self.tools),
            "resources": kept["resources"][:100],
            "prompts": kept["prompts"][:100],
        }


async def listing(connection: Connection) -> Listing:
    """Raises as ``Connection.asked``."""
    return await connection.asked(_listing, LIST_S)


async def _listing(client: "Client") -> Listing:
    able, info = client.server_capabilities, client.server_info
    tools = await _all(client.list_tools, "tools") if able.tools else []
    resources = await _all(client.list_resources, "resources") if able.resources else []
    templates = await _all(client.list_resource_templates, "resource_templates") if able.resources else []
    prompts = await _all(client.list_prompts, "prompts") if able.prompts else []
    return Listing(
        about=f"{info.name} {info.version}" if info else "",
        protocol=client.protocol_version,
        instructions=(client.instructions or "")[: 4 * _LONGEST],
        tools=[
            RemoteTool(storable(each.name), each.description or each.title or "", each.input_schema) for each in tools
        ],
        resources=[
            *(Offer(each.name, str(each.uri), _cut(each.description)) for each in resources),
            *(Offer(each.name, each.uri_template, _cut(each.description)) for each in templates),
        ],
        prompts=[
            Offer(each.name, ", ".join(a.name for a in each.arguments or []), _cut(each.description))
            for each in prompts
        ],
    )


async def _all(ask: Callable[..., Coroutine[Any, Any, Any]], what: str) -> list[Any]:
    """Every page of a list, of those that do not go on for ever."""
    found: list[Any] = []
    cursors: list[str | None] = [None]
    while len(found) < _MOST and len(cursors) <= _MOST_PAGES:
        page = await ask(cursor=cursors[-1])
        found += getattr(page, what)
        if not page.next_cursor or page.next_cursor in cursors:
            break
        cursors.append(page.next_cursor)
    return found[:_MOST]


def _cut(text: str | None) -> str:
    return (text or "")[:_LONGEST]
