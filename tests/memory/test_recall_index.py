import asyncio
from collections.abc import Sequence

import pytest
from asgiref.sync import sync_to_async

from agents_core.errors import Unavailable
from agents_core.llm.embeddings.hashing import HashingEmbedder
from agents_core.memory.recall import Listing, RecallSearch, index_pending, list_messages, pending_agents, search
from agents_core.memory.recall.index import reindex
from agents_core.memory.recall.turns import spoken_text
from agents_core.models import Agent, Message, MessageTerm, MessageVector
from tests.memory.world import AbsentEmbedder, TopicEmbedder, make_agent, say

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("pool")]


@pytest.fixture
def agent() -> Agent:
    return make_agent("Ada")


async def talk(agent: Agent, texts: Sequence[str], first: int = 1) -> None:
    roles = ("user", "assistant")
    for seq, text in enumerate(texts, start=first):
        await sync_to_async(say)(agent, seq, roles[seq % 2], text)


async def windows(agent: Agent) -> list[list[float]]:
    rows = MessageVector.objects.filter(agent=agent).order_by("message__seq")
    return [[round(number) for number in row.window] async for row in rows]


async def test_indexing_finishes_every_message_once(agent: Agent, topics: TopicEmbedder) -> None:
    await talk(agent, ["a dog", "a canvas", "a job"])
    await sync_to_async(say)(agent, 9, "tool", "ignored")
    assert await pending_agents() == [agent.id]
    assert await index_pending(agent.id, topics) == 3
    assert await index_pending(agent.id, topics) == 0
    assert await pending_agents() == []
    assert await MessageVector.objects.acount() == 3


async def test_a_window_holds_the_turn_before_and_the_turn_after(agent: Agent, topics: TopicEmbedder) -> None:
    await talk(agent, ["a dog", "a canvas", "a job"])
    await index_pending(agent.id, topics)
    assert await windows(agent) == [[1, 1, 0], [1, 1, 1], [0, 1, 1]]


async def test_a_new_turn_widens_the_window_of_the_one_before(agent: Agent, topics: TopicEmbedder) -> None:
    await talk(agent, ["a dog", "hm"])
    await index_pending(agent.id, topics)
    await talk(agent, ["a job"], first=3)
    await index_pending(agent.id, topics)
    assert await windows(agent) == [[1, 0, 0], [1, 0, 1], [0, 0, 1]]


async def test_small_batches_give_the_same_windows_as_one(agent: Agent, topics: TopicEmbedder) -> None:
    texts = ["a dog", "hm", "a canvas", "a job", "well", "a puppy and art"]
    other = await sync_to_async(make_agent)("Bob")
    for each in (agent, other):
        await talk(each, texts)
    await index_pending(agent.id, topics)
    while await index_pending(other.id, topics, limit=1):
        pass
    assert await windows(agent) == await windows(other)


async def test_what_is_already_embedded_is_not_embedded_again(agent: Agent, topics: TopicEmbedder) -> None:
    await talk(agent, [f"dog {number}" for number in range(10)])
    await index_pending(agent.id, topics)
    topics.calls.clear()
    await talk(agent, ["a job"], first=20)
    await index_pending(agent.id, topics)
    assert sum(map(len, topics.calls)) == 3


async def test_without_an_embedder_words_are_all(agent: Agent) -> None:
    await talk(agent, ["a dog", "a job"])
    assert await index_pending(agent.id, None) == 2
    assert await pending_agents() == []
    assert not await MessageVector.objects.filter(embedding__isnull=False).aexists()


async def test_when_the_embedder_fails_the_words_are_in_and_the_messages_stay_pending(
    agent: Agent, absent: AbsentEmbedder, topics: TopicEmbedder
) -> None:
    await talk(agent, ["a dog", "a job"])
    with pytest.raises(Unavailable):
        await index_pending(agent.id, absent)
    assert await MessageTerm.objects.filter(lexeme="dog").aexists()
    assert await pending_agents() == [agent.id]
    assert await index_pending(agent.id, topics) == 2


async def test_many_indexers_at_once_leave_one_index(agent: Agent) -> None:
    texts = [f"message {number} about tea and boats" for number in range(60)]
    await talk(agent, texts)
    await asyncio.gather(*(index_pending(agent.id, HashingEmbedder(), limit=20) for _ in range(6)))
    while await index_pending(agent.id, HashingEmbedder()):
        pass
    assert await MessageVector.objects.filter(window__isnull=False, embedding_model="hashing-384").acount() == 60
    assert await MessageTerm.objects.filter(lexeme="tea").acount() == 60
    assert not await Message.objects.filter(indexed=False).aexists()


async def test_messages_that_arrive_while_others_are_indexed_are_indexed_too(agent: Agent) -> None:
    await talk(agent, ["first words"] * 20)

    async def arrive() -> None:
        for seq in range(21, 41):
            await talk(agent, ["later words"], first=seq)

    await asyncio.gather(arrive(), *(search(RecallSearch(agent.id, "words"), HashingEmbedder()) for _ in range(4)))
    found = await search(RecallSearch(agent.id, "later words"), HashingEmbedder())
    assert "later words" in found.hits[0].text
    assert await MessageVector.objects.acount() == 40


async def test_more_messages_than_a_batch_are_all_found(agent: Agent) -> None:
    count = 1_203
    await Message.objects.abulk_create(
        Message(agent=agent, seq=seq, role="user", content=[{"type": "text", "text": f"number{seq}"}])
        for seq in range(count)
    )
    await index_pending(agent.id, None)
    assert await MessageVector.objects.acount() == count


async def test_another_embedder_makes_old_messages_pending_again(agent: Agent, topics: TopicEmbedder) -> None:
    await talk(agent, ["a dog", "a job"])
    await index_pending(agent.id, HashingEmbedder())
    assert await reindex(agent.id, "hashing-384") == 0
    assert await reindex(agent.id, topics.name) == 2
    await index_pending(agent.id, topics)
    assert await MessageVector.objects.filter(embedding_model="topics").acount() == 2
    assert await MessageTerm.objects.filter(lexeme="dog").acount() == 1


@pytest.mark.parametrize(
    ("role", "text", "said"),
    [
        ("user", '{"type": "user_message", "message": "hi", "time": "now"}', "hi"),
        ("user", '{"type": "login"}', ""),
        ("user", '{"my": "json"}', '{"my": "json"}'),
        ("user", "{broken", "{broken"),
        ("user", "[1]", "[1]"),
        ("assistant", '{"type": "login"}', '{"type": "login"}'),
    ],
)
def test_packed_messages_are_unpacked(role: str, text: str, said: str) -> None:
    assert spoken_text(role, [{"type": "text", "text": text}], []) == said


def test_broken_arguments_of_a_call_say_nothing() -> None:
    assert spoken_text("assistant", [], [{"name": "send_message", "arguments": '{"message": "h'}]) == ""


async def test_a_listing_holds_all_words_newest_first(agent: Agent) -> None:
    await talk(agent, ["Red tea", "green tea", "tea, RED"])
    await sync_to_async(say)(agent, 9, "tool", "red tea")
    listing = Listing(agent.id, "red TEA", roles=["user", "assistant"])
    assert [message.seq async for message in list_messages(listing)] == [3, 1]
    assert [message.seq async for message in list_messages(Listing(agent.id))] == [9, 3, 2, 1]
