"""The window fills: the oldest messages leave it, a summary comes, and the agent always answers."""

import pytest

from agents_core.events.types import ContextCompacted
from agents_core.llm.errors import ContextWindowExceeded, ModelServerError
from agents_core.llm.offline.summary import SUMMARY_REQUEST
from agents_core.llm.providers.scripted import Answer, Scripted
from agents_core.llm.types import ModelRequest
from agents_core.memory import recall
from agents_core.models import Agent, Eviction, Message, Step
from tests.runtime.world import events, in_context, make_agent, make_tool, say, spoken

WINDOW = 4000
FILLER = "The harbour master wrote down every ship that came in on that day. " * 40
LONG = 'def long(n: int) -> str:\n    """Long.\n\n    Args:\n        n: Which.\n    """\n    return f"page {n} " + "word " * 700\n'


def is_summary(request: ModelRequest) -> bool:
    return request.system.startswith(SUMMARY_REQUEST)


def answering(summary: str | Answer = "They spoke of ships.") -> list[Scripted]:
    def model(request: ModelRequest) -> str | Answer:
        return summary if is_summary(request) else f"Answer {len(request.messages)}."

    return [model] * 200


async def talk(agent: Agent, times: int) -> None:
    for number in range(times):
        ended = await say(agent, f"Message {number}. {FILLER}")
        assert (ended.status, ended.stop_reason) == ("completed", "end_turn"), ended.error


async def roles(agent: Agent) -> list[str]:
    return [message.role for message in await in_context(agent)]


async def test_old_messages_give_way_to_one_summary_which_stands_first() -> None:
    agent = await make_agent(answering(), context_window=WINDOW)
    await talk(agent, 12)
    assert (await roles(agent))[:2] == ["system", "summary"]
    assert (await roles(agent)).count("summary") == 1
    assert "They spoke of ships." in spoken((await in_context(agent))[1])
    evictions = [eviction async for eviction in Eviction.objects.filter(agent=agent)]
    assert evictions
    assert all(eviction.tokens_after < eviction.tokens_before <= WINDOW for eviction in evictions)
    assert [type(event) for event in await events(agent, ContextCompacted)] == [ContextCompacted] * len(evictions)
    assert await Message.objects.filter(agent=agent, role="user").acount() == 12


async def test_a_window_that_fills_within_one_run_keeps_its_order() -> None:
    await make_tool(LONG)
    pages = [Answer(f"Page {n}.", calls=[("long", {"n": n})]) for n in range(12)]
    played = iter([*pages, "All read."])

    def model(request: ModelRequest) -> str | Answer:
        return "Pages were read." if is_summary(request) else next(played)

    agent = await make_agent([model] * 60, tools=["long"], context_window=WINDOW)
    assert (await say(agent, "Read it all")).status == "completed"
    messages = await in_context(agent)
    assert [message.role for message in messages][:2] == ["system", "summary"]
    seqs = [message.seq for message in messages[2:]]
    assert seqs == sorted(seqs)
    called = {call["id"] for message in messages for call in message.tool_calls}
    returned = {answer["tool_call_id"] for message in messages for answer in message.tool_returns}
    assert called == returned


async def test_a_summariser_that_fails_costs_no_message() -> None:
    agent = await make_agent(answering(Answer(error=ModelServerError("Down."))), context_window=WINDOW)
    await talk(agent, 8)
    assert (await in_context(agent))[1].role == "summary"
    first = await Message.objects.filter(agent=agent, role="summary").order_by("seq").afirst()
    assert first is not None
    assert "Message 0." in spoken(first)
    assert await Step.objects.filter(agent=agent, kind="summary", status="failed").aexists()


async def test_a_summary_as_long_as_the_window_is_cut() -> None:
    agent = await make_agent(answering("endless 很长 " * 20_000), context_window=WINDOW)
    await talk(agent, 12)
    assert len(spoken((await in_context(agent))[1])) < WINDOW


async def test_a_message_too_long_for_the_window_fails_alone_and_drives_nothing_out() -> None:
    def model(request: ModelRequest) -> str | Answer:
        if sum(len(message.text) for message in request.messages) > WINDOW * 6:
            return Answer(error=ContextWindowExceeded("Too long."))
        return "Yes."

    agent = await make_agent([model] * 60, context_window=WINDOW)
    await talk(agent, 3)
    before = [message.id for message in await in_context(agent)]
    ended = await say(agent, "far too long " * 20_000)
    assert (ended.status, ended.stop_reason) == ("failed", "llm_api_error")
    assert [message.id for message in await in_context(agent)] == before
    assert (await say(agent, "Short")).status == "completed"


async def test_a_system_prompt_too_long_for_the_window_is_told_as_that() -> None:
    agent = await make_agent([Answer(error=ContextWindowExceeded("Too long."))] * 9, context_window=WINDOW,
                             system="You know much. " * 5000)  # fmt: skip
    ended = await say(agent, "Hi")
    assert (ended.status, ended.stop_reason) == ("failed", "context_window_overflow_in_system_prompt")


async def test_a_model_whose_window_is_smaller_than_was_thought_is_given_room() -> None:
    agent = await make_agent(model="offline/rules-8k", context_window=32_000)
    for number in range(30):
        ended = await say(agent, f"Message {number}. {FILLER}")
        assert ended.status == "completed", (number, ended.error)
    assert await Eviction.objects.filter(agent=agent, trigger="context_window_exceeded").aexists()


@pytest.mark.timeout(240)
async def test_three_hundred_messages_against_a_small_window_are_all_answered_and_stay_findable() -> None:
    agent = await make_agent(
        model="offline/rules-8k", context_window=8000, include_base_tools=True, agent_type="memgpt_agent"
    )
    for number in range(300):
        ended = await say(
            agent, f"Ship number {number} is called Vessel{number}x and carries {number} barrels of salt."
        )
        assert ended.status == "completed", (number, ended.error)
        assert ended.messages
    evicted = [message async for message in Message.objects.filter(agent=agent, role="user", context_position=None)]
    assert len(evicted) > 100
    listed = {
        row for eviction in [e async for e in Eviction.objects.filter(agent=agent)] for row in eviction.message_ids
    }
    assert {message.id for message in evicted} <= listed
    for number in range(0, 100, 9):
        found = await recall.search(recall.RecallSearch(agent.id, f"Vessel{number}x", limit=5), None)
        assert f"Vessel{number}x" in found.hits[0].text
