"""What a person decides about the proposals for a block."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from ade.views.blocks import card_answer, held
from agents_core.actions import proposals


@require_POST
def accept(request: HttpRequest, block_id: str, proposal_id: str, agent_id: str | None = None) -> HttpResponse:
    """Writes the proposal into the block; the editor then shows that, or why it cannot be."""
    agent, block = held(agent_id, block_id)
    try:
        proposals.accept(block.id, proposal_id)
    except (proposals.ProposalConflict, proposals.ProposalDecided) as refused:
        return card_answer(request, agent, block.id, refused.message, tone="bad")
    return card_answer(request, agent, block.id, f"Accepted into {block.label}.")


@require_POST
def decline(request: HttpRequest, block_id: str, proposal_id: str, agent_id: str | None = None) -> HttpResponse:
    agent, block = held(agent_id, block_id)
    try:
        proposals.decline(block.id, proposal_id)
    except proposals.ProposalDecided as refused:
        return card_answer(request, agent, block.id, refused.message, tone="bad")
    return card_answer(request, agent, block.id, f"Declined. {block.label} stays as it is.")
