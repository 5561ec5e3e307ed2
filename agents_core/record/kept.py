"""What of a state is still there: blocks, tools and archives that were deleted since cannot come back."""

from django.db.models import Q

from agents_core.models import Archive, BlockVersion, Tool
from agents_core.record.states import AgentState


def kept_blocks(state: AgentState) -> list[BlockVersion]:
    """The blocks as they were, in their order, each with its ``block``; those that were deleted are left out."""
    wanted = Q(pk=None)
    for block_id, _, version in state.world.blocks:
        wanted |= Q(block=block_id, version=version)
    found = {version.block_id: version for version in BlockVersion.objects.filter(wanted).select_related("block")}
    return [found[block_id] for block_id, _, _ in state.world.blocks if block_id in found]


def lost(state: AgentState) -> list[str]:
    """What was deleted since, in words: "block human", "tool roll_die"."""
    kept = {version.block_id for version in kept_blocks(state)}
    tools = Tool.objects.in_bulk([tool_id for tool_id, _ in state.world.tools])
    archives = Archive.objects.in_bulk([archive_id for archive_id, _ in state.world.archives])
    return [
        *(f"block {label}" for block_id, label, _ in state.world.blocks if block_id not in kept),
        *(f"tool {name}" for tool_id, name in state.world.tools if tool_id not in tools),
        *(f"archive {archive_id}" for archive_id, _ in state.world.archives if archive_id not in archives),
    ]
