"""A fork is what its parent was just before a step, and the parent stays as it is."""

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents_core.actions import conversations, forks, rewind
from agents_core.actions.deletions import delete_agent
from agents_core.errors import InvalidInput, NotFound, Refused
from agents_core.memory import recall
from agents_core.memory.digest import state_digest
from agents_core.memory.edits import BlockLimitError
from agents_core.models import Agent, Block, Fork, Message, Step
from agents_core.models.pipeline import Statement, run_sync
from agents_core.record.steps import segments_of
from tests.branches.lived import compacted, live, lived, step_numbers, upheaval
from tests.runtime.world import in_context, make_agent, play, say, spoken, value_of

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
    last = (await in_context(forked))[-1]
    assert spoken(last) == "Note this, number 0."  # what the step was to answer; without it, all is as it was
    await last.adelete()
    assert await digest(forked.id) == then


async def test_the_number_of_the_next_step_goes_on_from_where_the_fork_was_made() -> None:
    agent = await lived(2)
    step = (await step_numbers(agent))[2]
    forked = await fork(agent.id, step)
    await live(forked, 1)
    assert (await step_numbers(forked))[0] == step
    taken = await Step.objects.aget(agent=forked, number=step)
    seen = [segment.label for segment in await sync_to_async(segments_of)(taken) if segment.kind == "message"]
    assert seen.count("user") == 3  # the first, the one that the parent answered at this step, and the new one


async def test_eight_forks_that_live_on_leave_their_parent_as_it_is() -> None:
    agent = await lived(25)
    numbers = await step_numbers(agent)
    before, steps_before = await digest(agent.id), await Step.objects.filter(agent=agent).acount()
    assert len(numbers) == 50
    for step in numbers[1::6][:8]:
        forked = await fork(agent.id, step, blocks={"human": f"Changed at {step}."})
        await live(forked, 2)
        await upheaval_of_blocks(forked)
        assert await digest(agent.id) == before
    assert await Step.objects.filter(agent=agent).acount() == steps_before


async def upheaval_of_blocks(agent: Agent) -> None:
    async for block in Block.objects.filter(agents=agent):
        block.value = "Nothing."
        await block.asave()


async def test_a_step_of_a_conversation_becomes_the_default_thread_of_its_fork() -> None:
    agent = await lived(1)
    talk = await sync_to_async(conversations.create)(agent.id, summary="Garden")
    await say(agent, "Note the roses.", conversation_id=talk.id)
    step = await Step.objects.filter(agent=agent, conversation=talk).order_by("number").afirst()
    forked = await fork(agent.id, step.number)
    assert [spoken(message) for message in (await in_context(forked))[1:]] == ["Note the roses."]
    assert "CONVERSATION_ID: default" in spoken((await in_context(forked))[0])
    others = Message.objects.filter(agent=forked, conversation__isnull=False, role="user")
    assert [spoken(message) async for message in others] == ["Note this, number 0."]
    await live(forked, 1)


async def test_changes_are_made_in_the_fork_alone_and_reach_its_next_request() -> None:
    agent = await lived(1)
    forked = await fork(agent.id, 1, name="Other", system="You are terse.", blocks={"human": "Her name is Grace."})
    assert (forked.name, forked.system) == ("Other", "You are terse.")
    played = await play(forked, ["Yes."])
    await say(forked, "Hello?")
    assert "You are terse." in played.requests[0].system
    assert "Her name is Grace." in played.requests[0].system
    assert await value_of(agent) == "Her name is Ada."


async def test_what_is_sealed_stays_sealed_and_shared_tools_are_shared() -> None:
    agent = await make_agent(["Hi."], secrets={"TOKEN": "s3cret"}, tags=["mail"], tools=["conversation_search"])
    await say(agent, "Hello")
    forked = await fork(agent.id, 1)
    [own], [copied] = [[row async for row in each.variables.all()] for each in (agent, forked)]
    assert (copied.key, bytes(copied.sealed)) == (own.key, bytes(own.sealed))
    assert [tool.name async for tool in forked.tools.all()] == ["conversation_search"]
    assert forked.tags == []  # whoever writes to all agents of a tag does not mean the copies


async def test_what_cannot_be_forked_says_why() -> None:
    agent, other = await lived(1), await make_agent()
    with pytest.raises(NotFound, match="no step 99"):
        await fork(agent.id, 99)
    with pytest.raises(NotFound, match="no step 1"):
        await fork(other.id, 1)
    with pytest.raises(InvalidInput, match="no block labelled nobody"):
        await fork(agent.id, 1, blocks={"nobody": "x"})
    with pytest.raises(InvalidInput, match="no name"):
        await fork(agent.id, 1, name="a/b")
    with pytest.raises(BlockLimitError):
        await fork(agent.id, 1, blocks={"human": "x" * 200_000})
    await compacted(agent)
    summary = await Step.objects.aget(agent=agent, kind="summary")
    with pytest.raises(Refused, match="wrote a summary"):
        await fork(agent.id, summary.number)
    assert await Agent.objects.acount() == 2


async def test_a_long_history_is_forked_in_a_few_statements() -> None:
    agent = await lived(1)
    await sync_to_async(run_sync)(Statement(sql, {"agent": agent.id}) for sql in LONG_HISTORY)

    def counted() -> tuple[Agent, int]:
        with CaptureQueriesContext(connection) as captured:
            return forks.fork(agent.id), len(captured)

    forked, statements = await sync_to_async(counted)()
    assert await Message.objects.filter(agent=forked).acount() == await Message.objects.filter(agent=agent).acount()
    assert statements < 80
    hits = (await recall.search(recall.RecallSearch(forked.id, "zebra1701"), None)).hits
    assert hits[0].text == "The 1701st day: zebra1701."


LONG_HISTORY = (
    """INSERT INTO message (id, agent_id, seq, role, content, tool_calls, tool_returns, indexed)
    SELECT 'message-' || gen_random_uuid(), %(agent)s, 1000000 + n, 'user', jsonb_build_array(jsonb_build_object('type', 'text', 'text',
        'The ' || n || 'st day: zebra' || n || '.')), '[]', '[]', true FROM generate_series(1, 2000) AS n""",
    """INSERT INTO message_vector (message_id, agent_id, length)
    SELECT id, agent_id, 3 FROM message WHERE agent_id = %(agent)s AND seq > 1000000""",
    """INSERT INTO message_term (agent_id, lexeme, message_id, frequency, length)
    SELECT agent_id, lexeme, id, 1, 14 FROM message CROSS JOIN LATERAL (
        SELECT 'zebra' || (seq - 1000000) AS lexeme UNION ALL SELECT 'word' || k FROM generate_series(1, 13) AS k
    ) AS words WHERE agent_id = %(agent)s AND seq > 1000000""",
    "UPDATE agent SET event_seq = 2000000 WHERE id = %(agent)s",
)


async def test_deleting_a_parent_leaves_its_forks() -> None:
    agent = await lived(2)
    step = (await step_numbers(agent))[2]
    forked = await fork(agent.id, step)
    await sync_to_async(rewind.rewind)(agent.id, step)
    before = await digest(forked.id)
    await sync_to_async(delete_agent)(agent.id)
    assert await digest(forked.id) == before
    assert (await Fork.objects.aget(agent=forked)).parent_id is None
    await sync_to_async(delete_agent)(forked.id)
    assert not await Fork.objects.aexists()
