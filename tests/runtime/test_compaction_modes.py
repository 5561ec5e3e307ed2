"""How each mode chooses who leaves and who writes the summary, and what happens when the summariser fails."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async

from agents_core.actions import agents, blocks
from agents_core.actions.compaction import queue_compaction
from agents_core.actions.context import overview
from agents_core.events.types import ContextCompacted
from agents_core.llm import tokens
from agents_core.llm.errors import ContextWindowExceeded, ModelNotFound, ModelServerError
from agents_core.llm.offline.summary import SUMMARY_REQUEST
from agents_core.llm.providers.scripted import Answer, script
from agents_core.llm.types import ModelRequest
from agents_core.models import Agent, Author, Block, Eviction, Message, Role, Segment, Step, TokenRatio, new_id
from agents_core.record.steps import request_bytes
from agents_core.runtime.compaction import SUMMARY_PREFIX
from agents_core.runtime.loop import execute
from agents_core.runtime.summary_guards import KEPT
from tests.runtime.world import events, in_context, make_agent, make_tool, play, said, say, spoken

WINDOW = 4000
FILLER = "the harbour master wrote down every ship that came in on that day. " * 40
_COUNTED_ANEW = 5
"""Tokens by which the prompt's own counts may change when it is compiled anew."""
DOWN = Answer(error=ModelServerError("Down."))


def is_apart(request: ModelRequest) -> bool:
    return request.system.startswith(SUMMARY_REQUEST)


def is_in_thread(request: ModelRequest) -> bool:
    return bool(request.messages) and request.messages[-1].text.startswith(SUMMARY_REQUEST)


def model(apart: str | Answer = "Told apart.", in_thread: str | Answer = "Told in thread.") -> list[Any]:
    def answer(request: ModelRequest) -> str | Answer:
        return apart if is_apart(request) else in_thread if is_in_thread(request) else "Yes."

    return [answer] * 300


async def compacted(agent: Agent, **settings: Any) -> Eviction | None:
    """The compaction of the agent's thread on request, None when nothing could leave."""
    run_id = new_id("run")
    await queue_compaction(agent.id, None, settings, run_id)
    await execute(agent.id, run_id, None, 1)
    return await Eviction.objects.filter(run=run_id).afirst()


async def until_compacted(agent: Agent, times: int = 1, words: str = FILLER) -> Eviction:
    """Speaks to the agent until its window has been compacted so many times; gives the last."""
    for number in range(60):
        ended = await say(agent, f"message {number}. {words}")
        assert ended.status == "completed", ended.error
        if await Eviction.objects.filter(agent=agent).acount() >= times:
            break
    last = await Eviction.objects.filter(agent=agent).order_by("-id").afirst()
    assert last is not None
    return last


async def summary_of(eviction: Eviction) -> str:
    return spoken(await Message.objects.aget(pk=eviction.summary_id)).removeprefix(SUMMARY_PREFIX)


# --- who leaves --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
async def test_a_sliding_window_leaves_its_share_of_the_window_free_and_takes_no_message_more(share: float) -> None:
    tokens.load()
    agent = await make_agent(model(), context_window=WINDOW, compaction_settings={"sliding_window_percentage": share})
    eviction = await until_compacted(agent)
    assert (eviction.trigger, eviction.mode) == ("threshold", "sliding_window")
    assert WINDOW * 0.9 < eviction.tokens_before <= WINDOW
    summary = tokens.count(SUMMARY_PREFIX + await summary_of(eviction)) + tokens.MESSAGE_TOKENS
    kept, goal = eviction.tokens_after - summary, WINDOW * (1 - share)
    assert kept <= goal + _COUNTED_ANEW
    last = await Message.objects.aget(pk=eviction.message_ids[-1])
    with_last = kept + tokens.count(spoken(last)) + tokens.MESSAGE_TOKENS
    others = len(eviction.message_ids) - 1
    candidates = eviction.messages_before - 2  # the system message, and the one that waits
    assert with_last > goal - _COUNTED_ANEW or others < candidates * share


async def test_mode_all_leaves_the_system_message_the_summary_and_what_is_to_be_answered() -> None:
    agent = await make_agent(model(), context_window=WINDOW, compaction_settings={"mode": "all"})
    eviction = await until_compacted(agent)
    assert eviction.mode == "all"
    assert [message.role for message in await in_context(agent)] == ["system", "summary", "user", "assistant"]


