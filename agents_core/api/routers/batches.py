"""Batches: many messages sent at once, to one agent or several, and asked for later."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from agents_core.actions import batches
from agents_core.actions.batches import Request
from agents_core.actions.history import messages
from agents_core.api.paging import page
from agents_core.api.reply import reply
from agents_core.api.schemas.batches import BatchCreate, BatchCursor, BatchMessageCursor, BatchResponse
from agents_core.api.sending import asked
from agents_core.models import Batch, Message, Run

router = Router(tags=["batches"])


@router.post("", response=BatchResponse)
async def create_batch(request: HttpRequest, body: BatchCreate) -> HttpResponse:
    requests = [Request(item.agent_id, *(await asked(item.agent_id, item))) for item in body.requests]
    return reply((await sync_to_async(_shown)([await batches.create(requests, body.callback_url)]))[0])


@router.get("", response=list[BatchResponse])
def list_batches(request: HttpRequest, query: Query[BatchCursor]) -> HttpResponse:
    return reply(_shown(page(Batch.objects.all(), query)))


def _shown(found: Sequence[Batch]) -> list[BatchResponse]:
    runs: dict[str | None, list[tuple[str, str]]] = defaultdict(list)
    rows = Run.objects.filter(batch__in=found).order_by("created_at", "first_seq", "id")
    for batch_id, run_id, status in rows.values_list("batch_id", "id", "status"):
        runs[batch_id].append((run_id, status))
    return [BatchResponse.of(batch, runs[batch.id]) for batch in found]


@router.get("/{batch_id}", response=BatchResponse)
def retrieve_batch(request: HttpRequest, batch_id: str) -> HttpResponse:
    return reply(_shown([batches.get(batch_id)])[0])


@router.get("/{batch_id}/messages")
def list_batch_messages(request: HttpRequest, batch_id: str, query: Query[BatchMessageCursor]) -> HttpResponse:
    rows = Message.objects.filter(run__batch=batches.get(batch_id))
    if query.agent_id is not None:
        rows = rows.filter(agent=query.agent_id)
    descending = query.order == "desc"
    newer, older = (query.before, query.after) if descending else (query.after, query.before)
    found = messages(rows, after=newer, before=older, limit=query.limit, descending=descending, column="created_at")
    return reply({"messages": [_raw(row) for row in (found[::-1] if descending else found)]})


def _raw(row: Any) -> dict[str, Any]:
    """A message as it is stored, under the names of V1's own messages."""
    calls = [
        {"id": call["id"], "type": "function", "function": {"name": call["name"], "arguments": call["arguments"]}}
        for call in row["tool_calls"]
    ]
    same = ("id", "agent_id", "conversation_id", "run_id", "step_id", "role", "content", "name", "otid", "sender_id")
    answered = [
        {"tool_call_id": each["tool_call_id"], "status": each["status"], "func_response": each["value"]}
        for each in row["tool_returns"]
    ]
    return {
        **{name: row[name] for name in same},
        "tool_calls": calls or None,
        "tool_returns": answered,
        "tool_call_id": answered[0]["tool_call_id"] if answered else None,
        "group_id": None,
        "batch_item_id": None,
        "created_at": row["created_at"],
    }


@router.patch("/{batch_id}/cancel")
def cancel_batch(request: HttpRequest, batch_id: str) -> HttpResponse:
    batches.cancel(batch_id)
    return reply(None)
