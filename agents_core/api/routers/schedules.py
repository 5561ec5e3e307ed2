"""Messages that an agent is sent later, once or again and again."""

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from agents_core.actions import agents, schedules
from agents_core.api.ids import AgentId
from agents_core.api.paging import Cursor, page
from agents_core.api.reply import reply
from agents_core.api.schemas.schedules import OneTime, ScheduleCreate, ScheduleList, ScheduleResponse
from agents_core.api.sending import inputs_from
from agents_core.models import Schedule

router = Router(tags=["schedules"])


@router.post("/{agent_id}/schedule")
def create_schedule(request: HttpRequest, agent_id: AgentId, body: ScheduleCreate) -> HttpResponse:
    when = body.schedule
    times = {"at": when.scheduled_at} if isinstance(when, OneTime) else {"cron": when.cron_expression}
    kinds = body.include_return_message_types
    made = schedules.create(
        agent_id,
        inputs_from(body.messages),
        max_steps=body.max_steps,
        callback_url=body.callback_url,
        shown={"include_return_message_types": kinds} if kinds else {},
        **times,
    )
    return reply({"id": made.id, "next_scheduled_at": made.next_at})


@router.get("/{agent_id}/schedule")
def list_schedules(request: HttpRequest, agent_id: AgentId, query: Query[ScheduleList]) -> HttpResponse:
    rows = Schedule.objects.filter(agent=agents.get(agent_id))
    found = page(rows, Cursor.model_construct(after=query.after, limit=query.limit + 1, order="asc"))
    shown = [ScheduleResponse.of(each) for each in found[: query.limit]]
    return reply({"scheduled_messages": shown, "has_next_page": len(found) > query.limit})


@router.get("/{agent_id}/schedule/{schedule_id}", response=ScheduleResponse)
def retrieve_schedule(request: HttpRequest, agent_id: AgentId, schedule_id: str) -> HttpResponse:
    return reply(ScheduleResponse.of(schedules.get(agent_id, schedule_id)))


@router.delete("/{agent_id}/schedule/{schedule_id}")
def delete_schedule(request: HttpRequest, agent_id: AgentId, schedule_id: str) -> HttpResponse:
    schedules.delete(agent_id, schedule_id)
    return reply({"success": True})