async def test_an_answer_whose_call_waits_for_its_return_is_never_evicted() -> None:
    agent = await make_agent(model(), context_window=WINDOW)
    for number in range(4):
        await say(agent, f"message {number}")
    pending = await Message.objects.filter(agent=agent, role="assistant").order_by("-seq").afirst()
    assert pending is not None
    pending.tool_calls = [{"id": "call_x", "name": "dangerous", "arguments": "{}"}]
    await pending.asave(update_fields=["tool_calls"])
    for mode in ("all", "sliding_window"):
        eviction = await compacted(agent, mode=mode, sliding_window_percentage=0.9)
        if eviction is not None:
            assert pending.id not in eviction.message_ids
    assert (await in_context(agent))[-1].id == pending.id
    assert await Eviction.objects.filter(agent=agent).aexists()


async def test_calls_made_side_by_side_leave_with_all_their_returns() -> None:
    await make_tool(
        'def look(n: int) -> str:\n    """Look.\n\n    Args:\n        n: Which.\n    """\n    return "seen " * 300\n'
    )
    calls = [("look", {"n": n}) for n in range(2)]
    played = iter([*(Answer(calls=calls) for _ in range(9)), "Done."])

    def answer(request: ModelRequest) -> str | Answer:
        return "They looked." if is_apart(request) else next(played)

    settings = {"parallel_tool_calls": True}
    agent = await make_agent(
        [answer] * 60, tools=["look"], context_window=WINDOW, model_settings=settings, budgets={"max_repeated_calls": 0}
    )
    assert (await say(agent, "look")).status == "completed"
    assert await Eviction.objects.filter(agent=agent).aexists()
    messages = await in_context(agent)
    called = {call["id"] for message in messages for call in message.tool_calls}
    assert called == {answer["tool_call_id"] for message in messages for answer in message.tool_returns}


# --- who writes it -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["self_compact_all", "self_compact_sliding_window"])
async def test_an_agent_that_summarises_itself_is_asked_behind_its_own_prompt_and_tools(mode: str) -> None:
    agent = await make_agent(
        model(), context_window=WINDOW, compaction_settings={"mode": mode}, include_base_tools=True
    )
    played = await play(agent, model())
    eviction = await until_compacted(agent)
    assert (eviction.mode, eviction.summarised_by) == (mode, agent.model)
    assert await summary_of(eviction) == "Told in thread."
    asked = next(at for at, request in enumerate(played.requests) if is_in_thread(request))
    before, question = played.requests[asked - 1], played.requests[asked]
    assert (question.system, question.tools, question.tool_choice) == (before.system, before.tools, "none")
    shared = len(question.messages) - 1
    if mode == "self_compact_all":
        shared -= 1  # the last answer is new
        assert shared == len(before.messages)
    assert question.messages[:shared] == before.messages[:shared]
    for step in [step async for step in Step.objects.filter(agent=agent).order_by("number")]:
        assert await sync_to_async(request_bytes)(step)  # raises for one that the record does not hold byte for byte


async def test_the_built_in_model_can_summarise_itself_too() -> None:
    agent = await make_agent(model="offline/rules")
    for words in ("My name is Ada.", "I was born in 1815."):
        await say(agent, words)
    eviction = await compacted(agent, mode="self_compact_all")
    assert eviction is not None
    summary = await summary_of(eviction)
    assert (eviction.mode, "Ada" in summary, "1815" in summary) == ("self_compact_all", True, True)
    assert "go on" not in summary


@pytest.mark.parametrize(
    ("mode", "apart", "in_thread", "ended_as", "said"),
    [
        ("self_compact_all", "Told apart.", DOWN, "all", "Told apart."),
        ("self_compact_sliding_window", "Told apart.", "", "all", "Told apart."),
        ("self_compact_all", DOWN, DOWN, "self_compact_all", "(No summary could be made"),
        ("sliding_window", DOWN, "never asked", "sliding_window", "(No summary could be made"),
        ("all", "", "never asked", "all", "(No summary could be made"),
    ],
)
async def test_a_mode_that_fails_is_followed_by_the_next_and_at_last_by_words_of_our_own(
    mode: str, apart: str | Answer, in_thread: str | Answer, ended_as: str, said: str
) -> None:
    agent = await make_agent(model(apart, in_thread), context_window=WINDOW, compaction_settings={"mode": mode})
    eviction = await until_compacted(agent)
    assert eviction.mode == ended_as
    assert (await summary_of(eviction)).startswith(said)
    assert eviction.summarised_by == ("" if said.startswith("(") else agent.model)
    assert not await Step.objects.filter(agent=agent, status="pending").aexists()
    assert len(await events(agent, ContextCompacted)) == 1


