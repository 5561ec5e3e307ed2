import json
from datetime import UTC, datetime, timedelta

import pytest
from asgiref.sync import sync_to_async

from agents_core.llm.embeddings.hashing import HashingEmbedder
from agents_core.memory.recall import RecallSearch, search
from agents_core.memory.recall.search import SPEAKER_PRIOR
from agents_core.models import Agent, Conversation, Message
from tests.memory.world import AbsentEmbedder, TopicEmbedder, make_agent, say

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("pool")]

START = datetime(2026, 5, 1, 12, tzinfo=UTC)

TALK = [
    ("user", "Good morning! My sister Lena visits me on Friday."),
    ("assistant", "How lovely. What are you planning?"),
    ("user", "A boat trip on the lake, if the weather holds."),
    ("assistant", "Shall I remind you to book the boat?"),
    ("user", "Yes. And I started a new job at the library."),
    ("assistant", "Congratulations on the library job!"),
    ("user", "Which wine goes with fish?"),
    ("assistant", "A dry white one."),
]


async def talk(agent: Agent, turns: list[tuple[str, str]] = TALK, first: int = 1, **fields: object) -> list[Message]:
    return [
        await sync_to_async(say)(agent, seq, role, text, created_at=START + timedelta(days=seq), **fields)
        for seq, (role, text) in enumerate(turns, start=first)
    ]


async def found(search_for: RecallSearch, embedder: object = None) -> list[str]:
    result = await search(search_for, embedder)  # type: ignore[arg-type]
    return [hit.text for hit in result.hits if hit.returned]


@pytest.fixture
def agent() -> Agent:
    return make_agent("Ada")


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("When does the user's sister come to visit?", "Good morning! My sister Lena visits me on Friday."),
        ("Where does the user work now, what is the new job?", "Yes. And I started a new job at the library."),
        ("What did Ada say about white wine?", "A dry white one."),
    ],
)
@pytest.mark.parametrize("with_vectors", [True, False])
async def test_a_natural_question_finds_the_message(
    agent: Agent, question: str, answer: str, with_vectors: bool
) -> None:
    await talk(agent)
    assert (await found(RecallSearch(agent.id, question), HashingEmbedder() if with_vectors else None))[0] == answer


async def test_a_message_beside_a_match_is_found_by_its_neighbour(agent: Agent) -> None:
    await talk(agent)
    result = await search(RecallSearch(agent.id, "What wine goes with fish?"), None)
    answer = next(hit for hit in result.hits if hit.text == "A dry white one.")
    assert (answer.bm25, answer.neighbours, answer.rank) == (0, 1, 2)


async def test_the_turns_around_a_message_lend_it_their_meaning(agent: Agent, topics: TopicEmbedder) -> None:
    await talk(agent, [("user", "We got a puppy."), ("assistant", "Wonderful!"), ("user", "Its name is Biscuit.")])
    result = await search(RecallSearch(agent.id, "pet"), topics)
    likeness = {hit.text: (round(hit.cosine or 0, 2), round(hit.window or 0, 2)) for hit in result.hits}
    assert likeness == {"We got a puppy.": (1, 1), "Wonderful!": (0, 1)}


async def test_neighbours_of_another_conversation_do_not_count(agent: Agent) -> None:
    thread = await Conversation.objects.acreate(agent=agent)
    await sync_to_async(say)(agent, 1, "user", "Which wine goes with fish?")
    await sync_to_async(say)(agent, 2, "assistant", "Hello there.", conversation=thread)
    result = await search(RecallSearch(agent.id, "wine"), None)
    assert [hit.text for hit in result.hits] == ["Which wine goes with fish?"]


async def test_the_one_speaker_named_is_preferred(agent: Agent) -> None:
    await talk(agent, [("user", "I like tea"), ("assistant", "I like tea")])
    for question, speaker in (
        ("What did Ada say about tea?", "assistant"),
        ("What did the user say about tea?", "user"),
    ):
        result = await search(RecallSearch(agent.id, question), None)
        assert (result.hits[0].role, result.hits[0].prior) == (speaker, SPEAKER_PRIOR)
    both = await search(RecallSearch(agent.id, "Did Ada or the user like tea?"), None)
    assert {hit.prior for hit in both.hits} == {0}


