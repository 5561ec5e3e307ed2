"""A worker may die at any commit: no message is lost or doubled, no outside effect repeated unseen, and the run ends."""

import asyncio
from collections import Counter
from typing import Any

import psycopg
import pytest
from asgiref.sync import sync_to_async

from agents_core.actions import runs
from agents_core.events.subscribe import read
from agents_core.llm.providers.scripted import Answer
from agents_core.llm.types import ModelRequest
from agents_core.models import Agent, Message, Run, Step, ToolCall, pipeline
from agents_core.models.pipeline import Statement, connection_settings
from agents_core.runtime import calls, persist
from agents_core.runtime.loop import MAX_ATTEMPTS, execute
from agents_core.runtime.transcript import INTERRUPTED
from agents_core.tools.execute import run_custom
from tests.runtime.world import in_context, make_agent, make_tool, play, said, say, spoken, value_of

SIDE_EFFECT = (
    'def send_mail(to: str) -> str:\n    """Sends.\n\n    Args:\n        to: Whom.\n    """\n    return "sent"\n'
)
MAIL = ("send_mail", {"to": "Ada"})
APPEND = ("core_memory_append", {"label": "human", "content": "Was written to."})


class WorkerDied(BaseException):
    """Nothing in the project catches this: what was not committed is gone."""


def by_what_is_there(request: ModelRequest) -> Answer:
    """A model without a memory of its own: one mail, one note, an answer, whatever happened to them."""
    returns = [message.text for message in request.messages if message.role == "tool"]
    if len(returns) < 2:
        return Answer("On it.", calls=[APPEND if returns else MAIL])
    return Answer("Done, though I was interrupted." if any("Interrupted" in text for text in returns) else "Done.")


@pytest.fixture
def sent_mails(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts the calls that really run in the sandbox."""
    ran: Counter[str] = Counter()

    async def counted(name: str, *arguments: Any, **options: Any) -> Any:
        ran[name] += 1
        return await run_custom(name, *arguments, **options)

    monkeypatch.setattr(calls, "run_custom", counted)
    return ran


def die_at(monkeypatch: pytest.MonkeyPatch, number: int, *, committed: bool) -> list[int]:
    """The worker dies just before or just after its commit ``number``; gives a list with an item for each commit begun."""
    begun: list[int] = []
    run = persist.Commit.run

    async def dying(commit: persist.Commit) -> Any:
        begun.append(len(begun))
        if begun[-1] == number and not committed:
            raise WorkerDied
        rows = await run(commit)
        if begun[-1] == number:
            raise WorkerDied
        return rows

    monkeypatch.setattr(persist.Commit, "run", dying)
    return begun


async def make_mailer() -> Agent:
    await make_tool(SIDE_EFFECT)
    return await make_agent([by_what_is_there] * 20, tools=["send_mail", "core_memory_append"])


async def check_whole(agent: Agent, run_id: str) -> list[Message]:
    """Gives the run's messages after checking what holds of every run that has ended."""
    run = await Run.objects.aget(id=run_id)
    assert (run.status, run.stop_reason) == ("completed", "end_turn"), run.error
    assert not await Step.objects.filter(run=run_id, status="pending").aexists()
    assert not await ToolCall.objects.filter(step__run=run_id, status="intended").aexists()
    messages = [message async for message in Message.objects.filter(run=run_id).order_by("seq")]
    called = [call["id"] for message in messages for call in message.tool_calls]
    returned = [answer["tool_call_id"] for message in messages for answer in message.tool_returns]
    assert called == returned
    assert [message.id for message in messages] == [message.id for message in (await in_context(agent))[1:]]
    told = [stored.seq for stored in await read(agent.id, 0)]
    assert told == list(range(1, len(told) + 1))
    return messages


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize("number", range(5))
async def test_a_worker_that_dies_at_a_commit_loses_and_doubles_nothing(
    number: int, committed: bool, monkeypatch: pytest.MonkeyPatch, sent_mails: Counter[str]
) -> None:
    agent = await make_mailer()
    run_id = await said(agent, "Write to Ada.")
    with monkeypatch.context() as patch, pytest.raises(WorkerDied):
        die_at(patch, number, committed=committed)
        await execute(agent.id, run_id, None, 1)
    await execute(agent.id, run_id, None, 2)
    messages = await check_whole(agent, run_id) if not (number == 4 and committed) else []
    run = await Run.objects.aget(id=run_id)
    assert run.status == "completed"
    assert [spoken(message) for message in messages if message.role == "user"] in (["Write to Ada."], [])
    assert sent_mails["send_mail"] <= 1
    assert await value_of(agent) == "Her name is Ada.\nWas written to."


async def test_the_run_of_these_tests_has_five_commits(
    monkeypatch: pytest.MonkeyPatch, sent_mails: Counter[str]
) -> None:
    agent = await make_mailer()
    run_id = await said(agent, "Write to Ada.")
    assert die_at(monkeypatch, 99, committed=True) == []
    begun = die_at(monkeypatch, 99, committed=True)
    await execute(agent.id, run_id, None, 1)
    assert len(begun) == 5
    assert sent_mails["send_mail"] == 1
    assert [m.role for m in await check_whole(agent, run_id)] == [
        "user", "assistant", "tool", "assistant", "tool", "assistant"
    ]  # fmt: skip


async def test_a_call_whose_outcome_is_unknown_is_told_to_the_model_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, sent_mails: Counter[str]
) -> None:
    agent = await make_mailer()
    run_id = await said(agent, "Write to Ada.")
    with monkeypatch.context() as patch, pytest.raises(WorkerDied):
        die_at(patch, 2, committed=False)  # The mail was sent, its result not yet written.
        await execute(agent.id, run_id, None, 1)
    await execute(agent.id, run_id, None, 2)
    messages = await check_whole(agent, run_id)
    assert sent_mails["send_mail"] == 1
    assert messages[2].tool_returns[0]["text"] == INTERRUPTED
    assert spoken(messages[-1]) == "Done, though I was interrupted."
    assert (await ToolCall.objects.aget(name="send_mail")).status == "interrupted"


