"""What other programs may do over MCP: find agents, speak to them, read and write their memory. Imports the SDK: load it late."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Annotated, Any, ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError, ToolError
from mcp.types import Resource
from pydantic import Field

from agents_core import __version__
from agents_core.actions import agents, archives, blocks
from agents_core.actions.messages import Input, RunOutcome, ask
from agents_core.actions.new_agent import NewAgent
from agents_core.api.wire import shown_messages, view_of
from agents_core.errors import AgentsError, NotFound
from agents_core.memory.archival.base import ArchivalSearch, PassageDraft
from agents_core.models import Agent, AgentBlock, Block
from agents_core.models.pipeline import storable

Parameters = ParamSpec("Parameters")
Answer = TypeVar("Answer")
AgentId = Annotated[str, Field(description="The agent's id, as list_agents tells it.")]
Label = Annotated[str, Field(description="The block's label, as list_memory_blocks tells it.")]

_LISTED_RESOURCES = 500


class _Offers(MCPServer[Any]):
    """The server, whose list of resources is of the blocks that agents hold now."""

    async def list_resources(self) -> list[Resource]:
        return await sync_to_async(_held_blocks)()


server = _Offers(
    "mnemoscope",
    version=__version__,
    instructions="Stateful agents with a memory of their own. Find one with list_agents, talk to it with send_message; what it "
    "always has in sight stands in its memory blocks, what it can look up in its archival memory.",
)


def _tool(function: Callable[Parameters, Awaitable[Answer]]) -> Callable[Parameters, Awaitable[Answer]]:
    """Offers a function; what the core refuses is told in its own words."""

    @wraps(function)
    async def told(*args: Parameters.args, **named: Parameters.kwargs) -> Answer:
        try:
            clean: Any = storable(named)
            return await function(*args, **clean)
        except AgentsError as error:
            raise ToolError(error.message) from error

    server.add_tool(told)
    return told


# --- agents -------------------------------------------------------------------------------------------------------


@_tool
async def list_agents(
    search: Annotated[str, Field(description="Words in the name; empty for all.")] = "",
    limit: Annotated[int, Field(ge=1, le=100)] = 50,
) -> list[dict[str, Any]]:
    """Lists agents by name."""
    return await sync_to_async(_agents)(search, limit)


def _agents(search: str, limit: int) -> list[dict[str, Any]]:
    found = Agent.objects.filter(hidden=False, name__icontains=search).order_by("name", "id")
    columns = ("id", "name", "description", "model", "tags")
    return [{name: getattr(agent, name) for name in columns} for agent in found[:limit]]


@_tool
async def create_agent(
    name: Annotated[str, Field(description="Letters, digits, blanks, ' and -.")],
    persona: Annotated[str, Field(description="Who the agent is, in its own words.")] = "",
    human: Annotated[str, Field(description="What it knows of the person it talks with.")] = "",
    model: Annotated[str, Field(description="A model handle, provider/model; empty for the server's default.")] = "",
) -> dict[str, Any]:
    """Makes an agent with the memory blocks persona and human; gives its id."""
    about = [{"label": "persona", "value": persona}, {"label": "human", "value": human}]
    made = await sync_to_async(agents.create)(NewAgent(name=name, model=model or None, memory_blocks=about))
    return {"id": made.id, "name": made.name, "model": made.model}


@_tool
async def send_message(agent_id: AgentId, message: Annotated[str, Field(min_length=1)]) -> str:
    """Says something to the agent and gives what it answers, however long that takes. It remembers the conversation."""
    ended = await ask(agent_id, [Input("user", [{"type": "text", "text": message}])])
    said = [each["content"] for each in shown_messages(ended.messages, view_of(ended.agent_type)) if _is_speech(each)]
    return "\n\n".join(str(text) for text in said) or _silence(ended)


def _is_speech(shown: dict[str, Any]) -> bool:
    return str(shown["message_type"]) == "assistant_message"


def _silence(ended: RunOutcome) -> str:
    """Why nothing was said. Raises ``ToolError`` for a run that failed."""
    if ended.status == "failed":
        raise ToolError((ended.error or {}).get("message") or "The run failed.")
    if ended.stop_reason == "requires_approval":
        return "The agent waits for a person to approve what it wants to do."
    return f"The agent said nothing ({ended.stop_reason})."


# --- core memory --------------------------------------------------------------------------------------------------


@_tool
async def list_memory_blocks(agent_id: AgentId) -> list[dict[str, Any]]:
    """Lists the blocks that the agent always has in sight, with their text."""
    return await sync_to_async(_blocks)(agent_id)


def _blocks(agent_id: str) -> list[dict[str, Any]]:
    agents.get(agent_id)
    held = Block.objects.filter(agent_links__agent=agent_id).order_by("agent_links__id")
    columns = ("label", "description", "value", "limit", "read_only")
    return [{name: getattr(block, name) for name in columns} for block in held]


@_tool
async def read_memory_block(agent_id: AgentId, label: Label) -> str:
    """Gives the text of a block."""
    return (await sync_to_async(blocks.of_agent)(agent_id, label)).value


@_tool
async def write_memory_block(agent_id: AgentId, label: Label, value: str) -> str:
    """Puts another text in the place of a block's; the old one stays in its history. Every agent that shares the block sees it."""

    def write() -> Block:
        return blocks.modify(blocks.of_agent(agent_id, label).id, {"value": value})

    written = await sync_to_async(write)()
    return f"{label} is version {written.version} now, of {len(written.value):,} characters."