async def test_tool_messages_searches_and_automatic_messages_are_never_found(agent: Agent) -> None:
    await talk(
        agent,
        [
            ("tool", "tea"),
            ("system", "tea"),
            ("summary", "tea"),
            ("user", json.dumps({"type": "heartbeat", "reason": "tea"})),
        ],
    )
    calls = [{"id": "1", "name": "conversation_search", "arguments": '{"query": "tea"}'}]
    await sync_to_async(say)(agent, 9, "assistant", "I look for tea", tool_calls=calls)
    assert await found(RecallSearch(agent.id, "tea")) == []
    assert not await Message.objects.filter(indexed=False).aexists()


async def test_what_was_sent_by_send_message_is_found(agent: Agent) -> None:
    calls = [{"id": "1", "name": "send_message", "arguments": json.dumps({"message": "Grüner Tee is ready"})}]
    await sync_to_async(say)(agent, 1, "assistant", "They want something hot.", tool_calls=calls)
    assert await found(RecallSearch(agent.id, "gruner tee")) == ["They want something hot.\nGrüner Tee is ready"]


async def test_roles_dates_and_conversation_bound_the_hits(agent: Agent) -> None:
    thread = await Conversation.objects.acreate(agent=agent)
    await talk(agent, [("user", "tea one"), ("assistant", "tea two"), ("user", "tea three")])
    await talk(agent, [("user", "tea four")], first=4, conversation=thread)
    assert set(await found(RecallSearch(agent.id, "tea", roles=["assistant"]))) == {"tea two"}
    day = START + timedelta(days=2)
    assert set(await found(RecallSearch(agent.id, "tea", start=day, end=day))) == {"tea two"}
    assert set(await found(RecallSearch(agent.id, "tea", conversation_id=thread.id))) == {"tea four"}
    assert set(await found(RecallSearch(agent.id, "tea", conversation_id="default"))) == {
        "tea one",
        "tea two",
        "tea three",
    }
    assert len(await found(RecallSearch(agent.id, "tea"))) == 4


async def test_a_quoted_phrase_must_have_been_said(agent: Agent) -> None:
    await talk(agent, [("user", "the red door"), ("user", "the door is red")])
    assert await found(RecallSearch(agent.id, '"Red door"')) == ["the red door"]


async def test_offset_and_limit_give_the_next_page_of_one_ranking(agent: Agent) -> None:
    await talk(agent, [("user", "tea " * count) for count in range(1, 9)])
    whole = await found(RecallSearch(agent.id, "tea", limit=8))
    assert await found(RecallSearch(agent.id, "tea", limit=3, offset=3)) == whole[3:6]


async def test_other_agents_messages_are_not_found(agent: Agent) -> None:
    await talk(await sync_to_async(make_agent)("Bob"))
    assert await found(RecallSearch(agent.id, "boat"), HashingEmbedder()) == []


async def test_an_absent_embedder_leaves_the_words_and_a_note(agent: Agent, absent: AbsentEmbedder) -> None:
    await talk(agent)
    result = await search(RecallSearch(agent.id, "boat trip on the lake"), absent)
    assert result.hits[0].text.startswith("A boat trip")
    assert (result.model, result.note) == (None, "Searched by words only: The embedding server is away.")


@pytest.mark.parametrize("query", ["", "  ", "what is it?", "\x00", "zzz"])
async def test_a_query_without_a_match_gives_no_hit(agent: Agent, query: str) -> None:
    await talk(agent)
    assert await found(RecallSearch(agent.id, query)) == []


async def test_vectors_of_another_model_are_not_compared(agent: Agent, topics: TopicEmbedder) -> None:
    await talk(agent)
    await search(RecallSearch(agent.id, "boat"), HashingEmbedder())
    result = await search(RecallSearch(agent.id, "boat and job"), topics)
    assert {(hit.cosine, hit.window) for hit in result.hits} == {(None, None)}
