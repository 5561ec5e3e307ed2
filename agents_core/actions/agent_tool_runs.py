"""Running a tool of an agent outside any turn of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.db import transaction

from agents_core.actions import agents, archives, blocks
from agents_core.actions.agent_archive import archive_answers
from agents_core.actions.tool_environment import stored_variables
from agents_core.actions.tools import of_agent, origin
from agents_core.errors import InvalidInput
from agents_core.memory.archival.base import PassageDraft
from agents_core.memory.edits import checked
from agents_core.memory.render import BlockFacts
from agents_core.models import Agent, Author, Block, Tool
from agents_core.sandbox.base import NewPassage, SandboxOutcome
from agents_core.tools.environment import Environment, Variable, environment
from agents_core.tools.execute import run_source
from agents_core.tools.languages import language

_TOLD = ("id", "name", "agent_type", "description", "system", "model", "tags", "metadata", "timezone")
_TOLD_OF_BLOCKS = ("id", "label", "value", "limit", "description", "read_only")


@dataclass(frozen=True, slots=True)
class _Prepared:
    tool: Tool
    environment: Environment
    agent: dict[str, Any]
    blocks: Mapping[str, Block]


async def run_of_agent(agent_id: str, name: str, arguments: dict[str, Any]) -> SandboxOutcome:
    """What the agent's tool of that name gives for ``arguments``. What it changes of the agent's memory is written.

    Raises ``NotFound``; ``InvalidInput`` for a tool of the product: it needs a turn; ``SandboxUnavailable``, ``PackagesUnavailable``;
    ``BlockEditError`` for a change that an agent may not make, ``Conflict`` when somebody else changed the block meanwhile.
    """
    prepared = await sync_to_async(_prepare)(agent_id, name)
    source = prepared.tool.source_code or ""
    outcome = await run_source(
        source,
        name,
        arguments,
        prepared.environment,
        agent=prepared.agent,
        written_in=language(prepared.tool.source_type),
        answer=archive_answers(agent_id),
    )
    if outcome.passages:
        await _insert(agent_id, outcome.passages)
    if outcome.blocks:
        await sync_to_async(_write)(prepared.blocks, outcome.blocks)
    return outcome


async def _insert(agent_id: str, passages: Sequence[NewPassage]) -> None:
    held = await sync_to_async(archives.of_agent)(agent_id)
    archive = held[0] if held else await sync_to_async(archives.own_archive)(agent_id)
    await archives.insert(archive, [PassageDraft(archive.id, one.text, tags=one.tags) for one in passages])


def _prepare(agent_id: str, name: str) -> _Prepared:
    tool = of_agent(agent_id, name)
    if not tool.source_code:
        raise InvalidInput(f"{name} {origin(tool)} and runs only within a turn of the agent.")
    agent = Agent.objects.get(id=agent_id)
    held = {block.label: block for block in Block.objects.filter(agent_links__agent=agent).order_by("agent_links__id")}
    ids = {"AGENT_ID": agent_id, "LETTA_AGENT_ID": agent_id, "LETTA_TOOL_ID": tool.id}
    variables = [*stored_variables(tool.id, agent_id), *(Variable(key, value, False) for key, value in ids.items())]
    given = environment(variables, tool.pip_requirements, tool.hosts)
    return _Prepared(tool, given, told_of(agent, held.values()), held)


def told_of_agent(agent_id: str) -> dict[str, Any]:
    """As ``told_of``, of a stored agent. Raises ``NotFound``."""
    agent = agents.get(agent_id)
    return told_of(agent, Block.objects.filter(agent_links__agent=agent).order_by("agent_links__id"))


def told_of(agent: Agent, held: Iterable[Block]) -> dict[str, Any]:
    """What a tool is told of the agent that calls it and of its blocks, as ``SandboxCall.agent``."""
    told = {field: getattr(agent, field) for field in _TOLD}
    return {**told, "blocks": [{field: getattr(block, field) for field in _TOLD_OF_BLOCKS} for block in held]}


def _write(held: Mapping[str, Block], changed: Mapping[str, str]) -> None:
    with transaction.atomic():
        for label, value in changed.items():
            block = held[label]
            facts = BlockFacts(block.id, label, block.value, block.limit, block.description, block.read_only)
            blocks.modify(block.id, {"value": checked(facts, value)}, Author.API, block.version)
