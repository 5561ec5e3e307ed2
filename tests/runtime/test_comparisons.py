"""Branches that live a recorded tail again: nothing of the parent changes, and nothing reaches outside."""

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from agents_core.actions import comparisons, deletions
from agents_core.actions.comparisons import Proposed
from agents_core.actions.messages import CallAnswer, RunOptions, send
from agents_core.actions.tail import MOST_STEPS
from agents_core.errors import Conflict, InvalidInput, NotFound, Refused
from agents_core.llm.providers.scripted import Answer, script
from agents_core.llm.types import ModelRequest
from agents_core.models import Agent, Archive, Block, Branch, Comparison, Message, Run, Step, ToolCall, Variant
from agents_core.runtime.loop import execute
from agents_core.runtime.preview import Changes
from tests.runtime.test_experiments import digest_of
from tests.runtime.working import worker
from tests.runtime.world import make_agent, make_tool, say, spoken, value_of

INSERT = ("memory_insert", {"label": "human", "new_string": "Sails."})
DICE = 'def roll_dice(sides: int) -> int:\n    """Roll a die.\n\n    Args:\n        sides: how many sides\n    """\n    return sides\n'

do = sync_to_async


async def lived(answers: Any = None, **fields: Any) -> Agent:
    """An agent with three turns: it was greeted, was told something that it wrote down, and was asked."""
    given = answers or ["Hello.", Answer(calls=[INSERT]), "Noted.", "You sail."]
    agent = await make_agent(given, tools=["memory_insert"], **fields)
    for words in ("Hi", "I sail", "What do I do?"):
        await say(agent, words)
    return agent


async def compared(agent: Agent, from_step: int, *changes: Changes) -> Comparison:
    """The comparison, with all its branches at their ends."""
    made = await do(comparisons.create)(agent.id, from_step, [Proposed(each) for each in changes])
    async with worker():
        await do(comparisons.run)(agent.id, made.id)
        await all_ended(made)
    return made


async def all_ended(made: Comparison) -> None:
    async with asyncio.timeout(40):
        while await Run.objects.filter(agent__variant_of__comparison=made, status__in=("created", "running")).aexists():
            await asyncio.sleep(0.05)


async def branch(made: Comparison, position: int = 1) -> Variant:
    return await made.variants.select_related("fork").aget(position=position)


async def calls_of(variant: Variant) -> list[tuple[str, str | None]]:
    steps = await do(comparisons.steps_of)(variant)
    return [
        (c.name, c.result) async for c in ToolCall.objects.filter(step__in=steps).order_by("step__number", "position")
    ]


async def test_a_branch_lives_the_same_messages_again_with_its_own_memory_and_the_parent_stays_as_it_was() -> None:
    agent = await lived()
    before = await do(digest_of)(agent, told_of_forks=True)
    script("other", [Answer(calls=[("memory_insert", {"label": "human", "new_string": "Rows."})]), "Fine.", "You row."])
    made = await compared(agent, 2, Changes(model="scripted/other"))
    other = await branch(made)
    steps = await do(comparisons.steps_of)(other)
    assert [step.number for step in steps] == [2, 3, 4]
    said = [
        spoken(m) async for m in Message.objects.filter(step__in=steps, role="assistant").order_by("seq") if spoken(m)
    ]
    assert said == ["Fine.", "You row."]
    assert await value_of(other.fork) == "Her name is Ada.\nRows."
    asked = [spoken(m) async for m in Message.objects.filter(agent=other.fork, role="user").order_by("seq")]
    assert asked == ["Hi", "I sail", "What do I do?"]
    assert await value_of(agent) == "Her name is Ada.\nSails."
    assert await do(digest_of)(agent, told_of_forks=True) == before


async def test_a_tail_that_begins_in_the_middle_of_a_turn_goes_on_with_what_the_step_saw() -> None:
    agent = await lived()
    seen: list[ModelRequest] = []

    def answer(request: ModelRequest) -> str:
        seen.append(request)
        return f"Answer {len(seen)}."

    script("middle", [answer, answer])
    made = await compared(agent, 3, Changes(model="scripted/middle"))
    assert [len(await do(comparisons.steps_of)(v)) for v in [await branch(made)]] == [2]
    assert seen[0].messages[-1].role == "tool"
    assert seen[1].messages[-1].text == "What do I do?"


async def test_instructions_and_memory_of_a_branch_are_what_its_model_reads() -> None:
    agent = await lived()
    systems: list[str] = []

    def answer(request: ModelRequest) -> str:
        systems.append(request.system)
        return "Yes."

    script("reads", [answer] * 4)
    one = Changes("scripted/reads", "Be brief.", {"human": "Her name is Bea."})
    await compared(agent, 4, one, Changes("scripted/reads", None, {"human": None}))
    told = sorted(systems, key=len)
    assert "Ada" not in "".join(systems)
    assert "<human>" not in told[0] or "<human>" not in told[1]
    assert any("Be brief." in system and "Her name is Bea." in system for system in systems)


async def test_eight_branches_run_side_by_side_and_a_ninth_is_refused() -> None:
    agent = await lived()
    script("eight", ["One.", "Two.", "Three."])
    before = await do(digest_of)(agent, told_of_forks=True)
    made = await compared(agent, 2, *[Changes(model="scripted/eight")] * 8)
    found = [await branch(made, position) for position in range(1, 9)]
    assert [len(await do(comparisons.steps_of)(each)) for each in found] == [2] * 8
    with pytest.raises(Refused, match="at most 8 branches"):
        await do(comparisons.add)(agent.id, made.id, [Proposed(Changes())])
    assert await do(digest_of)(agent, told_of_forks=True) == before


