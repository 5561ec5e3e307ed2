"""The next request of an agent before it is sent, and what would change in it."""

from django.http import HttpRequest, HttpResponse
from ninja import Router

from agents_core.api.ids import AgentId
from agents_core.api.reply import reply
from agents_core.api.schemas.previews import PreviewAnswer, PreviewRequest
from agents_core.runtime.preview import preview_next

router = Router(tags=["previews"])


@router.post("/{agent_id}/preview", response=PreviewAnswer)
async def preview_request(request: HttpRequest, agent_id: AgentId, body: PreviewRequest | None = None) -> HttpResponse:
    asked = body or PreviewRequest()
    seen = await preview_next(agent_id, asked.conversation_id, asked.message, asked.changes.changes())
    return reply(PreviewAnswer.of(seen))
