"""A run that has used what it may use ends, and says which budget it was and how to raise it."""

import asyncio
import time
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from agents_core.actions import agents
from agents_core.actions.budgets import OF_REQUEST, checked_budgets
from agents_core.errors import InvalidInput
from agents_core.events.types import RunEnded
from agents_core.llm.providers.scripted import Answer
from agents_core.llm.types import Usage
from agents_core.models import Agent, Run, Step, ToolCall
from agents_core.runtime.loop import execute
from tests.runtime.world import events, in_context, make_agent, make_tool, play, said, say, spoken

SEARCH = ("conversation_search", {"query": "x"})
SLEEP = '''
import time

def doze(seconds: float) -> str:
    """Sleeps.

    Args:
        seconds: How long.
    """
    time.sleep(seconds)
    return "rested"
'''


def calling(number: int, input_tokens: int = 100) -> Answer:
    """A step that goes on, of 100 tokens or as many as are given; its call is another than that of other numbers."""
    return Answer(calls=[("conversation_search", {"query": str(number)})], usage=Usage(input_tokens, 0))


async def searching(answers: Any, **fields: Any) -> Agent:
    return await make_agent(answers, tools=["conversation_search"], **fields)


@pytest.mark.parametrize("where", ["agent", "request"])
async def test_a_run_ends_before_the_step_that_it_has_no_tokens_left_for(where: str) -> None:
    budgets = {"max_run_tokens": 250}
    of_agent, of_request = (budgets, {}) if where == "agent" else ({}, budgets)
    agent = await searching([calling(n) for n in range(9)], budgets=of_agent)
    ended = await say(agent, "Hi", budgets=of_request)
    assert (ended.status, ended.stop_reason) == ("failed", "max_tokens_exceeded")
    assert ended.error is not None
    assert ended.error["code"] == "budget_exceeded"
    assert "300 tokens of 250 tokens" in ended.error["message"]
    assert "max_run_tokens" in ended.error["message"]
    assert await Step.objects.filter(agent=agent, status="success").acount() == 3
    assert await events(agent, RunEnded) == [RunEnded("failed", "max_tokens_exceeded")]
    await play(agent, ["Back."])
    assert spoken((await say(agent, "Again")).messages[0]) == "Back."


async def test_the_last_answer_counts_though_it_passes_the_budget() -> None:
    agent = await searching([calling(1), Answer("Done.", usage=Usage(1000, 0))], budgets={"max_run_tokens": 200})
    assert (await say(agent, "Hi")).status == "completed"


async def test_a_request_may_lower_the_agents_budget_and_not_raise_it() -> None:
    agent = await searching([calling(n) for n in range(9)], budgets={"max_run_tokens": 250})
    for asked, steps in ((150, 2), (100_000, 3)):
        await play(agent, [calling(n) for n in range(9)])
        ended = await say(agent, "Hi", budgets={"max_run_tokens": asked})
        assert (ended.status, ended.steps - 1) == ("failed", steps)


async def test_a_run_ends_when_its_money_is_spent() -> None:
    agent = await searching([calling(n, 1_000_000) for n in range(9)], budgets={"max_run_cost_usd": 0.5})
    await Agent.objects.filter(id=agent.id).aupdate(model="scripted/gpt-4o-mini")
    agent.model = "scripted/gpt-4o-mini"
    await play(agent, [calling(n, 1_000_000) for n in range(9)])
    ended = await say(agent, "Hi")
    assert (ended.status, ended.stop_reason) == ("failed", "insufficient_credits"), ended.error
    cost = sum([step.cost_usd or 0 async for step in Step.objects.filter(agent=agent)])
    assert 0.5 <= cost < 1
    assert ended.error is not None
    assert "USD" in ended.error["message"]


async def test_a_budget_of_the_day_counts_all_runs_of_the_agent() -> None:
    agent = await searching([Answer("One.", usage=Usage(90, 10))] * 3, budgets={"max_day_tokens": 150})
    assert [(await say(agent, "Hi")).status for _ in range(3)] == ["completed", "completed", "failed"]
    ended = await say(agent, "Hi")
    assert ended.error is not None
    assert "The agent has used 200 tokens of 150 tokens" in ended.error["message"]
    await sync_to_async(agents.modify)(agent.id, {"budgets": {"max_day_tokens": None}})
    assert (await say(agent, "Hi")).status == "completed"


async def test_yesterday_is_not_counted() -> None:
    agent = await searching([Answer("One.", usage=Usage(90, 10))] * 2, budgets={"max_day_tokens": 50})
    await say(agent, "Hi")
    await Step.objects.filter(agent=agent).aupdate(started_at="2020-01-01T00:00:00Z")
    assert (await say(agent, "Hi")).status == "completed"


async def test_the_time_of_a_run_ends_a_model_that_is_silent() -> None:
    agent = await make_agent([Answer("Late.", delay_s=30)], budgets={"max_run_s": 0.3})
    started = time.monotonic()
    ended = await say(agent, "Hi")
    assert time.monotonic() - started < 5
    assert (ended.status, ended.stop_reason, ended.messages) == ("failed", "error", [])
    assert ended.error is not None
    assert (ended.error["code"], "max_run_s" in ended.error["message"]) == ("budget_exceeded", True)
    assert [message.role for message in await in_context(agent)] == ["system"]


async def test_the_time_of_a_run_ends_a_tool_that_is_under_way() -> None:
    await make_tool(SLEEP)
    agent = await make_agent([Answer(calls=[("doze", {"seconds": 8})])], tools=["doze"], budgets={"max_run_s": 1})
    started = time.monotonic()
    ended = await say(agent, "Hi")
    assert time.monotonic() - started < 6
    assert (ended.status, ended.stop_reason) == ("failed", "error")
    call = await ToolCall.objects.aget(agent=agent)
    assert (call.status, "Interrupted" in (call.result or "")) == ("interrupted", True)
    assert [message.role for message in await in_context(agent)] == ["system", "user", "assistant", "tool"]
    await play(agent, ["Back."])
    await sync_to_async(agents.modify)(agent.id, {"budgets": {"max_run_s": None}})
    assert (await say(agent, "Again")).status == "completed"


async def test_a_worker_that_takes_a_run_over_goes_on_with_its_sums() -> None:
    agent = await searching([calling(1), calling(2), Answer("Late.", delay_s=30)], budgets={"max_run_tokens": 250})
    run_id = await said(agent, "Hi")
    task = asyncio.create_task(execute(agent.id, run_id, None, 1))
    while await Step.objects.filter(agent=agent, status="success").acount() < 2:
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await play(agent, [calling(n) for n in range(3, 9)])
    await execute(agent.id, run_id, None, 2)
    run = await Run.objects.aget(id=run_id)
    assert (run.status, run.stop_reason) == ("failed", "max_tokens_exceeded")
    assert await Step.objects.filter(agent=agent, status="success").acount() == 3


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"max_run_songs": 1}, "no budget max_run_songs"),
        ({"max_run_s": 0}, "above 0"),
        ({"max_run_tokens": "many"}, "above 0"),
        ({"max_run_cost_usd": float("nan")}, "above 0"),
        ({"max_repeated_calls": 1}, "from 2 on"),
        ({"max_repeated_calls": 2.5}, "from 2 on"),
    ],
)
def test_a_budget_that_means_nothing_is_refused(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        checked_budgets(given)


def test_a_request_has_no_budget_for_the_day() -> None:
    with pytest.raises(InvalidInput, match="no budget max_day_tokens"):
        checked_budgets({"max_day_tokens": 5}, OF_REQUEST)
