"""Speaking to other agents (contract: agent-loop, section 3, "Multi-agent")."""

import asyncio
from collections.abc import Sequence
from typing import Any

from agents_core.models import ToolType
from agents_core.tools.base import OtherAgent, ToolContext, ToolError, tool


@tool(ToolType.MULTI_AGENT)
async def send_message_to_agent_and_wait_for_reply(
    ctx: ToolContext, message: str, other_agent_id: str
) -> dict[str, Any]:
    """Sends a message to another agent and waits for its answer, which is this tool's result.

    Args:
        message: What to say. The other agent sees nothing of your conversation, so say all that it needs to know.
        other_agent_id: The id of the other agent, such as agent-….
    """
    return {"agent_id": other_agent_id, "response": await ctx.others.ask(ctx, other_agent_id, message)}


@tool(ToolType.MULTI_AGENT)
async def send_message_to_agents_matching_tags(
    ctx: ToolContext, message: str, match_all: list[str], match_some: list[str]
) -> list[dict[str, Any]]:
    """Sends a message to all agents that have certain tags, and waits for the answers of them all.

    Args:
        message: What to say. The other agents see nothing of your conversation, so say all that they need to know.
        match_all: Tags that an agent must all have.
        match_some: Tags of which an agent must have one; empty if it does not matter.
    """
    return await _ask_tagged(ctx, message, match_all, match_some)


@tool(ToolType.MULTI_AGENT)
async def send_message_to_agents_matching_all_tags(
    ctx: ToolContext, message: str, tags: list[str]
) -> list[dict[str, Any]]:
    """Sends a message to all agents that have all of these tags, and waits for the answers of them all.

    Args:
        message: What to say. The other agents see nothing of your conversation, so say all that they need to know.
        tags: Tags that an agent must all have.
    """
    return await _ask_tagged(ctx, message, tags, [])


@tool(ToolType.MULTI_AGENT)
async def send_message_to_agent_async(ctx: ToolContext, message: str, other_agent_id: str) -> str:
    """Sends a message to another agent without waiting: it reads it when it is free, and its answer does not come back to you.

    Args:
        message: What to say. The other agent sees nothing of your conversation, so say all that it needs to know.
        other_agent_id: The id of the other agent, such as agent-….
    """
    await ctx.others.tell(ctx, other_agent_id, message)
    return "Successfully sent message"


async def _ask_tagged(
    ctx: ToolContext, message: str, match_all: Sequence[str], match_some: Sequence[str]
) -> list[dict[str, Any]]:
    if not match_all and not match_some:
        raise ToolError("Give at least one tag: without any, the message would go to every agent there is.")
    agents = await ctx.others.tagged(match_all, match_some)
    return list(await asyncio.gather(*(_answer(ctx, agent, message) for agent in agents)))


async def _answer(ctx: ToolContext, agent: OtherAgent, message: str) -> dict[str, Any]:
    try:
        return {"agent_id": agent.id, "response": await ctx.others.ask(ctx, agent.id, message)}
    except ToolError as error:
        return {"agent_id": agent.id, "error": error.message}
