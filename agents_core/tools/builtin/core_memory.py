"""Editing the blocks of core memory (contract: agent-loop, section 3)."""

from agents_core.memory import edits
from agents_core.models import ToolType
from agents_core.tools.base import ToolContext, tool


@tool(ToolType.MEMORY)
async def core_memory_append(ctx: ToolContext, label: str, content: str) -> str:
    """Adds a line to the end of a core memory block.

    Args:
        label: The block to add to.
        content: The text to add, in full sentences that will make sense later.
    """
    block = ctx.block(label)
    return ctx.write_block(block, edits.core_memory_append(block.value, content))


@tool(ToolType.MEMORY)
async def core_memory_replace(ctx: ToolContext, label: str, old_content: str, new_content: str) -> str:
    """Replaces text in a core memory block, wherever it stands there.

    Args:
        label: The block to edit.
        old_content: The text to replace, exactly as it stands in the block.
        new_content: The text to put in its place; empty to delete.
    """
    block = ctx.block(label)
    return ctx.write_block(block, edits.core_memory_replace(block.value, old_content, new_content))


@tool(ToolType.MEMORY)
async def memory_replace(ctx: ToolContext, label: str, old_string: str, new_string: str) -> str:
    """Replaces one passage of a core memory block.

    Args:
        label: The block to edit.
        old_string: The text to replace, exactly as it stands in the block. It must stand there once.
        new_string: The text to put in its place; empty to delete.
    """
    block = ctx.block(label)
    return ctx.write_block(block, edits.memory_replace(block.value, old_string, new_string))


@tool(ToolType.MEMORY)
async def memory_insert(ctx: ToolContext, label: str, new_string: str, insert_line: int = -1) -> str:
    """Inserts lines into a core memory block.

    Args:
        label: The block to edit.
        new_string: The text to insert.
        insert_line: The line after which to insert; 0 puts it at the top, -1 at the end.
    """
    block = ctx.block(label)
    return ctx.write_block(block, edits.memory_insert(block.value, new_string, insert_line))


@tool(ToolType.SLEEPTIME)
async def memory_rethink(ctx: ToolContext, label: str, new_memory: str) -> str:
    """Rewrites a core memory block as a whole. For small changes use memory_replace or memory_insert.

    Args:
        label: The block to rewrite.
        new_memory: The whole new text of the block.
    """
    block = ctx.block(label)
    return ctx.rewrite_block(block, edits.memory_rethink(block.value, new_memory))


@tool(ToolType.SLEEPTIME)
async def memory_finish_edits(ctx: ToolContext) -> None:
    """Says that the memory is up to date; that ends your turn."""