# --- archival memory ----------------------------------------------------------------------------------------------


@_tool
async def search_archival_memory(
    agent_id: AgentId,
    query: Annotated[str, Field(min_length=1, description="What to look for, in words of your own.")],
    limit: Annotated[int, Field(ge=1, le=100)] = 10,
) -> list[dict[str, Any]]:
    """Searches what the agent has put away, by meaning and words; the best first."""
    held = await sync_to_async(archives.of_agent)(agent_id)
    if not held:
        return []
    wanted = ArchivalSearch([archive.id for archive in held], query, limit=limit)
    hits, _ = await archives.search(wanted, held[0].embedding, agent_id)
    return [
        {"id": hit.id, "text": hit.text, "tags": list(hit.tags), "created_at": hit.created_at.isoformat(), "score": hit.score}
        for hit in hits
        if hit.returned
    ]  # fmt: skip


@_tool
async def insert_archival_memory(
    agent_id: AgentId,
    text: Annotated[str, Field(min_length=1)],
    tags: Annotated[list[str] | None, Field(description="Words to find it by.")] = None,
) -> str:
    """Puts a text into the agent's archival memory; gives the passage's id."""
    archive = await sync_to_async(archives.own_archive)(agent_id)
    [made] = await archives.insert(archive, [PassageDraft(archive.id, text, tags=tags or [])])
    return made.id


# --- resources ----------------------------------------------------------------------------------------------------


@server.resource("memory://{agent_id}/{block_id}", name="memory block", mime_type="text/plain")
async def memory_block(agent_id: str, block_id: str) -> str:
    """The text of a memory block that an agent holds."""
    try:
        return await sync_to_async(_held_value)(agent_id, block_id)
    except NotFound as error:
        raise ResourceNotFoundError(error.message) from error
    except AgentsError as error:
        raise ResourceError(error.message) from error


def _held_value(agent_id: str, block_id: str) -> str:
    block = Block.objects.filter(pk=block_id, agent_links__agent=agent_id).first()
    if block is None:
        raise NotFound(f"The agent {agent_id} holds no block {block_id}.")
    return block.value


def _held_blocks() -> list[Resource]:
    links = (
        AgentBlock.objects.filter(agent__hidden=False).select_related("agent", "block").order_by("agent__name", "id")
    )
    return [
        Resource(
            uri=f"memory://{link.agent_id}/{link.block_id}",
            name=f"{link.agent.name} / {link.label}",
            description=link.block.description,
            mime_type="text/plain",
        )
        for link in links[:_LISTED_RESOURCES]
    ]
