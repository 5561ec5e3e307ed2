"""Giving up on tool calls that wait for an answer, so that the agent can go on without one."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from agents_core.actions.agents import locked
from agents_core.events.publish import Publication
from agents_core.events.types import ApprovalAnswered, MessageCreated, ToolReturned
from agents_core.models import Agent, Message, Role, Step, ToolCall, ToolCallStatus
from agents_core.models.pipeline import run_sync
from agents_core.runtime.transcript import packed_return

GIVEN_UP = "Error: nobody answered this call, and it was given up: it did not run."


def abandon(agent_id: str) -> list[str]:
    """Answers each call of the agent that waits, in all its threads, with an error; gives the ids of the runs that had asked.

    No model is called: the agent sees it with its next message. Raises ``NotFound`` for the agent.
    """
    with transaction.atomic():
        agent = locked(agent_id)
        waiting = ToolCall.objects.filter(agent=agent, status=ToolCallStatus.AWAITING)
        steps = Step.objects.filter(id__in=waiting.values("step")).order_by("number")
        return [_abandon(agent, step) for step in steps]


def _abandon(agent: Agent, step: Step) -> str:
    open_calls = step.calls.filter(status__in=(ToolCallStatus.AWAITING, ToolCallStatus.HELD))
    calls = list(step.calls.order_by("position"))
    open_calls.update(status=ToolCallStatus.ERROR, result=GIVEN_UP, duration_ms=0)
    thread = {"agent": agent, "conversation_id": step.conversation_id, "run_id": step.run_id}
    denials = [{"type": "approval", "tool_call_id": call.call_id, "approve": False} for call in calls if call.awaits]
    note = Message(**thread, role=Role.APPROVAL, content=denials)
    returns = Message(**thread, step=step, role=Role.TOOL, tool_returns=[_return(agent, call) for call in calls])
    publication = Publication(agent.id, step.run_id, step.id)
    places = [publication.add(MessageCreated(message.id, message.role)) for message in (note, returns)]
    for call in calls:
        publication.add(ToolReturned(call.call_id, call.name, "error"))
    publication.add(ApprovalAnswered([call.call_id for call in calls], abandoned=True))
    last = run_sync([publication.statement()])[0][-1][0]
    note.seq, returns.seq = (last - publication.seq_behind_last(place) for place in places)
    returns.context_position = returns.seq
    Message.objects.bulk_create([note, returns])
    return step.run_id


def _return(agent: Agent, call: ToolCall) -> dict[str, str]:
    text = GIVEN_UP if call.result is None else call.result
    packed = packed_return("error", text, datetime.now(UTC), ZoneInfo(agent.timezone))
    told = {"status": "error", "text": packed, "value": text, "stdout": "", "stderr": ""}
    return {"tool_call_id": call.call_id, "name": call.name, **told}
