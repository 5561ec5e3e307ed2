"""An agent goes back, and comes back, and nothing is lost on the way."""

from asgiref.sync import sync_to_async

from agents_core.actions import adopting, forks, rewind
from agents_core.memory.digest import state_digest
from agents_core.models import Author
from tests.branches.lived import compacted, live, lived, step_numbers, upheaval

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
