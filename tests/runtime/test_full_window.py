"""A model with a window of 8,000 tokens, and a conversation that is much longer."""

import pytest

from agents_core.llm import tokens
from agents_core.llm.errors import ContextWindowExceeded
from agents_core.llm.offline.summary import SUMMARY_REQUEST
from agents_core.llm.providers.scripted import Answer
from agents_core.llm.types import ModelRequest, Usage
from agents_core.memory import recall
from agents_core.models import Agent, Eviction, Message, Step
from tests.runtime.world import make_agent, say

WINDOW = 8000
TURNS = 1000
WORDS = "the harbour master wrote down every ship that came in on that day, and what it carried. " * 3


def counted(request: ModelRequest) -> int:
    """The tokens of a tokenizer that is not ours: 3.3 characters each, and its own markup around messages and tools."""
    said = sum(
        len(message.text) + sum(len(call.arguments) for call in message.tool_calls) for message in request.messages
    )
    tools = sum(len(str(tool.parameters)) + len(tool.description) for tool in request.tools)
    return round((said + tools + len(request.system)) / 3.3) + 9 * len(request.messages) + 20 * len(request.tools)


def with_own_tokenizer(request: ModelRequest) -> Answer:
    """A model that refuses what is too long for it, and reports its own counts."""
    if (count := counted(request)) > WINDOW:
        return Answer(error=ContextWindowExceeded(f"{count} tokens are too many."))
    summary = request.system.startswith(SUMMARY_REQUEST)
    berth = request.messages[-1].text.split()[0].replace("vessel", "berth")
    return Answer("They spoke of ships." if summary else f"{berth} is noted.", usage=Usage(count, 5))


async def estimates(agent: Agent) -> list[float]:
    """How far each estimate was from what the provider reported then, as a share."""
    rows = Step.objects.filter(agent=agent, kind="agent", status="success").order_by("number")
    return [abs(e - p) / p async for e, p in rows.values_list("estimated_tokens", "prompt_tokens")]


@pytest.mark.timeout(180)
async def test_two_thousand_messages_against_a_small_window_are_all_answered_counted_and_found_again() -> None:
    """All through the real runtime: 1,000 messages of a person, 1,000 answers. Each has a word of its own, and each that was evicted is
    searched for by that word, as conversation_search does: ten words a question, which exactly their ten messages answer."""
    tokens.load()
    agent = await make_agent([with_own_tokenizer] * (TURNS * 2), context_window=WINDOW, include_base_tools=True)
    for number in range(TURNS):
        ended = await say(agent, f"vessel{number}x arrived. {WORDS}")
        assert (ended.status, ended.stop_reason) == ("completed", "end_turn"), (number, ended.error)
    assert max((await estimates(agent))[10:]) < 0.03
    said = [
        message async for message in Message.objects.filter(agent=agent, role__in=("user", "assistant")).order_by("seq")
    ]
    assert len(said) == 2 * TURNS
    evicted = [message for message in said if message.context_position is None]
    listed = {row async for each in Eviction.objects.filter(agent=agent) for row in each.message_ids}
    assert len(evicted) > 2 * TURNS * 0.9
    assert {message.id for message in evicted} <= listed
    await recall.index_words(agent.id)
    apart = len(evicted) // 10 + 1  # A message beside two that are asked for would be found for their sake.
    for some in (evicted[first::apart] for first in range(apart)):
        own_words = " ".join(message.content[0]["text"].split()[0] for message in some)
        found = await recall.search(recall.RecallSearch(agent.id, own_words), None)
        assert {hit.id for hit in found.hits[: len(some)]} == {message.id for message in some}, own_words


async def test_after_ten_calls_the_estimate_is_within_three_percent_of_what_the_provider_counts() -> None:
    tokens.load()
    agent = await make_agent([with_own_tokenizer] * 60, context_window=128_000, include_base_tools=True)
    for number in range(40):
        assert (await say(agent, f"{number}: {WORDS * (number % 4)}")).status == "completed"
    off = await estimates(agent)
    assert off[0] > 0.03, "the tokenizer is like ours, so the test shows nothing"
    assert max(off[10:]) < 0.03


async def test_an_agent_whose_window_is_full_before_it_is_asked_still_answers() -> None:
    """The window shrank under the conversation: nothing but a compaction makes the next request possible."""
    agent = await make_agent([with_own_tokenizer] * 90, context_window=128_000)
    for number in range(30):
        await say(agent, f"{number}: {WORDS}")
    await Agent.objects.filter(pk=agent.id).aupdate(context_window=2000)
    for _ in range(3):
        assert (await say(agent, "still there?")).status == "completed"
    assert await Eviction.objects.filter(agent=agent).aexists()