async def test_a_run_that_kills_every_worker_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    agent = await make_agent(["Never."] * 9)
    run_id = await said(agent, "Hi")
    for attempt in range(1, MAX_ATTEMPTS + 1):
        with monkeypatch.context() as patch, pytest.raises(WorkerDied):
            die_at(patch, 1, committed=False)
            await execute(agent.id, run_id, None, attempt)
    await execute(agent.id, run_id, None, MAX_ATTEMPTS + 1)
    run = await Run.objects.aget(id=run_id)
    assert (run.status, run.error["code"]) == ("failed", "worker_lost")
    assert (await say(agent, "Next")).status == "completed"


async def test_a_call_that_was_begun_when_the_last_worker_died_is_answered_too(
    monkeypatch: pytest.MonkeyPatch, sent_mails: Counter[str]
) -> None:
    agent = await make_mailer()
    run_id = await said(agent, "Write to Ada.")
    with monkeypatch.context() as patch, pytest.raises(WorkerDied):
        die_at(patch, 2, committed=False)
        await execute(agent.id, run_id, None, 1)
    await Run.objects.filter(id=run_id).aupdate(attempts=MAX_ATTEMPTS)
    await execute(agent.id, run_id, None, MAX_ATTEMPTS + 1)
    run = await Run.objects.aget(id=run_id)
    assert (run.status, run.error["code"]) == ("failed", "worker_lost")
    messages = [message async for message in Message.objects.filter(run=run_id).order_by("seq")]
    assert [message.role for message in messages] == ["user", "assistant", "tool"]
    assert messages[2].tool_returns[0]["text"] == INTERRUPTED
    assert (await ToolCall.objects.aget(name="send_mail")).status == "interrupted"
    assert sent_mails["send_mail"] == 1


async def test_the_budget_of_steps_outlives_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    search = Answer(calls=[("conversation_search", {"query": "x"})])
    agent = await make_agent([search] * 9, tools=["conversation_search"])
    run_id = await said(agent, "Search", max_steps=3)
    with monkeypatch.context() as patch, pytest.raises(WorkerDied):
        die_at(patch, 2, committed=True)
        await execute(agent.id, run_id, None, 1)
    await execute(agent.id, run_id, None, 2)
    run = await Run.objects.aget(id=run_id)
    assert run.stop_reason == "max_steps"
    assert await Message.objects.filter(run=run_id, role="assistant").acount() == 3


async def test_the_tool_rules_outlive_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = [{"type": "run_first", "tool_name": "conversation_search"}]
    offered: list[list[str]] = []

    def model(request: ModelRequest) -> Answer | str:
        offered.append([tool.name for tool in request.tools])
        return Answer(calls=[("conversation_search", {"query": "x"})]) if len(offered) == 1 else "Done."

    agent = await make_agent([model] * 9, tools=["conversation_search", "core_memory_append"], tool_rules=rules)
    run_id = await said(agent, "Go")
    with monkeypatch.context() as patch, pytest.raises(WorkerDied):
        die_at(patch, 1, committed=True)
        await execute(agent.id, run_id, None, 1)
    await execute(agent.id, run_id, None, 2)
    assert offered == [["conversation_search"], ["conversation_search", "core_memory_append"]]


@pytest.mark.parametrize("silent_s", [0.4, 30.0])
async def test_a_worker_that_was_only_thought_dead_writes_nothing_beside_its_successor(silent_s: float) -> None:
    asked: list[ModelRequest] = []

    def model(request: ModelRequest) -> Answer:
        asked.append(request)
        return Answer("From the first.", delay_s=silent_s) if len(asked) == 1 else Answer("From the second.")

    agent = await make_agent([model] * 5)
    run_id = await said(agent, "Hi")
    first = asyncio.create_task(execute(agent.id, run_id, None, 1))
    while not asked:
        await asyncio.sleep(0.01)
    await execute(agent.id, run_id, None, 2)
    await asyncio.wait_for(first, 10)
    assert [spoken(m) for m in await check_whole(agent, run_id)] == ["Hi", "From the second."]