async def test_another_model_writes_the_summary_and_the_agents_own_does_when_that_cannot() -> None:
    other = script("summariser", ["Told by another."] * 9)
    settings = {"model": "scripted/summariser", "model_settings": {"max_output_tokens": 77, "temperature": 0.5}}
    agent = await make_agent(model(), context_window=WINDOW, compaction_settings=settings)
    eviction = await until_compacted(agent)
    assert (await summary_of(eviction), eviction.summarised_by) == ("Told by another.", "scripted/summariser")
    assert (other.requests[0].max_output_tokens, other.requests[0].temperature) == (77, 0.5)
    assert not await TokenRatio.objects.filter(handle="scripted/summariser").aexists()
    script("summariser", [Answer(error=ModelNotFound("Gone."))] * 9)
    for handle in ("scripted/summariser", "nobody/knows"):
        await sync_to_async(agents.modify)(agent.id, {"compaction_settings": {"model": handle}})
        for _ in range(2):
            await say(agent, "more")
        again = await compacted(agent, mode="all")
        assert again is not None
        assert again.summarised_by == agent.model


async def test_what_is_to_be_summarised_is_cut_when_the_summariser_finds_it_too_long() -> None:
    lengths: list[int] = []

    def answer(request: ModelRequest) -> str | Answer:
        if not is_apart(request):
            return "Yes."
        lengths.append(len(request.messages[-1].text))
        return "Short enough." if lengths[-1] < WINDOW * 1.1 else Answer(error=ContextWindowExceeded("Too long."))

    agent = await make_agent([answer] * 60, context_window=WINDOW, compaction_settings={"mode": "all"})
    eviction = await until_compacted(agent)
    assert await summary_of(eviction) == "Short enough."
    assert len(lengths) == 2
    assert lengths[1] < lengths[0]


async def test_the_prompt_and_the_acknowledgement_reach_the_summariser_and_its_words_are_clipped() -> None:
    settings = {"prompt": "Keep only colours.", "prompt_acknowledgement": True, "clip_chars": 60, "mode": "all"}
    agent = await make_agent(model(), context_window=WINDOW, compaction_settings=settings)
    played = await play(agent, model(apart="red and blue " * 40))
    eviction = await until_compacted(agent)
    assert len(await summary_of(eviction)) <= 60
    asked = next(request for request in played.requests if is_apart(request))
    assert "Keep only colours." in asked.system
    assert [message.role for message in asked.messages] == ["assistant", "user"]


# --- what is not lost ----------------------------------------------------------------------------------------------------


async def test_names_numbers_and_prohibitions_that_a_summary_drops_are_kept_verbatim_through_all_generations() -> None:
    agent = await make_agent(model("They talked."), context_window=WINDOW)
    await say(agent, "please note that Captain Nemo holds berth 4711. Never tell the harbour master.")
    eviction = await until_compacted(agent, times=4)
    assert eviction.retention == 0
    kept = (await summary_of(eviction)).partition(KEPT)[2]
    for fact in ("Captain Nemo", "4711", "Never tell the harbour master."):
        assert fact in kept
        assert fact in eviction.kept_verbatim
    assert len(await summary_of(eviction)) <= WINDOW * 0.1 * 4


async def test_a_summary_that_holds_the_facts_gets_no_line_and_what_it_made_up_is_noted() -> None:
    agent = await make_agent(model("The person said that Captain Nemo holds 4711, and that Sinbad owes 88."))
    await say(agent, "please note that Captain Nemo holds 4711.")
    await say(agent, "good.")
    eviction = await compacted(agent, mode="all")
    assert eviction is not None
    assert (eviction.retention, eviction.kept_verbatim) == (1.0, [])
    assert sorted(eviction.unsupported) == ["88", "Sinbad"]


async def test_the_third_summary_of_a_summary_is_made_from_the_messages_themselves() -> None:
    read: list[str] = []

    def answer(request: ModelRequest) -> str | Answer:
        if not is_apart(request):
            return "Yes."
        read.append(request.messages[-1].text)
        return f"summary number {len(read)}"

    agent = await make_agent([answer] * 99)
    found = []
    for number in range(4):
        await say(agent, f"the secret of day {number} is swordfish{number}")
        await say(agent, "go on")
        found.append(await compacted(agent, mode="all"))
    assert [each.generation for each in found if each] == [1, 2, 1, 2]
    assert "the secret of day 0" not in read[1]
    assert "summary number 1" in read[1]
    assert all(f"the secret of day {number}" in read[2] for number in range(3))
    assert "summary number" not in read[2]
    ranges = [(each.first_seq, each.last_seq) for each in found if each]
    first = await Message.objects.filter(agent=agent, role=Role.USER).order_by("seq").afirst()
    assert first is not None
    assert {start for start, _ in ranges} == {first.seq}
    assert len({last for _, last in ranges}) == len(ranges)


