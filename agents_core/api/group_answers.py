"""A turn of a group as one answer or as a stream: what its agents say, in the order of speaking."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpResponse, StreamingHttpResponse

from agents_core.actions import groups
from agents_core.actions.messages import USAGE, RunOutcome, outcome
from agents_core.api.answers import answer_body, stop_reason, usage_statistics
from agents_core.api.errors import refusal
from agents_core.api.reply import reply
from agents_core.api.schemas.messages import SendRequest
from agents_core.api.sending import inputs_from, options_of, view_for
from agents_core.api.sse import DONE, Reader, Stream, frame, ping, spoken_frames
from agents_core.api.wire import Shown, shown_messages
from agents_core.events.hub import hub
from agents_core.models import ACTIVE, Agent, GroupTurn, Run

_POLL_S = 5.0


async def queued(group_id: str, body: SendRequest) -> GroupTurn:
    """Queues a turn that answers the request. Raises as ``actions.groups.send``."""
    return await sync_to_async(groups.send)(group_id, inputs_from(body.items()), options_of(body))


async def answered(group_id: str, body: SendRequest) -> HttpResponse:
    """The answer, once the turn has ended. A turn that failed before anybody spoke answers with its error."""
    turn = await queued(group_id, body)
    with hub().bell(turn.id) as bell:
        while (turn := await GroupTurn.objects.aget(pk=turn.id)).status in ACTIVE:
            await bell.wait(_POLL_S)
    outcomes = [await outcome(run_id) for run_id in turn.run_ids]
    messages = [shown for each in outcomes for shown in await _shown(each, body)]
    if turn.status == "failed" and not messages:
        return refusal((turn.error or {}).get("message") or "The turn failed.", 500)
    response: HttpResponse = reply(answer_body(messages, _whole(turn, outcomes)))
    return response


async def _shown(ended: RunOutcome, body: SendRequest) -> list[Shown]:
    """What a member said, with its name and id on each message."""
    rows = ended.messages
    if not rows:
        return []
    name = await Agent.objects.values_list("name", flat=True).aget(pk=rows[0]["agent_id"])
    shown = shown_messages(rows, view_for(ended.agent_type, body))
    return [message | {"name": name, "sender_id": rows[0]["agent_id"]} for message in shown]


def _whole(turn: GroupTurn, outcomes: Sequence[RunOutcome]) -> RunOutcome:
    """The turn as if it were one run: its end, and the sums of its runs."""
    usage = {name: sum(each.usage[name] for each in outcomes) for name in USAGE}
    called = [run_id for each in outcomes for run_id in each.sleeptime_run_ids]
    steps = sum(each.steps for each in outcomes)
    ended = RunOutcome("", turn.status, turn.stop_reason or "error", turn.error, steps=steps, usage=usage)
    return replace(ended, sleeptime_run_ids=called)


async def streamed(group_id: str, body: SendRequest) -> StreamingHttpResponse:
    turn = await queued(group_id, body)
    headers = {"cache-control": "no-cache", "x-accel-buffering": "no"}
    return StreamingHttpResponse(_frames(turn.id, body), content_type="text/event-stream", headers=headers)


async def _frames(turn_id: str, body: SendRequest) -> AsyncIterator[bytes]:
    """The frames of each run of the turn, one after the other, then the end of the turn."""
    told, pinged = 0, False
    with hub().bell(turn_id) as bell:
        while True:
            turn = await GroupTurn.objects.aget(pk=turn_id)
            for run_id in turn.run_ids[told:]:
                stream = await _stream(run_id, body)
                if stream.pings and not pinged:
                    yield ping(stream, None)
                    pinged = True
                async for chunk in spoken_frames(Reader(stream)):
                    yield chunk
                told += 1
            if turn.status not in ACTIVE:
                break
            await bell.wait(_POLL_S)
    yield await _closing(turn)


async def _stream(run_id: str, body: SendRequest) -> Stream:
    run = await Run.objects.select_related("agent").aget(pk=run_id)
    view = view_for(run.agent.agent_type, body)
    return Stream(run.agent_id, run_id, run.first_seq, view, tokens=body.stream_tokens, pings=body.include_pings)


async def _closing(turn: GroupTurn) -> bytes:
    ended = _whole(turn, [await outcome(run_id) for run_id in turn.run_ids])
    if turn.status == "failed":
        return frame(stop_reason(ended)) + b"event: error\n" + frame(_error(turn)) + DONE
    if turn.status == "cancelled":
        return frame(stop_reason(ended)) + DONE
    return frame(stop_reason(ended)) + frame(usage_statistics(ended)) + DONE


def _error(turn: GroupTurn) -> dict[str, Any]:
    error = turn.error or {}
    return {
        "message_type": "error_message",
        "run_id": turn.run_ids[-1] if turn.run_ids else None,
        "error_type": "internal_error",
        "message": error.get("message") or "The turn failed.",
        "detail": error.get("code"),
        "seq_id": None,
        "date": datetime.now(UTC),
    }
