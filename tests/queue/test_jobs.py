"""Runs as jobs: in order within a conversation, side by side across them, and never lost with a worker."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest
from asgiref.sync import sync_to_async
from procrastinate import App
from procrastinate.exceptions import JobAborted

from agents_core.actions import conversations
from agents_core.actions.messages import Input, send
from agents_core.events.types import RunEnded, RunStarted
from agents_core.llm.providers.scripted import Answer
from agents_core.llm.types import ModelRequest
from agents_core.models import Agent, Message, Run, pipeline
from agents_core.models.pipeline import Statement
from agents_core.queue.tasks import QUEUE, HandBack, recover
from agents_core.queue.worker import RunWorker
from agents_core.runtime.loop import execute
from tests.runtime.world import events, make_agent, play, said, spoken, text


@asynccontextmanager
async def worker(app: App, grace_s: float = 0.05) -> AsyncIterator[RunWorker]:
    """A worker, stopped as by SIGTERM at the end."""
    working = RunWorker(
        app, queues=[QUEUE], concurrency=16, delete_jobs="always", install_signal_handlers=False,
        fetch_job_polling_interval=0.1, update_heartbeat_interval=0.5, shutdown_graceful_timeout=grace_s,
    )  # fmt: skip
    task = asyncio.create_task(working.run())
    try:
        yield working
    finally:
        working.stop()
        await asyncio.wait_for(task, 20)


async def ended(*run_ids: str) -> list[Run]:
    """The runs, once all have ended."""
    async with asyncio.timeout(30):
        while await Run.objects.filter(id__in=run_ids, status__in=["created", "running"]).aexists():
            await asyncio.sleep(0.02)
    found = {run.id: run async for run in Run.objects.filter(id__in=run_ids)}
    return [found[run_id] for run_id in run_ids]


async def jobs() -> list[tuple[Any, ...]]:
    return (
        await pipeline.run([Statement("SELECT status::text, args ->> 'run_id' FROM procrastinate_jobs ORDER BY id")])
    )[0]


async def no_jobs_left() -> None:
    async with asyncio.timeout(10):
        while await jobs():
            await asyncio.sleep(0.02)


def echo(request: ModelRequest) -> Answer:
    return Answer(request.messages[-1].text.upper(), delay_s=0.02)


async def test_messages_of_one_conversation_are_answered_in_the_order_they_came(app: App) -> None:
    agent = await make_agent([echo] * 20)
    async with worker(app), worker(app):
        runs = await ended(*[await said(agent, f"m{n}") for n in range(10)])
    assert [run.status for run in runs] == ["completed"] * 10
    history = [spoken(m) async for m in Message.objects.filter(agent=agent, role="assistant").order_by("seq")]
    assert history == [f"M{n}" for n in range(10)]
    told = [event for event in await events(agent) if isinstance(event, RunStarted | RunEnded)]
    assert [type(event) for event in told] == [RunStarted, RunEnded] * 10, "two at once"


async def test_conversations_do_not_wait_for_each_other(app: App) -> None:
    agent = await make_agent([Answer("Late.", delay_s=20)])
    other = (await sync_to_async(conversations.create)(agent.id)).id
    async with worker(app):
        slow = await said(agent, "Slow")
        while not await Run.objects.filter(id=slow, status="running").aexists():
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        await play(agent, ["Soon."])
        [run] = await ended(await said(agent, "Quick", conversation_id=other))
        assert run.status == "completed"
        assert (await Run.objects.aget(id=slow)).status == "running"


async def test_a_job_is_gone_when_its_run_has_ended(app: App) -> None:
    agent = await make_agent(["Yes.", Answer("No")])
    async with worker(app):
        await ended(await said(agent, "One"), await said(agent, "Two"), await said(agent, "Out of answers"))
        await no_jobs_left()


async def test_a_job_whose_agent_was_deleted_is_done(app: App) -> None:
    agent = await make_agent(["Never."])
    await said(agent, "Hi")
    await agent.adelete()
    async with worker(app):
        await no_jobs_left()


async def test_a_worker_that_stops_hands_its_run_back_and_the_next_finishes_it(app: App) -> None:
    agent = await make_agent([Answer("Late.", delay_s=30)])
    run_id = await said(agent, "Hi")
    after = await said(agent, "And then?")
    async with worker(app):
        while not await Run.objects.filter(id=run_id, status="running").aexists():
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
    assert await jobs() == [("todo", run_id), ("todo", after)]
    assert (await Run.objects.aget(id=run_id)).attempts == 0
    await play(agent, ["First.", "Second."])
    async with worker(app):
        runs = await ended(run_id, after)
    assert [(run.status, run.attempts) for run in runs] == [("completed", 1)] * 2
    history = [spoken(m) async for m in Message.objects.filter(agent=agent, role="assistant").order_by("seq")]
    assert history == ["First.", "Second."]


async def test_the_jobs_of_a_dead_worker_are_taken_up_in_order(app: App) -> None:
    agent = await make_agent(["First.", "Second."])
    first, second = await said(agent, "One"), await said(agent, "Two")
    dead = await app.job_manager.register_worker()
    job = await app.job_manager.fetch_job(queues=[QUEUE], worker_id=dead)
    assert job is not None
    assert await recover(app) == 0
    await pipeline.run([
        Statement("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute' WHERE id = %s", (dead,))
    ])  # fmt: skip
    assert await jobs() == [("doing", first), ("todo", second)]
    assert await recover(app) == 1
    async with worker(app):
        assert [run.status for run in await ended(first, second)] == ["completed"] * 2
    history = [spoken(m) async for m in Message.objects.filter(agent=agent, role="assistant").order_by("seq")]
    assert history == ["First.", "Second."]


async def test_a_run_that_lost_its_job_gets_another(app: App) -> None:
    agent = await make_agent(["First.", "Second."])
    runs = [await said(agent, "One"), await said(agent, "Two")]
    await pipeline.run([Statement("DELETE FROM procrastinate_jobs")])
    assert await recover(app) == 2
    assert await recover(app) == 0
    assert [run_id for _, run_id in await jobs()] == runs
    async with worker(app):
        assert [run.status for run in await ended(*runs)] == ["completed"] * 2
    assert await recover(app) == 0


async def test_a_run_whose_worker_lost_the_database_is_finished(app: App) -> None:
    agent = await make_agent([Answer("Late.", delay_s=0.5), "Here."])
    run_id = await said(agent, "Hi")
    async with worker(app):
        while not await Run.objects.filter(id=run_id, status="running").aexists():
            await asyncio.sleep(0.01)
        terminate = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = %s AND pid <> pg_backend_pid()"
        )
        await pipeline.run([Statement(terminate, (pipeline.APPLICATION_NAME,))])
        [run] = await ended(run_id)
    assert run.status == "completed"
    assert await Message.objects.filter(agent=agent, role="assistant").acount() == 1


async def test_a_message_is_not_stored_without_a_job_nor_a_job_without_a_message(app: App) -> None:
    agent = await make_agent()
    await Agent.objects.filter(id=agent.id).adelete()
    with pytest.raises(Exception, match="not found"):
        await said(agent, "Hi")
    assert await jobs() == []
    assert not await Run.objects.aexists()


async def called_back(agent: Agent, url: str) -> str:
    """Sends a message whose run is to be told of at ``url``."""
    return (await send(agent.id, [Input("user", text("Hi"))], callback_url=url)).run_id


async def test_a_job_of_another_kind_that_fails_is_tried_again_and_blocks_no_conversation(app: App) -> None:
    agent = await make_agent(["One.", "Two."])
    with socket.create_server(("127.0.0.1", 0)) as server:
        dead = f"http://127.0.0.1:{server.getsockname()[1]}/"
    odd = "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, args) VALUES (%s, %s, %s, %s)"
    await pipeline.run([Statement(odd, (QUEUE, "agents_core:callback", None, pipeline.json({"odd": "x"})))])
    lock = f"conversation:{agent.id}"
    await pipeline.run([Statement(odd, (QUEUE, "agents_core:nobody", lock, pipeline.json({})))])
    async with worker(app):
        first = await called_back(agent, dead)
        second = await said(agent, "Hi again")
        assert [run.status for run in await ended(first, second)] == ["completed"] * 2
        async with asyncio.timeout(10):
            while (await Run.objects.aget(id=first)).callback_error is None:
                await asyncio.sleep(0.02)
    rows = (
        await pipeline.run([Statement("SELECT task_name, attempts > 0 FROM procrastinate_jobs WHERE status = 'todo'")])
    )[0]
    assert rows == [("agents_core:callback", True)] * 2, "both are tried again; the one that nobody knows is gone"


async def test_a_callback_is_queued_with_the_end_of_its_run_and_behind_other_runs(app: App) -> None:
    agent = await make_agent(["One."])
    run_id = await called_back(agent, "http://127.0.0.1:1/")
    await execute(agent.id, run_id, None, 1)
    rows = (
        await pipeline.run([Statement("SELECT task_name, args, lock, priority FROM procrastinate_jobs ORDER BY id")])
    )[0]
    assert [name for name, *_ in rows] == ["agents_core:run", "agents_core:callback"]
    assert rows[1][1:3] == ({"run_id": run_id}, None)
    assert rows[1][3] < rows[0][3]


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (asyncio.CancelledError(), True),
        (JobAborted(), True),
        (psycopg.OperationalError("gone"), True),
        (psycopg.InterfaceError("closed"), True),
        (ValueError("a bug"), False),
        (psycopg.DataError("a bug"), False),
    ],
)
def test_which_jobs_go_back_to_the_queue(error: BaseException, again: bool) -> None:
    assert (HandBack().get_retry_decision(exception=error, job=None) is not None) == again  # type: ignore[arg-type]
