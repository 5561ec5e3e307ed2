"""Runs beside each other, and beside a person who edits: nothing is lost, and each sees what is there."""

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from agents_core.actions import blocks, conversations
from agents_core.actions.agents import modify
from agents_core.actions.messages import outcome
from agents_core.errors import Conflict
from agents_core.events.types import BlockChanged
from agents_core.llm.providers.scripted import Answer
from agents_core.llm.types import ModelRequest, Usage
from agents_core.models import Agent, AgentArchive, Author, Block, BlockVersion, MemorySearch, Passage, TokenRatio
from agents_core.runtime.loop import execute
from tests.runtime.world import events, in_context, make_agent, play, said, say, spoken, value_of


def append(content: str) -> Answer:
    return Answer(calls=[("core_memory_append", {"label": "shared", "content": content})])


async def make_shared(**fields: Any) -> Block:
    return await sync_to_async(blocks.create)(Author.API, label="shared", value="", **fields)


@pytest.mark.parametrize(("agents", "appends"), [(2, 30), (8, 6)])
async def test_agents_that_write_to_one_block_at_once_lose_nothing(agents: int, appends: int) -> None:
    block = await make_shared()
    writers = [
        await make_agent(
            [*(append(f"{name}-{n}") for n in range(appends)), "Done."],
            tools=["core_memory_append"], blocks=[], block_ids=[block.id],
        )
        for name in range(agents)
    ]  # fmt: skip
    ended = await asyncio.gather(*(say(writer, "Write.") for writer in writers))
    assert [run.stop_reason for run in ended] == ["end_turn"] * agents
    lines = (await Block.objects.aget(id=block.id)).value.split("\n")[1:]
    assert sorted(lines) == sorted(f"{name}-{n}" for name in range(agents) for n in range(appends))
    for name in range(agents):
        assert [line for line in lines if line.startswith(f"{name}-")] == [f"{name}-{n}" for n in range(appends)]
    versions = [version.version async for version in BlockVersion.objects.filter(block=block).order_by("version")]
    assert versions == list(range(1, agents * appends + 2))
    for writer in writers:
        told = [event.version for event in await events(writer, BlockChanged) if event.change == "edited"]
        assert told == versions[1:]


async def test_people_and_an_agent_that_write_to_one_block_at_once_lose_nothing() -> None:
    block = await make_shared()
    agent = await make_agent(
        [*(append(f"agent-{n}") for n in range(20)), "Done."], tools=["core_memory_append"], blocks=[], block_ids=[block.id]
    )  # fmt: skip

    def edit(number: int) -> None:
        for _ in range(100):
            current = blocks.get(block.id)
            try:
                blocks.modify(block.id, {"value": f"{current.value}\nperson-{number}"}, Author.PERSON, current.version)
            except Conflict:
                continue
            return
        raise AssertionError("never got through")

    edit_in_thread = sync_to_async(edit, thread_sensitive=False)
    ended, *_ = await asyncio.gather(say(agent, "Write."), *(edit_in_thread(n) for n in range(10)))
    assert ended.stop_reason == "end_turn"
    lines = (await Block.objects.aget(id=block.id)).value.split("\n")[1:]
    assert sorted(lines) == sorted([*(f"agent-{n}" for n in range(20)), *(f"person-{n}" for n in range(10))])


async def test_what_a_person_wrote_while_the_model_thought_is_kept_and_built_upon() -> None:
    loop = asyncio.get_running_loop()
    agent = await make_agent(tools=["core_memory_append"])
    block = await Block.objects.aget(agent_links__agent=agent)

    async def edit() -> None:
        await sync_to_async(blocks.modify)(block.id, {"value": "Her name is Grace."}, Author.PERSON)

    edits: list[asyncio.Task[None]] = []

    def model(request: ModelRequest) -> Answer:
        edits.append(loop.create_task(edit()))
        return Answer(calls=[("core_memory_append", {"label": "human", "content": "Likes tea."})], delay_s=0.3)

    seen: list[str] = []
    await play(agent, [model, lambda request: seen.append(request.system) or "Done."])
    assert (await say(agent, "I like tea")).status == "completed"
    assert await value_of(agent) == "Her name is Grace.\nLikes tea."
    assert "Her name is Grace.\nLikes tea." in seen[0]


async def test_a_block_attached_during_a_run_shows_in_its_next_step() -> None:
    block = await make_shared(description="Between us.")
    loop = asyncio.get_running_loop()
    agent = await make_agent(tools=["conversation_search"])
    attaching: list[asyncio.Task[Block]] = []

    def model(request: ModelRequest) -> Answer:
        attaching.append(loop.create_task(sync_to_async(blocks.attach)(agent.id, block.id)))
        return Answer(calls=[("conversation_search", {"query": "x"})], delay_s=0.3)

    seen: list[str] = []
    await play(agent, [model, lambda request: seen.append(request.system) or "Done."])
    await say(agent, "Hi")
    assert "Between us." in seen[0]


async def test_two_messages_sent_at_once_are_answered_in_order_by_two_runs() -> None:
    agent = await make_agent([lambda request: str([message.text for message in request.messages])] * 2)
    first, second = await said(agent, "One"), await said(agent, "Two")
    await execute(agent.id, first, None, 1)
    assert spoken((await outcome(first)).messages[0]) == "['One']"
    await execute(agent.id, second, None, 1)
    assert spoken((await outcome(second)).messages[0]) == """['One', "['One']", 'Two']"""


