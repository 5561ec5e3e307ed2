"""Groups of agents, and turns of a whole group."""

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja import Query, Router

from agents_core.actions import agents, groups
from agents_core.api.group_answers import answered, queued, streamed
from agents_core.api.ids import AgentId, BlockId, GroupId, GroupTurnId
from agents_core.api.listing import listed_everywhere
from agents_core.api.paging import page
from agents_core.api.reply import reply
from agents_core.api.schemas.groups import (
    GroupCreate,
    GroupFilter,
    GroupResponse,
    GroupTurnFilter,
    GroupTurnResponse,
    GroupUpdate,
    group_responses,
)
from agents_core.api.schemas.messages import MessageList, SendRequest
from agents_core.errors import InvalidInput, NotFound
from agents_core.models import ACTIVE, Group, GroupTurn, Message

router = Router(tags=["groups"])
agent_router = Router(tags=["groups"])


def _shown(group: Group) -> HttpResponse:
    response: HttpResponse = reply(group_responses([group])[0])
    return response


def _filtered(rows: "QuerySet[Group]", query: GroupFilter) -> "QuerySet[Group]":
    if not query.show_hidden_groups:
        rows = rows.filter(hidden=False)
    return rows if query.manager_type is None else rows.filter(manager_type=query.manager_type)


@router.get("/", response=list[GroupResponse])
def list_groups(request: HttpRequest, query: Query[GroupFilter]) -> HttpResponse:
    return reply(group_responses(page(_filtered(Group.objects.all(), query), query)))


@router.get("/count", response=int)
def count_groups(request: HttpRequest) -> HttpResponse:
    return reply(Group.objects.filter(hidden=False).count())


@router.post("/", response=GroupResponse)
def create_group(request: HttpRequest, body: GroupCreate) -> HttpResponse:
    return _shown(groups.create(**body.changes()))


@router.get("/{group_id}", response=GroupResponse)
def retrieve_group(request: HttpRequest, group_id: GroupId) -> HttpResponse:
    return _shown(groups.get(group_id))


@router.patch("/{group_id}", response=GroupResponse)
def modify_group(request: HttpRequest, group_id: GroupId, body: GroupUpdate) -> HttpResponse:
    return _shown(groups.modify(group_id, body.changes()))


@router.delete("/{group_id}")
def delete_group(request: HttpRequest, group_id: GroupId) -> HttpResponse:
    groups.delete(group_id)
    return reply(None)


@router.patch("/{group_id}/blocks/attach/{block_id}")
def attach_block_to_group(request: HttpRequest, group_id: GroupId, block_id: BlockId) -> HttpResponse:
    groups.attach_block(group_id, block_id)
    return reply(None)


@router.patch("/{group_id}/blocks/detach/{block_id}")
def detach_block_from_group(request: HttpRequest, group_id: GroupId, block_id: BlockId) -> HttpResponse:
    groups.detach_block(group_id, block_id)
    return reply(None)


@router.post("/{group_id}/messages")
async def send_group_message(request: HttpRequest, group_id: GroupId, body: SendRequest) -> HttpResponseBase:
    if body.streaming:
        return await streamed(group_id, body)
    if body.stream_tokens or body.background:
        raise InvalidInput("stream_tokens and background need streaming to be true.")
    return await answered(group_id, body)


@router.post("/{group_id}/messages/stream")
async def stream_group_message(request: HttpRequest, group_id: GroupId, body: SendRequest) -> HttpResponseBase:
    return await streamed(group_id, body)


@router.post("/{group_id}/messages/async", response=GroupTurnResponse)
async def send_group_message_async(request: HttpRequest, group_id: GroupId, body: SendRequest) -> HttpResponse:
    return reply(GroupTurnResponse.of(await queued(group_id, body)))


@router.get("/{group_id}/messages")
def list_group_messages(request: HttpRequest, group_id: GroupId, query: Query[MessageList]) -> HttpResponse:
    groups.get(group_id)
    rows = Message.objects.filter(agent__in=groups.everybody_in(group_id), run__metadata__group_id=group_id)
    return reply(listed_everywhere(rows, query, query))


@router.patch("/{group_id}/reset-messages")
def reset_group_messages(request: HttpRequest, group_id: GroupId) -> HttpResponse:
    groups.reset(group_id)
    return reply(None)


@router.get("/{group_id}/turns", response=list[GroupTurnResponse])
def list_turns(request: HttpRequest, group_id: GroupId, query: Query[GroupTurnFilter]) -> HttpResponse:
    groups.get(group_id)
    rows = GroupTurn.objects.filter(group=group_id)
    if query.active:
        rows = rows.filter(status__in=ACTIVE)
    return reply([GroupTurnResponse.of(turn) for turn in page(rows, query)])


@router.get("/{group_id}/turns/{turn_id}", response=GroupTurnResponse)
def retrieve_turn(request: HttpRequest, group_id: GroupId, turn_id: GroupTurnId) -> HttpResponse:
    turn = GroupTurn.objects.filter(group=group_id, pk=turn_id).first()
    if turn is None:
        raise NotFound(f"The group has no turn {turn_id}.")
    return reply(GroupTurnResponse.of(turn))


@router.post("/{group_id}/turns/{turn_id}/cancel", response=GroupTurnResponse)
def cancel_turn(request: HttpRequest, group_id: GroupId, turn_id: GroupTurnId) -> HttpResponse:
    return reply(GroupTurnResponse.of(groups.cancel(turn_id)))


@agent_router.get("/{agent_id}/groups", response=list[GroupResponse])
def list_groups_of_agent(request: HttpRequest, agent_id: AgentId, query: Query[GroupFilter]) -> HttpResponse:
    agents.get(agent_id)
    rows = Group.objects.filter(Q(manager=agent_id) | Q(members__agent=agent_id)).distinct()
    return reply(group_responses(page(_filtered(rows, query), query)))
