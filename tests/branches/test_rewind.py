"""An agent goes back, and comes back, and nothing is lost on the way."""

import pytest
from asgiref.sync import sync_to_async

from agents_core.actions import adopting, agents, archives, blocks, forks, rewind
from agents_core.errors import Conflict, InvalidInput, NotFound
from agents_core.events.types import AgentAdopted, AgentCameBack, AgentForked, AgentRewound, BlockChanged
from agents_core.llm.providers.scripted import Answer
from agents_core.memory import recall
from agents_core.memory.digest import state_digest
from agents_core.models import Agent, Author, Block, BlockVersion, Branch, Message, Step
from agents_core.record.kept import lost
from agents_core.record.lines import left_steps
from agents_core.record.states import state_at
from tests.branches.lived import compacted, live, lived, step_numbers, upheaval
from tests.runtime.world import events, make_agent, said, say, value_of

fork = sync_to_async(forks.fork)
go_back = sync_to_async(rewind.rewind)
come_back = sync_to_async(rewind.come_back)
adopt = sync_to_async(adopting.adopt)
digest = sync_to_async(state_digest)


async def test_whatever_happened_since_an_agent_goes_back_and_comes_back_to_the_same_state() -> None:
    agent = await lived(4)
    step = (await step_numbers(agent))[4]
    await upheaval(agent)
    await live(agent, 1)
    await compacted(agent)
    await live(agent, 1)
    then, now = await digest((await fork(agent.id, step)).id), await digest(agent.id)
    branch = await go_back(agent.id, step, author=Author.PERSON)
    assert await digest(agent.id) == then != now
    await live(agent, 2)
    there = await digest(agent.id)
    other = await come_back(agent.id, branch.id)
    assert await digest(agent.id) == now == bytes(branch.digest).hex()
    await come_back(agent.id, other.id)
    assert await digest(agent.id) == there
    await live(agent, 1)


async def test_an_agent_that_adopts_a_fork_is_in_its_state_and_can_come_back() -> None:
    agent = await lived(4)
    step = (await step_numbers(agent))[6]
    forked = await fork(agent.id, step)
    await live(forked, 2)
    await upheaval(forked)
    await live(agent, 1)
    now = await digest(agent.id)
    branch = await adopt(agent.id, forked.id)
    assert await digest(agent.id) == await digest(forked.id)
    await live(agent, 1)
    await come_back(agent.id, branch.id)
    assert await digest(agent.id) == now


async def test_what_is_left_stays_in_the_record_and_out_of_memory() -> None:
    agent = await make_agent(["Noted, a zebra.", "Noted, a walrus.", "Hello again."])
    await say(agent, "I saw a zebra.")
    await say(agent, "I saw a walrus.")
    await go_back(agent.id, 2)
    assert [step.number for step in await left(agent)] == [2]
    assert await words_found(agent, "zebra") == 2
    assert await words_found(agent, "walrus") == 1  # the message that step 2 is to answer
    await say(agent, "Hello")
    assert [step.number for step in await left(agent)] == [2]
    assert (await Step.objects.filter(agent=agent).order_by("-number").afirst()).number == 3
    assert await Message.objects.filter(agent=agent, step__number=2, abandoned=True).acount() == 1


async def left(agent: Agent) -> list[Step]:
    return await sync_to_async(left_steps)([step async for step in Step.objects.filter(agent=agent)])


async def words_found(agent: Agent, word: str) -> int:
    found = await recall.search(recall.RecallSearch(agent.id, word), None)
    return sum(word in hit.text for hit in found.hits)


async def test_a_block_goes_back_as_a_new_version_that_says_why() -> None:
    agent = await lived(2)
    versions = [version async for version in BlockVersion.objects.filter(block__agents=agent).order_by("version")]
    branch = await go_back(agent.id, 1, author=Author.PERSON)
    newest = await BlockVersion.objects.filter(block__agents=agent).order_by("-version").afirst()
    assert (newest.version, newest.value) == (len(versions) + 1, versions[0].value)
    assert (newest.author, newest.branch_id) == (Author.PERSON, branch.id)