async def test_two_conversations_of_an_agent_go_on_at_once_and_apart() -> None:
    echo = [lambda request: str([message.text for message in request.messages])] * 40
    agent = await make_agent(echo)
    threads = [(await sync_to_async(conversations.create)(agent.id)).id for _ in range(2)]

    async def talk(thread: str | None, word: str) -> None:
        for number in range(5):
            assert (await say(agent, f"{word}{number}", conversation_id=thread)).status == "completed"

    await asyncio.gather(talk(threads[0], "a"), talk(threads[1], "b"), talk(None, "c"))
    for thread, word in ((threads[0], "a"), (threads[1], "b"), (None, "c")):
        messages = (await in_context(agent, thread))[1:]
        assert [spoken(m) for m in messages if m.role == "user"] == [f"{word}{n}" for n in range(5)]
        assert "'a0'" in spoken(messages[-1]) if word == "a" else "'a0'" not in spoken(messages[-1])


async def test_the_system_prompt_stays_the_same_bytes_while_memory_does() -> None:
    seen: list[str] = []
    look = lambda request: seen.append(request.system) or Answer(calls=[("conversation_search", {"query": "x"})])  # noqa: E731
    done = lambda request: seen.append(request.system) or "Done."  # noqa: E731
    agent = await make_agent([look, look, done, done], tools=["conversation_search"])
    await say(agent, "One")
    await say(agent, "Two")
    assert len(seen) == 4
    assert len(set(seen)) == 1


async def test_changed_instructions_count_from_the_next_run() -> None:
    agent = await make_agent(["One.", lambda request: request.system])
    await say(agent, "Hi")
    await sync_to_async(modify)(agent.id, {"system": "You are a pirate."})
    assert spoken((await say(agent, "Hi")).messages[0]).startswith("You are a pirate.")


async def test_the_first_insert_makes_the_archive_and_a_search_of_it_is_recorded() -> None:
    insert = ("archival_memory_insert", {"content": "The lighthouse keeper is called Tom.", "tags": ["people"]})
    search = ("archival_memory_search", {"query": "Who keeps the lighthouse?"})
    agent = await make_agent(
        [Answer(calls=[insert]), Answer(calls=[insert]), Answer(calls=[search]), "Tom."],
        tools=["archival_memory_insert", "archival_memory_search"],
    )  # fmt: skip
    ended = await say(agent, "Remember the keeper")
    assert ended.status == "completed"
    assert "Tom" in ended.messages[5]["tool_returns"][0]["value"]
    assert await AgentArchive.objects.filter(agent=agent).acount() == 1
    assert await Passage.objects.filter(archive__agent_links__agent=agent).acount() == 2
    recorded = await MemorySearch.objects.aget(agent=agent)
    assert (recorded.store, recorded.query) == ("archival", "Who keeps the lighthouse?")
    assert recorded.candidates[0]["returned"]


async def test_two_inserts_at_once_in_two_conversations_make_what_they_need_and_lose_nothing() -> None:
    insert = Answer(calls=[("archival_memory_insert", {"content": "A fact."})])
    agent = await make_agent([insert, "Done."], tools=["archival_memory_insert"])
    threads = [(await sync_to_async(conversations.create)(agent.id)).id for _ in range(4)]
    await asyncio.gather(*(say(agent, "Remember", conversation_id=thread) for thread in threads))
    assert await Passage.objects.filter(archive__agent_links__agent=agent).acount() == 4
    assert await AgentArchive.objects.filter(agent=agent).acount() == 1


async def test_the_ratio_of_reported_to_counted_tokens_is_learnt_per_model() -> None:
    answer = Answer("Yes.", usage=Usage(input_tokens=900))
    agent = await make_agent([answer] * 12)
    other = await make_agent(["No."] * 3)
    for _ in range(12):
        await say(agent, "How many tokens are these?")
    ratio = await TokenRatio.objects.aget(handle=agent.model)
    assert ratio.samples == 12
    await say(other, "Hi", override_model=agent.model)
    ended = await sync_to_async(
        lambda: list(agent.steps.order_by("-number").values_list("estimated_tokens", flat=True))
    )()
    assert abs(ended[0] - 900) < abs(ended[-1] - 900)
    assert 0.8 < ended[0] / 900 < 1.25


async def test_more_runs_at_once_than_database_connections_all_end() -> None:
    agents = [await make_agent([append("x"), "Done."], blocks=[], tools=["core_memory_append"]) for _ in range(64)]
    ended = await asyncio.gather(*(say(agent, "Go") for agent in agents))
    assert {run.status for run in ended} == {"completed"}


async def test_agents_that_share_blocks_in_all_pairs_do_not_lock_each_other_out() -> None:
    shared = [await sync_to_async(blocks.create)(Author.API, label=f"b{n}", value="") for n in range(4)]
    made: list[Agent] = []
    for n in range(6):
        order = shared[n % 4 :] + shared[: n % 4]
        calls = [("core_memory_append", {"label": block.label, "content": f"by {n}"}) for block in order]
        agent = await make_agent(
            [Answer(calls=calls), "Done."], blocks=[], block_ids=[block.id for block in order],
            tools=["core_memory_append"], model_settings={"parallel_tool_calls": True},
        )  # fmt: skip
        made.append(agent)
    cancelling = [sync_to_async(_cancel, thread_sensitive=False)(agent.id) for agent in made[:2]]
    ended = await asyncio.gather(*(say(agent, "Write everywhere") for agent in made), *cancelling)
    assert {run.status for run in ended[:6]} <= {"completed", "cancelled"}
    finished = [n for n in range(6) if ended[n].status == "completed"]
    for block in shared:
        lines = (await Block.objects.aget(id=block.id)).value.split("\n")[1:]
        assert set(lines) >= {f"by {n}" for n in finished}
        assert len(lines) == len(set(lines))


def _cancel(agent_id: str) -> None:
    from agents_core.actions import runs

    try:
        runs.cancel(agent_id)
    except runs.NothingToCancel:
        return
