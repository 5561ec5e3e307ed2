"""A recorded model call made again: with another model, prompt or memory, and without touching the agent."""

import asyncio
from hashlib import sha256
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from agents_core.actions import blocks, deletions, experiments
from agents_core.errors import Conflict, NotFound, Refused
from agents_core.models import Agent, Author, Block, Experiment, SegmentKind, Step
from agents_core.record.compare import compare
from agents_core.record.steps import request_bytes, response_bytes, segments_of
from agents_core.runtime.experiment import execute
from agents_core.runtime.preview import Changes
from tests.llm.fake_server import FakeModelServer, Reply, refuse
from tests.runtime.working import worker
from tests.runtime.world import make_agent, say

MODELS = ["openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5", "ollama/some-model"]
SEARCH = ("conversation_search", '{"query": "ships"}')
AWKWARD = 'Quote " and \\ backslash,\nnew line, é 漢字 😀 {CORE_MEMORY}'
_OWN_TABLES = (
    "message", "run", "step", "tool_call", "event", "eviction", "agent_block", "agent_tool", "agent_archive", "conversation",
)  # fmt: skip
_ROWS = "SELECT to_jsonb(t)::text FROM {table} t WHERE {owner} = %s ORDER BY 1"
_AGENT = "SELECT (to_jsonb(t) - %s::text[])::text FROM agent t WHERE id = %s"
_BLOCKS = "SELECT to_jsonb(b)::text FROM block b JOIN agent_block ON block_id = b.id WHERE agent_id = %s ORDER BY 1"


def digest_of(agent: Agent, *, told_of_forks: bool = False) -> bytes:
    """Of all rows of the agent, and of its blocks. ``told_of_forks``: but for the events that tell of forks, which are numbered too."""
    told = sha256()
    with connection.cursor() as cursor:
        for table in _OWN_TABLES:
            cursor.execute(_ROWS.format(table=table, owner="agent_id"), (agent.id,))
            told.update(
                repr([row for row in cursor.fetchall() if not (told_of_forks and '"agent.forked"' in row[0])]).encode()
            )
        cursor.execute(_AGENT, (["event_seq", "updated_at"] if told_of_forks else [], agent.id))
        told.update(repr(cursor.fetchall()).encode())
        cursor.execute(_BLOCKS, (agent.id,))
        told.update(repr(cursor.fetchall()).encode())
    return told.digest()


async def lived(model: str, server: FakeModelServer) -> Agent:
    agent = await make_agent(
        model=model,
        tools=["conversation_search", "memory_insert"],
        model_settings={"temperature": 0.5, "parallel_tool_calls": True},
    )
    server.push(Reply("Looking.", reasoning="Hm.", calls=(SEARCH, SEARCH)), Reply("Found nothing. " + AWKWARD))
    await say(agent, AWKWARD)
    await say(agent, "And now?")
    return agent


async def again(agent: Agent, number: int, **changes: Any) -> Experiment:
    """Makes the call of a step again, to its end."""
    made = await sync_to_async(experiments.create)(agent.id, number, Changes(**changes))
    await execute(made.id, 1)
    return await sync_to_async(experiments.get)(agent.id, made.id)


async def step_of(agent: Agent, number: int) -> Step:
    return await Step.objects.select_related("response").aget(agent=agent, number=number)


@pytest.mark.parametrize("model", MODELS)
async def test_without_changes_the_same_bytes_go_out_again(server: FakeModelServer, model: str) -> None:
    agent = await lived(model, server)
    before = await sync_to_async(digest_of)(agent)
    for number in (1, 2, 3):
        server.push(Reply("Once more."))
        made = await again(agent, number)
        then = await sync_to_async(request_bytes)(await step_of(agent, number))
        assert server.requests[-1].body == then
        assert await sync_to_async(request_bytes)(made) == then
        assert (made.status, made.answer["text"]) == ("completed", "Once more.")
        assert (await sync_to_async(response_bytes)(made)).count(b"Once") == 1
    assert await sync_to_async(digest_of)(agent) == before