async def test_a_call_that_reaches_outside_answers_from_the_record_or_is_refused() -> None:
    await make_tool(DICE)
    rules = [{"type": "requires_approval", "tool_name": "roll_dice"}]
    roll = Answer(calls=[("roll_dice", {"sides": 6})])
    agent = await make_agent([roll, "Six."], tools=["roll_dice"], tool_rules=rules)
    await say(agent, "Roll")
    call = await ToolCall.objects.aget(agent=agent)
    answers = [CallAnswer(call.call_id, approve=True, arguments={"sides": 6})]
    sent = await send(agent.id, [], options=RunOptions(answers=answers))
    await execute(agent.id, sent.run_id, None, 1)
    await ToolCall.objects.filter(pk=call.pk).aupdate(result="recorded six")
    script("rolls", [roll, Answer(calls=[("roll_dice", {"sides": 8})]), roll, "Done."])
    made = await compared(agent, 1, Changes(model="scripted/rolls"))
    first, second, third = await calls_of(await branch(made))
    assert first == third == ("roll_dice", "recorded six")
    assert "reaches outside" in (second[1] or "")


async def test_a_sandboxed_tool_runs_for_real_and_one_with_a_host_does_not() -> None:
    await make_tool(DICE)
    await make_tool(DICE.replace("roll_dice", "call_server"), hosts=["example.com"])
    agent = await make_agent(["Hello."], tools=["roll_dice", "call_server"])
    await say(agent, "Go")
    both = [("roll_dice", {"sides": 4}), ("call_server", {"sides": 4})]
    script("both", [Answer(calls=[call]) for call in both] + ["Done."])
    made = await compared(agent, 1, Changes(model="scripted/both"))
    ran, refused = await calls_of(await branch(made))
    assert ran == ("roll_dice", "4")
    assert "reaches outside" in (refused[1] or "")


async def test_a_branch_takes_no_more_steps_than_are_compared() -> None:
    agent = await lived()
    script("endless", [Answer(calls=[("memory_insert", {"label": "human", "new_string": str(n)})]) for n in range(200)])
    made = await compared(agent, 2, Changes(model="scripted/endless"))
    other = await branch(made)
    assert await Step.objects.filter(agent=other.fork, number__gte=2).acount() <= MOST_STEPS


async def test_running_branches_are_stopped_together() -> None:
    agent = await lived()
    script("slow", [Answer("Late.", delay_s=30)])
    made = await do(comparisons.create)(agent.id, 2, [Proposed(Changes(model="scripted/slow"))] * 2)
    with pytest.raises(Conflict, match="No branch is running"):
        await do(comparisons.cancel)(agent.id, made.id)
    async with worker():
        await do(comparisons.run)(agent.id, made.id)
        await asyncio.sleep(0.3)
        await do(comparisons.cancel)(agent.id, made.id)
        await all_ended(made)
    statuses = {run.status async for run in Run.objects.filter(agent__variant_of__comparison=made)}
    assert statuses == {"cancelled"}


async def test_the_agent_becomes_a_branch_and_keeps_what_it_was() -> None:
    agent = await lived()
    script("better", ["Better.", "Best."])
    made = await compared(agent, 2, Changes("scripted/better", "Be better.", {"human": "Her name is Eva."}))
    other = await branch(made)
    await do(comparisons.adopt)(agent.id, made.id, other.id)
    now = await Agent.objects.aget(id=agent.id)
    assert (now.model, now.system) == ("scripted/better", "Be better.")
    assert await value_of(agent) == "Her name is Eva."
    assert await Branch.objects.filter(agent=agent).acount() == 1
    assert (await branch(made)).adopted_at is not None


async def test_what_goes_takes_its_forks_and_their_memory_with_it() -> None:
    agent = await lived()
    script("gone", ["One.", "Two."] * 2)
    made = await compared(agent, 2, *[Changes(model="scripted/gone")] * 3)
    await do(comparisons.remove)(agent.id, made.id, (await branch(made, 2)).id)
    assert await Agent.objects.acount() == 3
    await do(comparisons.delete)(agent.id, made.id)
    assert await Agent.objects.acount() == 1
    assert (await Block.objects.acount(), await Archive.objects.acount()) == (1, 0)
    again = await do(comparisons.create)(agent.id, 2, [Proposed(Changes(model="scripted/gone"))])
    await do(comparisons.run)(agent.id, again.id)
    await do(deletions.delete_agent)(agent.id)
    assert not await Agent.objects.aexists()
    assert not await Comparison.objects.aexists()


async def test_what_cannot_be_compared_is_refused() -> None:
    agent, stranger = await lived(), await make_agent(["Hi."])
    made = await do(comparisons.create)(agent.id, 2)
    for changes, error in (
        (Changes(model="gpt"), Refused),
        (Changes(model="nowhere/x"), NotFound),
        (Changes(attach=["memory_insert"]), Refused),
        (Changes(blocks={"human": "x" * 100_001}), InvalidInput),
    ):
        with pytest.raises(error):
            await do(comparisons.add)(agent.id, made.id, [Proposed(changes)])
    for step in (0, 99):
        with pytest.raises(NotFound):
            await do(comparisons.create)(agent.id, step)
    with pytest.raises(NotFound):
        await do(comparisons.add)(stranger.id, made.id, [Proposed(Changes())])
    await do(comparisons.add)(agent.id, made.id, [Proposed(Changes(blocks={"nothing": "x"}))])
    with pytest.raises(InvalidInput, match="nothing"):
        await do(comparisons.run)(agent.id, made.id)
    assert not await Agent.objects.filter(hidden=True).aexists()
