"""What is dropped from the stream: deltas that are spelt out elsewhere, and nothing else."""

from datetime import timedelta

from asgiref.sync import sync_to_async
from django.utils import timezone

from agents_core.events.publish import Publication
from agents_core.events.retention import RESUMABLE, prune_deltas
from agents_core.events.subscribe import read
from agents_core.events.types import AgentChanged, MessageDelta
from agents_core.models import Agent, Event, Message, Run, pipeline


async def stream() -> Agent:
    agent = await Agent.objects.acreate(name="A", system="", model="offline/rules", context_window=8000)
    await Message.objects.acreate(id="message-stored", agent=agent, seq=1, role="assistant")
    publication = Publication(agent.id)
    publication.add(AgentChanged(["name"]))
    publication.add(MessageDelta("message-stored", "text", "Hel"))
    publication.add(MessageDelta("message-unfinished", "text", "Wor"))
    publication.add(MessageDelta("message-stored", "text", "lo"))
    await pipeline.run([publication.statement()])
    return agent


async def test_deltas_whose_message_is_stored_go_when_they_are_old() -> None:
    agent = await stream()
    await pipeline.run([prune_deltas(timedelta(0))])
    assert [stored.seq for stored in await read(agent.id, 0)] == [1, 3]


async def test_deltas_that_a_client_may_still_want_stay() -> None:
    agent = await stream()
    await pipeline.run([prune_deltas()])
    assert len(await read(agent.id, 0)) == 4


async def test_deltas_of_a_run_in_the_background_stay_until_its_stream_cannot_be_resumed() -> None:
    agent = await stream()
    run = await Run.objects.acreate(agent=agent, background=True, status="running")
    await Event.objects.filter(agent=agent).aupdate(run_id=run.id)
    await pipeline.run([prune_deltas(timedelta(0))])
    assert len(await read(agent.id, 0)) == 4
    await Run.objects.filter(id=run.id).aupdate(status="completed", completed_at=timezone.now() - RESUMABLE)
    await pipeline.run([prune_deltas(timedelta(0))])
    assert [stored.seq for stored in await read(agent.id, 0)] == [1, 3]


async def test_numbers_go_on_after_what_was_dropped() -> None:
    agent = await stream()
    await pipeline.run([prune_deltas(timedelta(0))])
    publication = Publication(agent.id)
    publication.add(AgentChanged(["name"]))
    await pipeline.run([publication.statement()])
    assert await sync_to_async(lambda: list(Event.objects.values_list("seq", flat=True)))() == [1, 3, 5]