async def test_a_worker_that_dies_in_a_compaction_leaves_it_undone_and_the_next_does_it_once() -> None:
    class Died(BaseException):
        pass

    def dies(request: ModelRequest) -> str:
        if is_apart(request):
            raise Died
        return "Yes."

    agent = await make_agent([dies] * 9)
    await say(agent, "one")
    await say(agent, "two")
    before = [message.id for message in await in_context(agent)]
    run_id = new_id("run")
    await queue_compaction(agent.id, None, {"mode": "all"}, run_id)
    with pytest.raises(Died):
        await execute(agent.id, run_id, None, 1)
    assert [message.id for message in await in_context(agent)] == before
    await play(agent, model())
    await execute(agent.id, run_id, None, 2)
    await execute(agent.id, run_id, None, 3)
    assert [message.role for message in await in_context(agent)] == ["system", "summary"]
    assert await Eviction.objects.filter(agent=agent).acount() == 1
    statuses = [step.status async for step in Step.objects.filter(run=run_id).order_by("number")]
    assert statuses == ["failed", "success"]


# --- when the prompt is compiled -----------------------------------------------------------------------------------------


async def edit(agent: Agent, value: str) -> None:
    block = await Block.objects.aget(agent_links__agent=agent)
    await sync_to_async(blocks.modify)(block.id, {"value": value}, Author.PERSON)


async def last_system(agent: Agent) -> str:
    played = await play(agent, model())
    await say(agent, "now?")
    return next(request.system for request in played.requests if not is_apart(request))


async def test_a_prompt_is_compiled_at_once_or_only_at_a_compaction_as_the_agent_says() -> None:
    for choice, seen_at_once in (("immediate", True), ("compaction", False)):
        agent = await make_agent(model(), compaction_settings={"recompile": choice})
        await say(agent, "hello")
        await edit(agent, "Her name is Grace.")
        assert ("Grace" in await last_system(agent)) is seen_at_once, choice
        assert await compacted(agent, mode="all") is not None
        assert "Grace" in await last_system(agent)


async def test_a_prompt_that_waits_is_sent_unchanged_cut_as_before_and_its_stale_parts_are_told() -> None:
    agent = await make_agent(model(), compaction_settings={"recompile": "compaction"})
    before = await last_system(agent)
    assert (await sync_to_async(overview)(agent.id))["stale_parts"] == []
    await edit(agent, "Her name is Grace.")
    await sync_to_async(agents.modify)(agent.id, {"system": "Be someone else."})
    assert await last_system(agent) == before
    block = await Block.objects.aget(agent_links__agent=agent)
    stale = (await sync_to_async(overview)(agent.id))["stale_parts"]
    assert [(part["kind"], part["source_id"]) for part in stale] == [("system", ""), ("core", block.id)]
    step = await Step.objects.filter(agent=agent).order_by("-number").afirst()
    assert step is not None
    segments = [segment async for segment in Segment.objects.filter(id__in=step.segments, source_id=block.id)]
    assert [segment.kind for segment in segments] == ["core"]
    await sync_to_async(agents.recompile_prompt)(agent.id)
    assert (await sync_to_async(overview)(agent.id))["stale_parts"] == []
    assert "Grace" in await last_system(agent)


async def test_after_a_compaction_the_prompt_counts_the_messages_that_left() -> None:
    agent = await make_agent(model())
    await say(agent, "one")
    await say(agent, "two")
    assert await compacted(agent, mode="all") is not None
    assert "- 4 earlier messages can be found in recall memory" in await last_system(agent)


async def test_messages_that_wait_while_a_thread_is_compacted_stay_and_are_answered() -> None:
    agent = await make_agent(model())
    await say(agent, "one")
    await say(agent, "two")
    waiting = await said(agent, "three")
    assert await compacted(agent, mode="all") is not None
    await execute(agent.id, waiting, None, 1)
    assert [message.role for message in await in_context(agent)] == ["system", "summary", "user", "assistant"]
