"""The promise of the stream: "after 117" misses nothing and doubles nothing, whoever writes and whatever breaks."""

import asyncio
import random
import time
from contextlib import aclosing, suppress

import psycopg
import pytest
from asgiref.sync import sync_to_async
from django.db import connection, transaction

from agents_core.events import subscribe
from agents_core.events.hub import ANY_AGENT, Bell, hub
from agents_core.events.publish import Publication, lock_agents, publish
from agents_core.events.subscribe import follow, read
from agents_core.events.types import AgentChanged, RunEnded
from agents_core.models import Agent, Event, pipeline
from agents_core.models.pipeline import connection_settings, run_sync

WRITERS, BATCHES = 6, 25


def make_agents(count: int) -> list[Agent]:
    return [
        Agent.objects.create(name=f"A{n}", system="", model="offline/rules", context_window=8000) for n in range(count)
    ]


async def new_agents(count: int) -> list[str]:
    return [agent.id for agent in await sync_to_async(make_agents)(count)]


def note(name: str) -> AgentChanged:
    return AgentChanged([name])


def write_in_thread(writer: int, agents: list[str]) -> None:
    """As actions do: on Django's connection, to one agent or to several in one transaction, some of it rolled back."""
    chance = random.Random(writer)
    for batch in range(BATCHES):
        with suppress(ZeroDivisionError), transaction.atomic():
            chosen = chance.sample(agents, chance.choice([1, 1, 2, 3]))
            if len(chosen) > 1:
                run_sync([lock_agents(chosen)])
            for agent_id in chosen:
                publish(agent_id, *(note(f"{writer}.{batch}.{n}") for n in range(chance.randint(1, 3))))
            time.sleep(chance.random() * 0.004)
            if chance.random() < 0.2:
                raise ZeroDivisionError
    connection.close()


async def write_in_loop(writer: int, agents: list[str]) -> None:
    """As the runtime does: batches in one round trip."""
    chance = random.Random(writer)
    for batch in range(BATCHES):
        chosen = chance.sample(agents, chance.choice([1, 1, 2, 3]))
        statements = [lock_agents(chosen)] if len(chosen) > 1 else []
        for agent_id in chosen:
            publication = Publication(agent_id)
            for n in range(chance.randint(1, 3)):
                publication.add(note(f"{writer}.{batch}.{n}"))
            statements.append(publication.statement())
        await pipeline.run(statements)
        await asyncio.sleep(chance.random() * 0.004)


async def follow_with_pauses(agent_id: str, done: asyncio.Event, seed: int) -> list[int]:
    """All that a reader sees that comes and goes: it follows, pauses, drops its connection, and goes on after its cursor."""
    chance, seen = random.Random(seed), [0]
    while not (done.is_set() and not await read(agent_id, seen[-1])):
        async with aclosing(follow(agent_id, seen[-1], idle_s=0.2)) as batches:
            async for batch in batches:
                seen += [stored.seq for stored in batch]
                await asyncio.sleep(chance.random() * 0.02)
                if not batch or chance.random() < 0.2:
                    break
    return seen[1:]