async def test_a_run_that_is_handed_back_goes_on_elsewhere_and_does_not_count_as_lost() -> None:
    asked: list[ModelRequest] = []

    def model(request: ModelRequest) -> Answer:
        asked.append(request)
        return Answer("Late.", delay_s=30)

    agent = await make_agent([model])
    run_id = await said(agent, "Hi")
    for attempt in range(1, MAX_ATTEMPTS + 3):
        worker = asyncio.create_task(execute(agent.id, run_id, None, attempt))
        while len(asked) < attempt:
            await asyncio.sleep(0.01)
        worker.cancel()
        with pytest.raises(asyncio.CancelledError):
            await worker
        run = await Run.objects.aget(id=run_id)
        assert (run.status, run.attempts) == ("running", 0)
    await play(agent, ["Here."])
    await execute(agent.id, run_id, None, 9)
    assert [spoken(m) for m in await check_whole(agent, run_id)] == ["Hi", "Here."]


def break_connections() -> int:
    """Ends every connection of the runtime, as a restart of PostgreSQL would; gives how many."""
    with psycopg.connect(**connection_settings(), autocommit=True) as admin:
        ours = "FROM pg_stat_activity WHERE datname = current_database() AND application_name = %s"
        ended = admin.execute(f"SELECT pg_terminate_backend(pid, 5000) {ours}", (pipeline.APPLICATION_NAME,))
        return len(ended.fetchall())


async def test_connections_that_broke_while_idle_cost_no_error() -> None:
    await asyncio.gather(*(pipeline.run([Statement("SELECT pg_sleep(0.05)")]) for _ in range(16)))
    assert await sync_to_async(break_connections)() > 1
    await asyncio.sleep(0.05)
    assert await asyncio.gather(*(pipeline.run([Statement("SELECT 1")]) for _ in range(16))) == [[[(1,)]]] * 16


async def test_one_who_comes_alone_after_all_connections_broke_does_not_meet_them_one_by_one() -> None:
    await asyncio.gather(*(pipeline.run([Statement("SELECT pg_sleep(0.05)")]) for _ in range(16)))
    assert await sync_to_async(break_connections)() > 4
    await asyncio.sleep(0.05)
    assert await pipeline.run([Statement("SELECT 1")]) == [[(1,)]]


@pytest.mark.parametrize("after_s", [0.0, 0.002, 0.005, 0.01, 0.02, 0.1, 0.25])
async def test_a_run_whose_database_goes_away_is_finished_when_it_is_taken_up_again(after_s: float) -> None:
    answers = [Answer(calls=[APPEND], delay_s=0.05), *["Done."] * 6]
    agent = await make_agent(answers, tools=["core_memory_append"])
    run_id = await said(agent, "Note it.")
    worker = asyncio.create_task(execute(agent.id, run_id, None, 1))
    await asyncio.sleep(after_s)
    await sync_to_async(break_connections)()
    await asyncio.wait_for(asyncio.gather(worker, return_exceptions=True), 10)
    for attempt in range(2, 5):
        if not await Run.objects.filter(id=run_id, status__in=["created", "running"]).aexists():
            break
        await execute(agent.id, run_id, None, attempt)
    messages = await check_whole(agent, run_id)
    assert await value_of(agent) in ("Her name is Ada.\nWas written to.", "Her name is Ada.")
    assert [m.role for m in messages].count("user") == 1


async def test_a_run_that_cannot_be_read_is_ended() -> None:
    agent = await make_agent(["Hi."])
    run_id = await said(agent, "Hi")
    await Agent.objects.filter(id=agent.id).aupdate(timezone="Nowhere/Land")
    await execute(agent.id, run_id, None, 1)
    run = await Run.objects.aget(id=run_id)
    assert (run.status, run.error["code"]) == ("failed", "internal_error")
    assert "Nowhere/Land" in run.error["message"]
    assert not await Step.objects.filter(run=run_id, status="pending").aexists()


async def test_cancelling_twice_and_dying_ends_the_run_as_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    agent = await make_agent([by_what_is_there] * 9)
    run_id = await said(agent, "Hi")
    with monkeypatch.context() as patch, pytest.raises(WorkerDied):
        die_at(patch, 0, committed=True)
        await execute(agent.id, run_id, None, 1)
    await sync_to_async(runs.cancel)(agent.id)
    await execute(agent.id, run_id, None, 2)
    run = await Run.objects.aget(id=run_id)
    assert (run.status, run.stop_reason) == ("cancelled", "cancelled")