async def test_a_step_on_a_branch_that_was_left_can_be_gone_to() -> None:
    agent = await lived(3)
    numbers = await step_numbers(agent)
    then = await digest((await fork(agent.id, numbers[3])).id)
    await go_back(agent.id, numbers[1])
    await live(agent, 1)
    await go_back(agent.id, numbers[3])
    assert await digest(agent.id) == then
    assert {step.number for step in await left(agent)} == {numbers[3], *numbers[4:], *range(7, 9)}


async def test_what_others_hold_goes_back_only_if_that_is_asked_for() -> None:
    agent, other = await lived(2), await make_agent(blocks=())
    block = await Block.objects.aget(agents=agent)
    await sync_to_async(blocks.attach)(other.id, block.id)
    archive = await agent.archives.aget()
    await sync_to_async(archives.attach)(other.id, archive.id)
    now = await value_of(agent)
    await go_back(agent.id, 1)
    assert await value_of(agent) == now
    assert await archive.passages.filter(is_deleted=False).acount() == 1
    branch = await Branch.objects.filter(agent=agent).afirst()
    await come_back(agent.id, branch.id)
    await go_back(agent.id, 3, shared=True)
    assert await value_of(other) == (await BlockVersion.objects.aget(block=block, version=1)).value
    assert (await events(other, BlockChanged))[-1].version == 3


async def test_nothing_moves_while_the_agent_is_at_work_or_waits() -> None:
    agent = await lived(1)
    forked = await fork(agent.id, 1)
    await said(agent, "Go on.")
    for way in (go_back(agent.id, 1), adopt(agent.id, forked.id)):
        with pytest.raises(Conflict, match="is at work"):
            await way
    asker = await make_agent(
        [Answer(calls=[("conversation_search", {"query": "x"})])],
        tools=["conversation_search"],
        tool_rules=[{"type": "requires_approval", "tool_name": "conversation_search"}],
    )
    await say(asker, "Search.")
    with pytest.raises(Conflict, match="waits for an answer to its call of conversation_search"):
        await go_back(asker.id, 1)


async def test_another_agents_branches_and_forks_are_not_there() -> None:
    agent, other = await lived(1), await lived(1)
    branch, forked = await go_back(agent.id, 1), await fork(agent.id, 1)
    with pytest.raises(NotFound):
        await come_back(other.id, branch.id)
    with pytest.raises(NotFound):
        await adopt(other.id, forked.id)
    with pytest.raises(NotFound):
        await go_back(agent.id, 99)
    with pytest.raises(InvalidInput, match="may have 200 characters"):
        await go_back(agent.id, 1, name="x" * 201)


async def test_the_stream_tells_of_it() -> None:
    agent = await lived(1)
    forked = await fork(agent.id, 1)
    branch = await go_back(agent.id, 1)
    other = await come_back(agent.id, branch.id)
    adopted = await adopt(agent.id, forked.id)
    told = [
        event
        for kind in (AgentForked, AgentRewound, AgentCameBack, AgentAdopted)
        for event in await events(agent, kind)
    ]
    assert told == [
        AgentForked(forked.id, 1),
        AgentRewound(branch.id, 1),
        AgentCameBack(other.id, branch.id),
        AgentAdopted(adopted.id, forked.id),
    ]


async def test_what_was_deleted_since_is_named_and_stays_away() -> None:
    agent = await lived(1)
    await sync_to_async(blocks.delete)((await Block.objects.aget(agents=agent)).id)
    assert await sync_to_async(lambda: lost(state_at(agent.id, 1)))() == ["block human"]
    await go_back(agent.id, 1)
    assert not await Block.objects.filter(agents=agent).aexists()


async def test_of_a_step_recorded_without_its_world_the_blocks_are_known_and_the_rest_is_of_today() -> None:
    agent = await lived(2)
    known = await sync_to_async(state_at)(agent.id, 3)
    await sync_to_async(agents.modify)(agent.id, {"system": "Another."})
    await Step.objects.filter(agent=agent).aupdate(world=None)
    guessed = await sync_to_async(state_at)(agent.id, 3)
    assert (known.guessed, guessed.guessed) == (False, True)
    assert guessed.world.blocks == known.world.blocks
    assert guessed.world.settings["system"] == "Another."
