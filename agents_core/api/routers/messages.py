"""Messages of an agent, and of all: send, stream, list, search, cancel."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja import Query, Router

from agents_core.actions import agents, history, runs
from agents_core.actions.callbacks import checked_url
from agents_core.actions.messages import MESSAGE_COLUMNS
from agents_core.api.ids import AgentId, MessageId
from agents_core.api.listing import listed, listed_everywhere
from agents_core.api.message_search import found_messages
from agents_core.api.reply import reply
from agents_core.api.schemas.messages import CancelRequest, MessageList, MessageSearch, SendRequest
from agents_core.api.schemas.runs import RunResponse
from agents_core.api.sending import answered, sent, streamed
from agents_core.api.wire import shown_messages, view_of
from agents_core.errors import NotFound
from agents_core.models import Message, Run

agent_router = Router(tags=["messages"])
router = Router(tags=["messages"])


@agent_router.post("/{agent_id}/messages")
async def send_message(request: HttpRequest, agent_id: AgentId, body: SendRequest) -> HttpResponseBase:
    return await answered(agent_id, body)


@agent_router.post("/{agent_id}/messages/stream")
async def stream_message(request: HttpRequest, agent_id: AgentId, body: SendRequest) -> HttpResponseBase:
    return await streamed(agent_id, body)


@agent_router.post("/{agent_id}/messages/async", response=RunResponse)
async def send_message_async(request: HttpRequest, agent_id: AgentId, body: SendRequest) -> HttpResponse:
    run = await sent(agent_id, body, background=True, callback_url=checked_url(body.callback_url))
    return reply(RunResponse.of(await Run.objects.aget(pk=run.run_id)))


@agent_router.get("/{agent_id}/messages")
def list_messages(request: HttpRequest, agent_id: AgentId, query: Query[MessageList]) -> HttpResponse:
    kind = agents.get(agent_id).agent_type
    rows = Message.objects.filter(agent=agent_id, abandoned=False)
    if query.conversation_id is not None:
        rows = rows.filter(conversation=None if query.conversation_id == "default" else query.conversation_id)
    return reply(listed(rows, query, query, kind))


@agent_router.post("/{agent_id}/messages/cancel")
def cancel_runs(request: HttpRequest, agent_id: AgentId, body: CancelRequest | None = None) -> HttpResponse:
    cancelled = runs.cancel(agent_id, body.run_ids if body else None)
    return reply(dict.fromkeys(cancelled, "cancelled"))


@router.get("/")
def list_all_messages(request: HttpRequest, query: Query[MessageList]) -> HttpResponse:
    rows = Message.objects.filter(agent__hidden=False, abandoned=False)
    if query.conversation_id is not None:
        rows = rows.filter(conversation=query.conversation_id)
    return reply(listed_everywhere(rows, query, query))


@router.post("/search")
async def search_messages(request: HttpRequest, body: MessageSearch) -> HttpResponse:
    return reply(await found_messages(body))


@router.get("/{message_id}")
def retrieve_message(request: HttpRequest, message_id: MessageId) -> HttpResponse:
    row = Message.objects.filter(pk=message_id).values(*MESSAGE_COLUMNS).first()
    if row is None:
        raise NotFound(f"There is no message {message_id}.")
    view = view_of(history.agent_kinds([row["agent_id"]])[row["agent_id"]])
    return reply(shown_messages([row], view))
