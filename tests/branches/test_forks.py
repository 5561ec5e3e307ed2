"""A fork is what its parent was just before a step, and the parent stays as it is."""

from asgiref.sync import sync_to_async

from agents_core.actions import forks
from agents_core.actions.agents import modify
from agents_core.memory.digest import state_digest
from agents_core.models import Message
from tests.branches.lived import compacted, live, lived, step_numbers, upheaval
from tests.runtime.world import in_context, spoken

fork = sync_to_async(forks.fork)
digest = sync_to_async(state_digest)


async def test_a_fork_of_the_present_is_in_the_state_of_its_parent() -> None:
    agent = await lived(4)
    await upheaval(agent)
    await compacted(agent)
    before = await digest(agent.id)
    assert await digest((await fork(agent.id)).id) == before
    assert await digest(agent.id) == before


async def test_a_fork_of_a_step_is_in_the_state_that_the_parent_had_then() -> None:
    agent = await lived(3)
    then = await digest((await fork(agent.id)).id)
    await live(agent, 1)
    step = (await step_numbers(agent))[6]
    await live(agent, 2)
    await upheaval(agent)
    await compacted(agent)
    await live(agent, 1)
    forked = await fork(agent.id, step)
    # The message that the step was to answer is in its context; without it, all is as it was before.
    await Message.objects.filter(agent=forked, role="user", context_position__gt=0).order_by("-seq")[:1].aget()
    last = (await in_context(forked))[-1]
    assert spoken(last) == "Note this, number 0."
    await last.adelete()
    await sync_to_async(modify)(forked.id, {"name": "x"})
    assert await digest(forked.id) == then
