"""Scheduled messages: each time is sent once, by whichever worker is first, also after all were away."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from agents_core.actions import schedules
from agents_core.actions.messages import Input
from agents_core.actions.schedules import next_time, send_due
from agents_core.errors import InvalidInput, NotFound
from agents_core.events.types import AgentChanged
from agents_core.models import Agent, Message, Run, Schedule, pipeline
from agents_core.models.pipeline import Statement
from agents_core.runtime.loop import execute
from tests.runtime.world import events, make_agent, spoken, text


async def scheduled(agent: Agent, **fields: Any) -> Schedule:
    """A schedule whose time has come, unless ``at`` or ``cron`` say otherwise."""
    if not fields.keys() & {"at", "cron"}:
        fields["at"] = datetime.now(UTC)
    return await sync_to_async(schedules.create)(agent.id, [Input("user", text("Wake up"))], **fields)


async def missed(schedule: Schedule, ago: timedelta) -> None:
    await Schedule.objects.filter(id=schedule.id).aupdate(next_at=datetime.now(UTC) - ago)


async def test_a_message_is_sent_when_its_time_has_come_and_only_then() -> None:
    agent = await make_agent(["Yes."])
    schedule = await scheduled(agent, at=datetime.now(UTC) + timedelta(hours=1), max_steps=3)
    assert await send_due() == 0
    await missed(schedule, timedelta(0))
    assert [await send_due() for _ in range(2)] == [1, 0]
    run = await Run.objects.aget()
    assert (run.background, run.metadata, run.request) == (True, {"schedule_id": schedule.id}, {"max_steps": 3})
    await execute(agent.id, run.id, None, 1)
    said = [spoken(message) async for message in Message.objects.filter(run=run).order_by("seq")]
    assert said == ["Wake up", "Yes."]
    await schedule.arefresh_from_db()
    assert (schedule.next_at, schedule.last_run_id) == (None, run.id)
    assert await events(agent, AgentChanged) == [AgentChanged(["schedules"])] * 2


async def test_times_that_were_missed_are_sent_once_and_the_next_is_to_come() -> None:
    agent = await make_agent()
    schedule = await scheduled(agent, cron="*/5 * * * *")
    await missed(schedule, timedelta(days=3))
    assert [await send_due() for _ in range(3)] == [1, 0, 0]
    await schedule.arefresh_from_db()
    assert schedule.next_at is not None
    assert timedelta(0) < schedule.next_at - datetime.now(UTC) <= timedelta(minutes=5)
    await missed(schedule, timedelta(0))
    assert await send_due() == 1
    assert await Run.objects.acount() == 2


async def test_many_workers_at_once_send_it_once() -> None:
    agent = await make_agent()
    for _ in range(20):
        await scheduled(agent)
    assert sum(await asyncio.gather(*(send_due() for _ in range(8)))) == 20
    assert await Run.objects.acount() == 20
    assert await Message.objects.filter(agent=agent, role="user").acount() == 20


async def test_a_worker_that_dies_before_the_end_has_sent_nothing_and_noted_nothing() -> None:
    """The note and the run are one transaction: what breaks the last statement undoes all."""
    agent = await make_agent()
    schedule = await scheduled(agent)
    break_it = "CREATE RULE broken AS ON UPDATE TO schedule DO INSTEAD NOTHING"
    await pipeline.run([Statement(break_it)])
    try:
        assert await send_due() == 0
    finally:
        await pipeline.run([Statement("DROP RULE broken ON schedule")])
    assert not await Run.objects.aexists()
    assert await send_due() == 1
    await schedule.arefresh_from_db()
    assert schedule.last_run_id == (await Run.objects.aget()).id


async def test_one_that_cannot_be_sent_holds_up_no_other() -> None:
    agent = await make_agent()
    broken = await scheduled(agent)
    await Schedule.objects.filter(id=broken.id).aupdate(messages=[{"nonsense": True}], next_at="2020-01-01T00:00:00Z")
    await scheduled(agent)
    assert await send_due() == 1
    assert await Run.objects.acount() == 1


async def test_what_was_deleted_is_not_sent() -> None:
    agent, other = await make_agent(), await make_agent()
    schedule = await scheduled(agent)
    with pytest.raises(NotFound):
        await sync_to_async(schedules.delete)(other.id, schedule.id)
    await sync_to_async(schedules.delete)(agent.id, schedule.id)
    assert await send_due() == 0


def test_a_cron_expression_counts_in_the_agents_time_zone() -> None:
    noon = datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert next_time("0 9 * * *", noon, "Europe/Berlin") == datetime(2026, 7, 2, 7, tzinfo=UTC)
    assert next_time("0 9 * * *", noon, "UTC") == datetime(2026, 7, 2, 9, tzinfo=UTC)


def test_a_day_keeps_its_hour_when_the_clocks_change() -> None:
    before = datetime(2026, 10, 24, 12, tzinfo=UTC)
    assert next_time("0 9 * * *", before, "Europe/Berlin") == datetime(2026, 10, 25, 8, tzinfo=UTC)


@pytest.mark.parametrize("cron", ["", "often", "* * * *", "* * * * * *", "61 * * * *", "0 0 30 2 *"])
async def test_an_expression_that_names_no_time_is_refused(cron: str) -> None:
    agent = await make_agent()
    with pytest.raises(InvalidInput, match="cron expression of five fields|names no time"):
        await scheduled(agent, cron=cron)
    assert not await Schedule.objects.aexists()


async def test_a_time_that_is_over_is_refused() -> None:
    agent = await make_agent()
    with pytest.raises(InvalidInput, match="is over"):
        await scheduled(agent, at=datetime(2020, 1, 1, tzinfo=UTC))


async def test_the_schedules_of_an_agent_go_with_it() -> None:
    agent = await make_agent()
    await scheduled(agent)
    await agent.adelete()
    assert await send_due() == 0
    assert not await Schedule.objects.aexists()
