"""An agent that makes the same call over and over is told so, and then its run ends."""

import asyncio
from typing import Any

import pytest

from agents_core.llm.providers.scripted import Answer
from agents_core.models import Message, Run, Step
from agents_core.runtime.loop import execute
from tests.runtime.world import make_agent, play, said, say, spoken

SEARCH = Answer(calls=[("conversation_search", {"query": "x"})])
OTHER = Answer(calls=[("conversation_search", {"query": "y"})])


async def test_the_fifth_equal_call_ends_the_run_and_the_fourth_is_warned_of() -> None:
    agent = await make_agent([SEARCH] * 9, tools=["conversation_search"])
    ended = await say(agent, "Hi")
    assert (ended.status, ended.stop_reason, ended.steps) == ("failed", "error", 5)
    assert ended.error is not None
    assert ended.error["code"] == "loop_detected"
    assert "conversation_search 5 times" in ended.error["message"]
    warned = [message async for message in Message.objects.filter(agent=agent, role="user").order_by("seq")]
    assert ["4 times" in spoken(message) for message in warned] == [False, True]


async def test_a_warned_agent_may_do_something_else() -> None:
    agent = await make_agent([SEARCH] * 4 + ["Nothing found."], tools=["conversation_search"])
    assert (await say(agent, "Hi")).status == "completed"


async def test_calls_in_turn_are_counted_each_by_itself() -> None:
    agent = await make_agent([SEARCH, OTHER] * 9, tools=["conversation_search"])
    ended = await say(agent, "Hi")
    assert (ended.status, ended.steps) == ("failed", 9)


async def test_a_call_whose_result_changes_is_no_loop() -> None:
    append = Answer(calls=[("core_memory_append", {"label": "human", "content": "x"})])
    agent = await make_agent([append] * 8 + ["Done."], tools=["core_memory_append"])
    assert (await say(agent, "Hi")).status == "completed"


async def test_an_agent_of_heartbeats_is_warned_with_its_heartbeat() -> None:
    beat = Answer(calls=[("conversation_search", {"query": "x", "request_heartbeat": True})])
    agent = await make_agent([beat] * 9, tools=["conversation_search"], agent_type="memgpt_agent")
    ended = await say(agent, "Hi")
    assert (ended.status, ended.steps) == ("failed", 5)
    said = Message.objects.filter(agent=agent, role="user", run__isnull=False)
    nudges = [spoken(message) async for message in said.order_by("seq")]
    assert ["heartbeat: go on" in nudge for nudge in nudges] == [False, True, True, True, True]
    assert ["4 times" in nudge for nudge in nudges] == [False, False, False, False, True]


async def test_the_next_run_counts_anew() -> None:
    agent = await make_agent([*[SEARCH] * 3, "One.", *[SEARCH] * 3, "Two."], tools=["conversation_search"])
    assert [(await say(agent, "Hi")).status for _ in range(2)] == ["completed", "completed"]


@pytest.mark.parametrize(
    ("of_agent", "of_request", "steps"), [(2, None, 2), (None, 3, 3), (2, 4, 4), (0, None, 8), (None, 0, 8)]
)
async def test_agent_and_request_set_how_often(of_agent: Any, of_request: Any, steps: int) -> None:
    agent = await make_agent(
        [*[SEARCH] * 7, "Done."], tools=["conversation_search"], budgets={"max_repeated_calls": of_agent}
    )
    ended = await say(agent, "Hi", budgets={} if of_request is None else {"max_repeated_calls": of_request})
    assert (ended.status, ended.steps) == ("completed" if steps == 8 else "failed", steps)


async def test_a_worker_that_takes_a_run_over_counts_on() -> None:
    agent = await make_agent([*[SEARCH] * 3, Answer("Late.", delay_s=30)], tools=["conversation_search"])
    run_id = await said(agent, "Hi")
    task = asyncio.create_task(execute(agent.id, run_id, None, 1))
    while await Step.objects.filter(agent=agent, status="success").acount() < 3:
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await play(agent, [SEARCH] * 9)
    await execute(agent.id, run_id, None, 2)
    run = await Run.objects.aget(id=run_id)
    assert run.error is not None
    assert run.error["code"] == "loop_detected"
    assert await Step.objects.filter(agent=agent, status="success").acount() == 5


async def test_an_agent_that_never_calls_what_its_rules_require_is_not_asked_for_ever() -> None:
    rule = {"type": "required_before_exit", "tool_name": "conversation_search"}
    agent = await make_agent(["I will not."] * 9, tools=["conversation_search"], tool_rules=[rule])
    ended = await say(agent, "Hi")
    assert (ended.status, ended.stop_reason, ended.steps) == ("failed", "error", 5)
    assert ended.error is not None
    assert "5 times without calling" in ended.error["message"]
