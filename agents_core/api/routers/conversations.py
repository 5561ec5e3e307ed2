"""Conversations: threads of an agent that run side by side. "default", or an agent's id, means the agent's own thread."""

from asgiref.sync import sync_to_async
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja import Query, Router

from agents_core.actions import agents, conversations, runs
from agents_core.actions.deletions import delete_conversation as delete_with_messages
from agents_core.actions.history import messages
from agents_core.api.ids import AgentId, ConversationId, ThreadId
from agents_core.api.listing import listed, newest_first, view_asked
from agents_core.api.paging import Sort, page
from agents_core.api.reply import reply
from agents_core.api.routers.compactions import compacted
from agents_core.api.routers.runs import resumed
from agents_core.api.schemas.compactions import CompactionAnswer
from agents_core.api.schemas.conversations import (
    ConversationCreate,
    ConversationFilter,
    ConversationResponse,
    ConversationUpdate,
)
from agents_core.api.schemas.messages import CompactRequest, ConversationSendRequest, MessageList, ResumeRequest
from agents_core.api.sending import answered
from agents_core.errors import InvalidInput, Refused
from agents_core.models import ACTIVE, Conversation, Message, Run

router = Router(tags=["conversations"])


def _thread(conversation_id: str, agent_id: str | None) -> tuple[str, str | None]:
    """The agent of a thread and its conversation, None for the agent's own. Raises ``NotFound``, ``InvalidInput``."""
    if conversation_id.startswith("conv-"):
        return conversations.get(conversation_id).agent_id, conversation_id
    own = conversation_id if conversation_id.startswith("agent-") else agent_id
    if own is None:
        raise InvalidInput("The default conversation needs an agent_id.")
    return agents.get(own).id, None


def _shown(conversation: Conversation) -> ConversationResponse:
    return ConversationResponse.of(conversation, conversations.in_context(conversation.id))


@router.post("/", response=ConversationResponse)
def create_conversation(
    request: HttpRequest, agent_id: AgentId, body: ConversationCreate | None = None
) -> HttpResponse:
    fields = body.given() if body else {}
    if fields.pop("isolated_block_labels", None):
        raise Refused("Blocks cannot be isolated for a conversation yet: leave out isolated_block_labels.")
    return reply(_shown(conversations.create(agent_id, **fields)))


@router.get("/", response=list[ConversationResponse])
def list_conversations(request: HttpRequest, query: Query[ConversationFilter]) -> HttpResponse:
    found = page(_filtered(query), query, Sort("created_at", strict=True))
    return reply([ConversationResponse.of(conversation, None) for conversation in found])


def _filtered(query: ConversationFilter) -> "QuerySet[Conversation]":
    rows = Conversation.objects.none() if query.archive_status == "archived" else Conversation.objects.all()
    if query.agent_id is not None:
        rows = rows.filter(agent=query.agent_id)
    return rows.filter(summary__icontains=query.summary_search) if query.summary_search else rows


@router.get("/{conversation_id}", response=ConversationResponse)
def retrieve_conversation(request: HttpRequest, conversation_id: ConversationId) -> HttpResponse:
    return reply(_shown(conversations.get(conversation_id)))


@router.patch("/{conversation_id}", response=ConversationResponse)
def modify_conversation(
    request: HttpRequest, conversation_id: ConversationId, body: ConversationUpdate
) -> HttpResponse:
    return reply(_shown(conversations.modify(conversation_id, body.given())))


@router.delete("/{conversation_id}")
def delete_conversation(request: HttpRequest, conversation_id: ConversationId) -> HttpResponse:
    delete_with_messages(conversation_id)
    return reply(None)


@router.get("/{conversation_id}/messages")
def list_conversation_messages(
    request: HttpRequest, conversation_id: ThreadId, query: Query[MessageList], agent_id: str | None = None
) -> HttpResponse:
    owner, conversation = _thread(conversation_id, agent_id)
    kind = agents.get(owner).agent_type
    rows = Message.objects.filter(agent=owner, conversation=conversation, abandoned=False)
    if conversation is None or query.order == "asc":
        return reply(listed(rows, query, query, kind))
    stored = messages(rows, before=query.before, after=query.after, limit=query.limit, descending=True)
    return reply(newest_first(stored, view_asked(kind, query)))


@router.post("/{conversation_id}/messages")
async def send_conversation_message(
    request: HttpRequest, conversation_id: ThreadId, body: ConversationSendRequest
) -> HttpResponseBase:
    owner, conversation = await sync_to_async(_thread)(conversation_id, body.agent_id)
    if conversation is not None and body.override_model is None:
        body.override_model = (await Conversation.objects.aget(pk=conversation)).model
    if not body.streaming:
        body.background = body.stream_tokens = False
    return await answered(owner, body, conversation)


@router.post("/{conversation_id}/stream")
async def stream_conversation(
    request: HttpRequest, conversation_id: ThreadId, body: ResumeRequest | None = None
) -> HttpResponseBase:
    asked = body or ResumeRequest()
    if asked.run_id:
        return await resumed(asked.run_id, asked)
    owner, conversation = await sync_to_async(_thread)(conversation_id, asked.agent_id)
    found = Run.objects.filter(agent=owner, conversation=conversation)
    found = found.filter(messages__otid=asked.otid) if asked.otid else found.filter(status__in=ACTIVE, background=True)
    run = await found.order_by("-created_at").afirst()
    if run is None:
        raise Refused("No run of this conversation is active.")
    return await resumed(run.id, asked)


@router.post("/{conversation_id}/cancel")
def cancel_conversation(request: HttpRequest, conversation_id: ThreadId, agent_id: str | None = None) -> HttpResponse:
    owner, conversation = _thread(conversation_id, agent_id)
    active = Run.objects.filter(agent=owner, conversation=conversation, status__in=ACTIVE)
    cancelled = runs.cancel(owner, list(active.values_list("id", flat=True)))
    return reply(dict.fromkeys(cancelled, "cancelled"))


@router.post("/{conversation_id}/compact", response=CompactionAnswer)
async def compact_conversation(
    request: HttpRequest, conversation_id: ThreadId, body: CompactRequest | None = None
) -> HttpResponse:
    asked = body or CompactRequest()
    owner, conversation = await sync_to_async(_thread)(conversation_id, asked.agent_id)
    return reply(await compacted(owner, conversation, asked))


@router.post("/{conversation_id}/recompile", response=str)
def recompile_conversation(
    request: HttpRequest, conversation_id: ThreadId, dry_run: bool = False, agent_id: str | None = None
) -> HttpResponse:
    owner, conversation = _thread(conversation_id, agent_id)
    return reply(agents.recompile_prompt(owner, conversation, dry_run=dry_run))
