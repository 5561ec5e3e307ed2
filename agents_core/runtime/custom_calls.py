"""Calls of people's own tools: what their code gets of the agent, and what it changed of its memory."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from agents_core.errors import AgentsError
from agents_core.memory.merge import merge
from agents_core.models import pipeline
from agents_core.models.pipeline import Statement
from agents_core.models.sealed import unseal
from agents_core.runtime.state import ToolFacts, Turn
from agents_core.sandbox.base import Answer
from agents_core.tools.archive_questions import PassageListing, PassageQuery, answers_of
from agents_core.tools.base import ToolContext, ToolError, ToolResult
from agents_core.tools.environment import Environment, Variable, environment
from agents_core.tools.execute import failed

_TOOL = "SELECT pip_requirements, hosts FROM tool WHERE id = %s"
_TOOL_VARIABLES = "SELECT key, sealed, secret FROM tool_variable WHERE tool_id = %s"
_AGENT = "SELECT description, tags, metadata FROM agent WHERE id = %s"


async def environment_and_agent(
    turn: Turn, tool: ToolFacts, secrets: Mapping[str, str]
) -> tuple[Environment, dict[str, Any]]:
    """What the code of the tool gets: the tool's variables under ``secrets``, which are the agent's; and what it is told of the agent.

    Raises ``Unavailable`` for a variable that was sealed with another key.
    """
    agent_id = turn.agent.id
    tools, of_tool, [about] = await pipeline.run(
        [
            Statement(_TOOL, (tool.id,)),
            Statement(_TOOL_VARIABLES, (tool.id,)),
            Statement(_AGENT, (agent_id,)),
        ]
    )
    ids = {"AGENT_ID": agent_id, "LETTA_AGENT_ID": agent_id, "LETTA_TOOL_ID": tool.id}
    variables = [
        *(Variable(key, unseal(sealed), secret) for key, sealed, secret in of_tool),
        *(Variable(key, value, True) for key, value in secrets.items()),
        *(Variable(key, value, False) for key, value in ids.items()),
    ]
    requirements, hosts = tools[0] if tools else ((), ())  # The tool may have been deleted since the step began.
    return environment(variables, requirements, hosts), _agent(turn, *about)


def _agent(turn: Turn, description: str | None, tags: list[str], metadata: dict[str, Any]) -> dict[str, Any]:
    agent = turn.agent
    return {
        "id": agent.id,
        "name": agent.name,
        "agent_type": agent.agent_type,
        "description": description,
        "system": agent.system,
        "model": agent.model,
        "tags": tags,
        "metadata": metadata,
        "timezone": str(agent.timezone),
        "blocks": [asdict(block.facts) for block in turn.blocks.values()],
    }


class _Archive:
    """The archival memory of a turn's agent, as the code of its tool asks it."""

    def __init__(self, context: ToolContext) -> None:
        self._context = context

    async def listed(self, wanted: PassageListing) -> list[dict[str, Any]]:
        return await self._context.memory.list_passages(wanted.search or "", wanted.limit, ascending=wanted.ascending)

    async def found(self, wanted: PassageQuery) -> list[dict[str, Any]]:
        context = self._context
        return await context.memory.search_passages(
            context,
            wanted.query,
            tags=wanted.tags or (),
            match_all_tags=wanted.tag_match_mode == "all",
            limit=wanted.top_k or 10,
            start=context.moment(wanted.start_datetime),
            end=context.moment(wanted.end_datetime, end_of_day=True),
        )


def answers(context: ToolContext) -> Answer:
    """Answers what the tool's code asks while it runs; searches are recorded among the statements of ``context``."""
    return answers_of(_Archive(context))


async def write_changes(context: ToolContext, name: str, result: ToolResult, before: dict[str, str]) -> ToolResult:
    """Makes the tool's changes of blocks and its new passages edits of the step; ``before`` are the texts that its code was given, by
    label.

    Where a block changed meanwhile, both changes hold if they touch different words. A change that cannot be made makes the call fail,
    and none of its changes is written then.
    """
    try:
        for label, value in result.blocks.items():
            block = context.block(label)
            context.write_block(block, _merged(label, before[label], block.value, value))
        for passage in result.passages:
            await context.memory.insert_passage(context, passage.text, passage.tags)
    except AgentsError as error:
        return replace(result, status="error", text=failed(name, error).text)
    return result


def _merged(label: str, before: str, now: str, after: str) -> str:
    merged = after if now == before else merge(before, now, after)
    if merged is None:
        raise ToolError(
            f"The memory block {label!r} was changed by somebody else while the tool ran, so its own change was not made. "
            "Read the block as it is now, then call the tool again if that is still right."
        )
    return merged