async def test_no_reader_misses_or_doubles_a_row_that_six_writers_write() -> None:
    agents = await new_agents(4)
    done = asyncio.Event()
    readers = [asyncio.create_task(follow_with_pauses(agents[n % 4], done, n)) for n in range(8)]
    in_thread = sync_to_async(write_in_thread, thread_sensitive=False)
    threads = [in_thread(writer, agents) for writer in range(WRITERS // 2)]
    loops = [write_in_loop(writer, agents) for writer in range(WRITERS // 2, WRITERS)]
    await asyncio.gather(*threads, *loops)
    done.set()
    for n, seen in enumerate(await asyncio.gather(*readers)):
        stored = [
            seq async for seq in Event.objects.filter(agent=agents[n % 4]).order_by("seq").values_list("seq", flat=True)
        ]
        assert stored == list(range(1, len(stored) + 1)), "a gap in the numbers"
        assert len(stored) > WRITERS * BATCHES / 4
        assert seen == stored


async def test_the_ids_of_a_batch_are_in_the_order_of_its_events() -> None:
    [agent_id] = await new_agents(1)
    publication = Publication(agent_id)
    places = [publication.add(note(str(n))) for n in range(50)]
    [rows] = await pipeline.run([publication.statement()])
    assert [row[0] for row in rows] == list(range(1, 51))
    assert [stored.event for stored in await read(agent_id, 0)] == [note(str(n)) for n in range(50)]
    assert [50 - publication.seq_behind_last(place) for place in places] == list(range(1, 51))


async def test_more_than_one_page_is_read_to_its_end() -> None:
    [agent_id] = await new_agents(1)
    publication = Publication(agent_id)
    for n in range(1201):
        publication.add(note(str(n)))
    await pipeline.run([publication.statement()])
    seen: list[int] = []
    async with aclosing(follow(agent_id, 7, idle_s=0.2)) as batches:
        async for batch in batches:
            if not batch:
                break
            seen += [stored.seq for stored in batch]
    assert seen == list(range(8, 1202))


def break_listener() -> int:
    with psycopg.connect(**connection_settings(), autocommit=True) as admin:
        found = admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %'"
        )
        return len(found.fetchall())


async def test_a_doorbell_that_is_lost_costs_one_poll() -> None:
    [agent_id] = await new_agents(1)
    async with aclosing(follow(agent_id, 0)) as batches:
        coming = asyncio.ensure_future(anext(batches))
        await hub().ready()
        assert await sync_to_async(break_listener)()
        await pipeline.run([_one(agent_id)])
        [stored] = await asyncio.wait_for(coming, subscribe._POLL_S + 5)
        assert stored.seq == 1
        coming = asyncio.ensure_future(anext(batches))
        await asyncio.wait_for(hub().ready(), 10)
        await pipeline.run([_one(agent_id)])
        assert [stored.seq for stored in await asyncio.wait_for(coming, 10)] == [2]


def _one(agent_id: str) -> pipeline.Statement:
    publication = Publication(agent_id)
    publication.add(note("x"))
    return publication.statement()


async def test_a_filter_gives_what_it_names_and_the_cursor_still_moves_on() -> None:
    [agent_id] = await new_agents(1)
    publication = Publication(agent_id, "run-1")
    publication.add(note("a"))
    publication.add(RunEnded("completed", "end_turn"))
    publication.run_id = "run-2"
    publication.add(RunEnded("failed", "error"))
    await pipeline.run([publication.statement()])
    assert [s.seq for s in await read(agent_id, 0, run_id="run-1")] == [1, 2]
    assert [s.seq for s in await read(agent_id, 0, run_id="run-2", types=["run.ended"])] == [3]
    assert [s.seq for s in await read(agent_id, 2, types=["run.ended"])] == [3]
    assert await read(agent_id, 0, types=[]) == []


async def test_silence_gives_empty_batches_until_something_happens() -> None:
    [agent_id] = await new_agents(1)
    async with aclosing(follow(agent_id, 0, idle_s=0.05)) as batches:
        assert [await anext(batches) for _ in range(3)] == [[], [], []]
        await pipeline.run([_one(agent_id)])
        seen: list[int] = []
        while not seen:
            seen = [stored.seq for stored in await anext(batches)]
        assert seen == [1]


async def test_the_hub_keeps_no_bell_of_a_reader_that_went() -> None:
    agents = await new_agents(3)
    for agent_id in agents:
        async with aclosing(follow(agent_id, 0, idle_s=0.01)) as batches:
            await anext(batches)
    task = asyncio.create_task(_follow_for_ever(agents[0]))
    await asyncio.sleep(0.05)
    assert list(hub()._bells) == [agents[0]]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    with hub().bell(ANY_AGENT):
        assert list(hub()._bells) == [ANY_AGENT]
    assert not hub()._bells


async def _follow_for_ever(agent_id: str) -> None:
    async with aclosing(follow(agent_id, 0)) as batches:
        async for _ in batches:
            continue


async def test_one_bell_for_all_agents_hears_which_were_rung_for() -> None:
    agents = await new_agents(3)
    with hub().bell(ANY_AGENT) as bell:
        await hub().ready()
        await pipeline.run([_one(agents[0]), _one(agents[2])])
        heard: set[str] = set()
        while heard != {agents[0], agents[2]}:
            heard |= await asyncio.wait_for(bell.wait(5), 10)


async def test_a_publisher_holds_up_other_publishers_but_not_what_refers_to_the_agent() -> None:
    [agent_id] = await new_agents(1)
    refer = pipeline.Statement("SELECT 1 FROM agent WHERE id = %s FOR KEY SHARE NOWAIT", (agent_id,))
    take = pipeline.Statement("SELECT 1 FROM agent WHERE id = %s FOR NO KEY UPDATE NOWAIT", (agent_id,))

    def while_locked() -> None:
        with transaction.atomic(), psycopg.connect(**connection_settings(), autocommit=True) as other:
            run_sync([lock_agents([agent_id])])
            other.execute(refer.sql, (agent_id,))
            with pytest.raises(psycopg.errors.LockNotAvailable):
                other.execute(take.sql, (agent_id,))

    await sync_to_async(while_locked)()


async def test_an_event_of_an_agent_that_does_not_exist_is_refused() -> None:
    def wrong() -> None:
        try:
            publish("agent-nobody", note("x"))
        except LookupError:
            return
        raise AssertionError("published")

    await sync_to_async(wrong)()


async def test_who_is_cancelled_at_the_moment_of_a_ring_stops_waiting() -> None:
    bell = Bell()
    waiting = asyncio.create_task(bell.wait(5))
    await asyncio.sleep(0)
    bell.ring("agent-1")
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
