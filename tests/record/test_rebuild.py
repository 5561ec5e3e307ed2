"""The request of any past step, rebuilt from the record, is the bytes that went over the wire."""

from collections.abc import Iterator
from hashlib import sha256
from itertools import pairwise
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from agents_core.actions import agents, blocks, tools
from agents_core.actions.messages import Input, RunOptions, outcome, send
from agents_core.errors import NotFound
from agents_core.llm.offline.summary import SUMMARY_REQUEST
from agents_core.models import Agent, Author, Blob, Block, Eviction, Segment, SegmentKind, Step, Tool
from agents_core.record.steps import SegmentView, request_bytes, response_bytes, segments_of
from agents_core.runtime.loop import execute
from tests.llm.fake_server import FakeModelServer, Received, Reply, refuse
from tests.runtime.world import make_agent, make_tool, text

pytestmark = pytest.mark.usefixtures("database")

MODELS = ["openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5", "ollama/some-model"]
AWKWARD = 'Quote " and \\ backslash,\nnew line\ttab, é 漢字 😀 \u2028 </script> {"json": [1, 2]} \x7f\x1b'
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
LONG = "The harbour master wrote down every ship that came in. " * 60
SEARCH = ("conversation_search", '{"query": "ships \\"two\\""}')
INSERT = ("memory_insert", '{"label": "human", "new_string": "Line \\\\ with \\"quotes\\"\\n漢字"}')


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeModelServer]:
    with FakeModelServer() as server:
        for name in ("OPENAI", "OLLAMA"):
            monkeypatch.setenv(f"{name}_BASE_URL", server.url)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.origin)
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
        server.default = answers()
        yield server


def answers() -> Any:
    """A model whose answers differ in all that an answer may have; a summary when one is asked for."""
    script = iter([
        Reply("Hello."),
        Reply("", calls=(INSERT,)),
        Reply(AWKWARD, reasoning="Why " + AWKWARD, calls=(SEARCH, INSERT)),
        Reply("", calls=(("no_such_tool", "{}"),)),
        Reply("", calls=(("memory_insert", "{malformed"),)),
        *([Reply("Seen.", calls=(SEARCH,)), Reply(AWKWARD)] * 3),
        refuse(400, "No " + AWKWARD),
    ])  # fmt: skip
    return lambda request: (
        Reply("They spoke of ships.") if SUMMARY_REQUEST.encode() in request.body else next(script, Reply("Yes."))
    )


async def tell(agent: Agent, content: list[dict[str, Any]], **options: Any) -> None:
    sent = await send(agent.id, [Input("user", content)], options=RunOptions(**options))
    await execute(agent.id, sent.run_id, None, 1)
    assert (await outcome(sent.run_id)).status in ("completed", "failed")


async def live_through_much(agent: Agent) -> None:
    """Messages, edits of memory, instructions and tools in between, and enough words to fill the window."""
    block = await Block.objects.aget(agent_links__agent=agent)
    own = await Tool.objects.aget(name="own")
    do = sync_to_async
    await tell(agent, text("Hello"))
    await tell(agent, text(AWKWARD))
    await tell(agent, [*text("What is this?"), {"type": "image", "media_type": "image/png", "data": PIXEL}])
    await do(blocks.modify)(block.id, {"value": AWKWARD}, Author.PERSON)
    await tell(agent, text("Now?"))
    await do(tools.attach)(agent.id, own.id)
    await tell(agent, text("A tool came."))
    await tell(agent, text("Be someone else."), override_system=AWKWARD)
    await do(blocks.modify)(block.id, {"description": AWKWARD, "read_only": True}, Author.PERSON)
    await do(agents.modify)(agent.id, {"system": f"Before {AWKWARD} {{CORE_MEMORY}} after."})
    await tell(agent, text("Changed."))
    await do(tools.detach)(agent.id, own.id)
    await do(agents.modify)(agent.id, {"tool_rules": [{"type": "exit_loop", "tool_name": "conversation_search"}]})
    await tell(agent, text(""))
    for number in range(14):
        await tell(agent, text(f"{number} {AWKWARD} {LONG}"))


async def live_one(model: str) -> Agent:
    await make_tool(
        'def own(x: str) -> str:\n    """Own.\n\n    Args:\n        x: Say é 漢字 😀 <b> & it.\n    """\n    return x\n'
    )
    agent = await make_agent(
        model=model, tools=["conversation_search", "memory_insert"], context_window=8000,
        model_settings={"parallel_tool_calls": True},
    )  # fmt: skip
    await live_through_much(agent)
    return agent


def steps_of(agent: Agent) -> list[Step]:
    return list(Step.objects.filter(agent=agent).select_related("response").order_by("number"))