async def test_another_model_of_another_format_is_asked_the_same(server: FakeModelServer) -> None:
    agent = await lived("openai/gpt-4o-mini", server)
    before = await sync_to_async(digest_of)(agent)
    server.push(Reply("I would search.", calls=(SEARCH,)))
    made = await again(agent, 2, model="anthropic/claude-sonnet-4-5")
    assert made.status == "completed"
    assert made.answer["calls"] == [{"name": "conversation_search", "arguments": {"query": "ships"}}]
    assert made.handle == "anthropic/claude-sonnet-4-5"
    assert made.prompt_tokens
    assert (made.cost_usd or 0) > 0
    old, new = await sync_to_async(segments_of)(await step_of(agent, 2)), await sync_to_async(segments_of)(made)
    sources = [
        [(s.kind, s.source_id) for s in each if s.kind in ("message", "tool_return", "core")] for each in (old, new)
    ]
    assert set(sources[0]) == set(sources[1])
    assert await sync_to_async(digest_of)(agent) == before


async def test_other_instructions_and_another_text_of_a_block_are_all_that_differs(server: FakeModelServer) -> None:
    agent = await lived("openai/gpt-4o-mini", server)
    block = await Block.objects.aget(agent_links__agent=agent)
    await sync_to_async(blocks.modify)(block.id, {"value": "Later.", "limit": 777}, Author.PERSON)
    made = await again(agent, 2, system="Be brief.", blocks={"human": AWKWARD})
    compared = compare(*[await sync_to_async(segments_of)(each) for each in (await step_of(agent, 2), made)])
    changed = [(each.segment.kind, each.segment.label) for each in compared if each.status != "same"]
    assert changed == [(SegmentKind.SYSTEM, "instructions"), (SegmentKind.CORE, "human")]
    [human] = [each.segment.text for each in compared if each.segment.label == "human"]
    assert AWKWARD in human
    assert "chars_limit=100000" in human


async def test_a_block_can_be_left_out(server: FakeModelServer) -> None:
    agent = await lived("anthropic/claude-sonnet-4-5", server)
    made = await again(agent, 1, blocks={"human": None})
    kinds = [segment.kind for segment in await sync_to_async(segments_of)(made)]
    assert SegmentKind.CORE not in kinds


async def test_what_was_deleted_or_never_there_is_refused(server: FakeModelServer) -> None:
    agent = await lived("openai/gpt-4o-mini", server)
    create = sync_to_async(experiments.create)
    for changes, error, words in (
        (Changes(blocks={"nothing": ""}), Refused, "saw no block 'nothing'"),
        (Changes(blocks={"human": "x" * 100_001}), Refused, "too many"),
        (Changes(model="gpt"), Refused, "not a model handle"),
        (Changes(model="nowhere/gpt"), NotFound, "nowhere"),
        (Changes(detach=["memory_insert"]), Refused, "nothing else"),
    ):
        with pytest.raises(error, match=words):
            await create(agent.id, 1, changes)
    stranger = await make_agent(model="openai/gpt-4o-mini")
    with pytest.raises(NotFound):
        await create(stranger.id, 1, Changes())
    made = await create(agent.id, 1, Changes())
    with pytest.raises(NotFound):
        await sync_to_async(experiments.get)(stranger.id, made.id)


async def test_a_providers_refusal_is_told_in_its_words(server: FakeModelServer) -> None:
    agent = await lived("openai/gpt-4o-mini", server)
    server.push(refuse(400, "No such temperature."))
    made = await again(agent, 1)
    assert (made.status, made.answer, made.error["status"]) == ("failed", None, 400)
    assert "No such temperature." in made.error["message"]
    assert made.segments


async def test_a_model_that_is_silent_is_given_up_when_somebody_asks(server: FakeModelServer) -> None:
    agent = await lived("openai/gpt-4o-mini", server)
    server.push(Reply("Too late", delay_s=30))
    made = await sync_to_async(experiments.create)(agent.id, 1, Changes())
    async with worker(), asyncio.timeout(20):
        while (await Experiment.objects.aget(id=made.id)).status != "running":
            await asyncio.sleep(0.05)
        await sync_to_async(experiments.cancel)(agent.id, made.id)
        while (await Experiment.objects.aget(id=made.id)).is_open:
            await asyncio.sleep(0.05)
    assert (await Experiment.objects.aget(id=made.id)).status == "cancelled"
    with pytest.raises(Conflict):
        await sync_to_async(experiments.cancel)(agent.id, made.id)


async def test_it_goes_with_its_agent(server: FakeModelServer) -> None:
    agent = await lived("openai/gpt-4o-mini", server)
    await again(agent, 1)
    await sync_to_async(deletions.delete_agent)(agent.id)
    assert not await Experiment.objects.aexists()
