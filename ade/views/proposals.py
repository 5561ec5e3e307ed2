"""What a person decides about the proposals for a block."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ade.block_forms import version_in
from ade.hunks import choices_in
from ade.views.blocks import card_answer, held
from agents_core.actions import proposals


@require_POST
def accept(request: HttpRequest, block_id: str, proposal_id: str, agent_id: str | None = None) -> HttpResponse:
    """Writes the proposal into the block, each hunk as it was chosen; the editor then shows that, or why it cannot be."""
    agent, block = held(agent_id, block_id)
    try:
        seen = version_in(request.POST, "seen") if "seen" in request.POST else None
        proposals.accept(block.id, proposal_id, choices_in(request.POST), seen)
    except (proposals.ProposalConflict, proposals.ProposalDecided) as refused:
        return card_answer(request, agent, block.id, refused.message, tone="bad")
    return card_answer(request, agent, block.id, _("Accepted into {label}.").format(label=block.label))


@require_POST
def decline(request: HttpRequest, block_id: str, proposal_id: str, agent_id: str | None = None) -> HttpResponse:
    agent, block = held(agent_id, block_id)
    try:
        proposals.decline(block.id, proposal_id)
    except proposals.ProposalDecided as refused:
        return card_answer(request, agent, block.id, refused.message, tone="bad")
    return card_answer(request, agent, block.id, _("Declined. {label} stays as it is.").format(label=block.label))