def asked(server: FakeModelServer) -> list[Received]:
    return [request for request in server.requests if request.method == "POST"]


@pytest.mark.parametrize("model", MODELS)
async def test_every_request_of_a_varied_life_is_rebuilt_byte_for_byte(model: str, server: FakeModelServer) -> None:
    agent = await live_one(model)
    steps = await sync_to_async(steps_of)(agent)
    sent = asked(server)
    assert len(steps) == len(sent) >= 30
    assert await Eviction.objects.filter(agent=agent).aexists()
    assert {step.kind for step in steps} == {"agent", "summary"}
    assert {step.status for step in steps} == {"success", "failed"}
    bodies = {sha256(received.body).digest(): received.body for received in sent}
    # A summary is asked for within the step that it makes room for, so the order of numbers is not that of requests.
    assert sorted(bytes(step.request_digest or b"") for step in steps) == sorted(sha256(r.body).digest() for r in sent)
    for step in steps:
        segments = await sync_to_async(segments_of)(step)
        body = bodies[bytes(step.request_digest or b"")]
        assert b"".join(segment.raw for segment in segments) == body
        assert await sync_to_async(request_bytes)(step) == body
        assert await sync_to_async(response_bytes)(step)
        assert all(segment.text for segment in segments)
    await sync_to_async(check_parts)(steps)


def check_parts(steps: list[Step]) -> None:
    """Each part is cut out as what it is, and stored once as long as it stays the same."""
    before: list[SegmentView] = []
    for step in (step for step in steps if step.kind == "agent"):
        segments = segments_of(step)
        kinds = {segment.kind for segment in segments}
        assert kinds >= {SegmentKind.ENVELOPE, SegmentKind.SYSTEM, SegmentKind.MESSAGE}
        if not any("someone else" in segment.text for segment in segments[-4:]):
            assert kinds >= {SegmentKind.CORE, SegmentKind.METADATA, SegmentKind.TOOL}
        known = {(segment.kind, segment.source_id, segment.label, segment.raw): segment.id for segment in before}
        same = [s for s in segments if (s.kind, s.source_id, s.label, s.raw) in known]
        assert all(known[s.kind, s.source_id, s.label, s.raw] == s.id for s in same)
        before = segments
    ids = [segment_id for step in steps for segment_id in step.segments]
    assert Segment.objects.count() == len(set(ids)) < len(ids) / 3


@pytest.mark.parametrize("model", MODELS)
async def test_a_step_costs_what_changed(model: str, server: FakeModelServer) -> None:
    server.push(*[Reply("Yes.")] * 12)
    agent = await make_agent(model=model, tools=["conversation_search"])
    for number in range(12):
        await tell(agent, text(f"Message {number}, and some words with it."))
    new = [
        len(set(after.segments) - set(before.segments))
        for before, after in pairwise(await sync_to_async(steps_of)(agent))
    ]
    assert max(new) <= 8
    assert max(new[4:]) == min(new[4:]), "growing with the conversation"


async def test_each_part_says_what_it_shows(server: FakeModelServer) -> None:
    agent = await live_one(MODELS[0])
    step = await Step.objects.select_related("response").aget(agent=agent, number=3)
    segments = await sync_to_async(segments_of)(step)
    block = await Block.objects.aget(agent_links__agent=agent)
    [core] = [segment for segment in segments if segment.kind == SegmentKind.CORE]
    assert (core.source_id, core.label) == (block.id, "human")
    assert 'Line \\ with "quotes"\n漢字' in core.text
    own = {segment.source_id for segment in segments if segment.kind == SegmentKind.TOOL}
    assert own == {tool.id async for tool in Tool.objects.filter(agents=agent)}


async def test_a_damaged_record_is_told(server: FakeModelServer) -> None:
    agent = await make_agent(model=MODELS[0])
    await tell(agent, text("Hello"))
    [step] = await sync_to_async(steps_of)(agent)
    segment = await Segment.objects.aget(kind=SegmentKind.MESSAGE, agent=agent)
    await Blob.objects.filter(digest=segment.blob_id).aupdate(content=b'"Hullo"')
    with pytest.raises(ValueError, match="damaged"):
        await sync_to_async(request_bytes)(step)


async def test_a_step_that_sent_nothing_has_no_request(server: FakeModelServer) -> None:
    agent = await make_agent()
    await Agent.objects.filter(id=agent.id).aupdate(model="nobody/model")
    await tell(agent, text("Hello"))
    [step] = await sync_to_async(steps_of)(agent)
    assert await sync_to_async(segments_of)(step) == []
    with pytest.raises(NotFound):
        await sync_to_async(request_bytes)(step)
