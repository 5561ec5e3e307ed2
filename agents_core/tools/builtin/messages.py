"""Speaking to the person, for the kinds of agent that act only by tools."""

from agents_core.models import ToolType
from agents_core.tools.base import ToolContext, tool


@tool(ToolType.CORE)
async def send_message(ctx: ToolContext, message: str) -> str:
    """Sends a message to the person. They see nothing else of what you write.

    Args:
        message: What to say, in the person's language.
    """
    return "Sent message successfully."
