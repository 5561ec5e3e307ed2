"""A preview is the request that the next step sends, byte for byte, and nothing is written for it."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async

from agents_core.actions import agents, blocks
from agents_core.actions.messages import Input, send
from agents_core.errors import InvalidInput, NotFound
from agents_core.llm.providers.scripted import Answer
from agents_core.models import Agent, Author, Blob, Block, Event, Message, Run, Segment, SegmentKind, Step
from agents_core.record.compare import compare
from agents_core.record.prefix import common_prefix
from agents_core.record.steps import request_bytes, segments_of
from agents_core.runtime.loop import execute
from agents_core.runtime.preview import Changes, Previewed, preview_next
from tests.llm.fake_server import FakeModelServer, Reply
from tests.runtime.world import make_agent, make_tool, said, say, text

MODELS = ["openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5", "ollama/some-model", "offline/rules"]
INSERT = ("memory_insert", '{"label": "human", "new_string": "\\nShe sails.", "request_heartbeat": true}')
DICE = 'def roll_dice(sides: int) -> int:\n    """Roll a die.\n\n    Args:\n        sides: how many sides\n    """\n    return sides\n'


async def last_step(agent: Agent) -> Step:
    return await Step.objects.filter(agent=agent, request_digest__isnull=False).order_by("-number").afirst()


async def rows() -> dict[str, Any]:
    """All that a step could write."""
    tables = (Agent, Block, Message, Run, Step, Segment, Blob, Event)
    return {table.__name__: [row async for row in table.objects.order_by("pk").values()] for table in tables}


@pytest.mark.parametrize("model", MODELS)
async def test_the_previewed_bytes_are_those_that_the_next_step_sends(server: FakeModelServer, model: str) -> None:
    agent = await make_agent(model=model, tools=["memory_insert", "conversation_search"])
    for words in ("I am Ada; I live in Porto.", 'Quote " \\ and 漢字 😀\n\x00', "And now?"):
        if model != "offline/rules":
            server.push(Reply("", calls=(INSERT,)))
        seen = await preview_next(agent.id, None, words)
        await say(agent, words)
        first = (
            await Step.objects.filter(run__messages__content=text(words.replace("\x00", "")))
            .order_by("number")
            .afirst()
        )
        sent = await sync_to_async(request_bytes)(first)
        assert seen.body == sent
        recorded = await sync_to_async(segments_of)(first)
        assert [(s.kind, s.label, s.raw) for s in seen.segments] == [(s.kind, s.label, s.raw) for s in recorded]
        assert (seen.url, seen.tokens) == (first.url, first.estimated_tokens)
    if model != "offline/rules":
        assert [r.body for r in server.requests if seen.body == r.body]


async def test_a_preview_writes_nothing_and_asks_nobody(server: FakeModelServer) -> None:
    agent = await make_agent(model="openai/gpt-4o-mini")
    before = await rows()
    changes = Changes(model="anthropic/claude-sonnet-4-5", system="Else.", blocks={"human": "Bo."})
    await preview_next(agent.id, None, "Hello", changes)
    assert await rows() == before
    assert server.requests == []


async def test_the_preview_of_a_queued_run_holds_its_message_and_its_own_settings() -> None:
    agent = await make_agent(["Yes."])
    run_id = await said(agent, "Queued", override_system="Be brief.")
    seen = await preview_next(agent.id)
    await execute(agent.id, run_id, None, 1)
    assert seen.body == await sync_to_async(request_bytes)(await last_step(agent))


async def test_in_the_middle_of_a_turn_the_rules_count_the_calls_that_were_made() -> None:
    seen: list[Previewed] = []
    await make_tool(DICE)

    def roll(_: object) -> Answer:
        return Answer(calls=[("roll_dice", {"sides": 6})])

    rules = [{"type": "max_count_per_step", "tool_name": "roll_dice", "max_count_limit": 1}]
    agent = await make_agent([roll, "Six."], tools=["roll_dice", "conversation_search"], tool_rules=rules)
    sent = await send(agent.id, [Input("user", text("Roll"))])
    from agents_core.runtime import loop, step

    take = step.take_step

    async def taking(turn: Any) -> Any:
        if turn.steps_taken:
            seen.append(await preview_next(agent.id))
        return await take(turn)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "take_step", taking)
        await execute(agent.id, sent.run_id, None, 1)
    assert [each.body for each in seen] == [await sync_to_async(request_bytes)(await last_step(agent))]
    assert "roll_dice" not in [s.label for s in seen[0].segments if s.kind == SegmentKind.TOOL]


async def test_what_would_change_is_told_by_segment_and_by_the_first_byte() -> None:
    agent = await make_agent(["Yes."], tools=["conversation_search"])
    await make_tool(DICE)
    await say(agent, "Hello")
    now = await preview_next(agent.id, None, "Next")
    changes = Changes(blocks={"human": "Her name is Bea."}, attach=["roll_dice"])
    then = await preview_next(agent.id, None, "Next", changes)
    statuses = {(c.segment.kind, c.segment.label): c.status for c in compare(now.segments, then.segments)}
    assert statuses["tool", "roll_dice"] == "added"
    assert statuses["core", "human"] == "changed"
    assert statuses["tool", "conversation_search"] == "same"
    prefix = common_prefix(now.segments, then.segments)
    assert prefix.broken_by.label == "roll_dice"
    assert b"".join(s.raw for s in then.segments) == then.body
    assert then.body[: prefix.kept_bytes + 1] != now.body[: prefix.kept_bytes + 1]
    assert then.body[: prefix.kept_bytes] == now.body[: prefix.kept_bytes]


async def test_a_block_taken_away_a_tool_detached_and_a_setting_are_tried_without_being_made() -> None:
    agent = await make_agent(["Yes."], tools=["conversation_search"])
    settings = {"model_settings": {"temperature": 0.25}}
    changes = Changes(blocks={"human": None}, detach=["conversation_search"], settings=settings)
    seen = await preview_next(agent.id, None, "Hi", changes)
    assert {s.kind for s in seen.segments}.isdisjoint({SegmentKind.CORE, SegmentKind.TOOL})
    assert b'"temperature":0.25' in seen.body


async def test_the_first_byte_that_the_cache_loses_lies_in_the_block_that_changed(server: FakeModelServer) -> None:
    agent = await make_agent(model="anthropic/claude-sonnet-4-5", tools=["conversation_search"])
    await say(agent, "Hello")
    step = await last_step(agent)
    old = await sync_to_async(segments_of)(step)
    as_before = common_prefix(old, (await preview_next(agent.id, None, "Next")).segments)
    assert as_before.broken_by is None
    block = await Block.objects.aget(agent_links__agent=agent)
    await sync_to_async(blocks.modify)(block.id, {"value": "Her name is Bea."}, Author.PERSON)
    new = (await preview_next(agent.id, None, "Next")).segments
    prefix = common_prefix(old, new)
    assert prefix.broken_by.label == "human"
    assert b"".join(s.raw for s in new)[: prefix.kept_bytes].endswith(b"Her name is ")


async def test_it_says_when_the_step_would_compact_first() -> None:
    agent = await make_agent(["Yes."], context_window=4096)
    assert not (await preview_next(agent.id, None, "Hi")).compacts_first
    assert (await preview_next(agent.id, None, "word " * 4000)).compacts_first


async def test_what_cannot_be_tried_is_refused_with_its_name() -> None:
    agent = await make_agent(["Yes."])
    stranger = await make_agent(["No."])
    conversation = await sync_to_async(agents.get)(stranger.id)
    for changes, words in (
        (Changes(blocks={"nothing": "x"}), "no block 'nothing'"),
        (Changes(blocks={"human": "x" * 200_000}), "100,000 characters"),
        (Changes(detach=["nothing"]), "no tool 'nothing'"),
        (Changes(settings={"name": "x"}), "name cannot be tried"),
    ):
        with pytest.raises(InvalidInput, match=words):
            await preview_next(agent.id, None, None, changes)
    no_tool = Changes(attach=["no"])
    for agent_id, thread, tried in (
        ("agent-x", None, None),
        (agent.id, conversation.id, None),
        (agent.id, None, no_tool),
    ):
        with pytest.raises(NotFound):
            await preview_next(agent_id, thread, None, tried)
