"""Groups: who speaks when and what each is told; a turn goes on after its worker died, and nobody speaks twice."""

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from agents_core.actions import agents, deletions, groups
from agents_core.actions.messages import outcome
from agents_core.errors import Conflict, NotFound, Refused
from agents_core.events.types import GroupChanged, GroupTurnChanged
from agents_core.llm.providers.scripted import Answer
from agents_core.llm.types import ModelRequest
from agents_core.models import Agent, AgentBlock, Author, Group, GroupTurn, Message, Run, Tool, pipeline
from agents_core.models.pipeline import Statement
from agents_core.queue.requests import said
from agents_core.queue.tasks import recover
from agents_core.runtime import group_turns
from agents_core.runtime.group_turns import Member, named_member
from tests.runtime.working import worker
from tests.runtime.world import events, make_agent, play, spoken


async def make_group(kind: str = "round_robin", count: int = 2, **settings: Any) -> tuple[list[Agent], Group]:
    """Agents named A0, A1 …, each of which says its name and what it was told last; and their group."""
    made = [await make_agent(["x"], name=f"A{n}", description=f"Number {n}.") for n in range(count)]
    for agent in made:
        await play(agent, [_echo(agent.name)] * 10)
    return made, await group_of([agent.id for agent in made], manager_type=kind, **settings)


def _echo(name: str) -> Any:
    def answer(request: ModelRequest) -> str:
        return f"{name} heard {len(request.messages)}"

    return answer


async def group_of(agent_ids: list[str], **settings: Any) -> Group:
    return await sync_to_async(groups.create)(agent_ids, **settings)


async def begin(group: Group, text: str = "What do you think?") -> str:
    return (await sync_to_async(groups.send)(group.id, [said("user", text)])).id


async def finished(turn_id: str, within_s: float = 20) -> GroupTurn:
    async with asyncio.timeout(within_s):
        while (turn := await GroupTurn.objects.aget(id=turn_id)).status in ("created", "running"):
            await asyncio.sleep(0.02)
    return turn


async def speakers(turn: GroupTurn) -> list[str]:
    runs = {run.id: run.agent.name async for run in Run.objects.select_related("agent").filter(id__in=turn.run_ids)}
    return [runs[run_id] for run_id in turn.run_ids]


async def take(group: Group, text: str = "What do you think?") -> GroupTurn:
    async with worker(concurrency=1):
        return await finished(await begin(group, text))


# --- who speaks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("max_turns", "order"), [(None, "A0 A1 A2"), (5, "A0 A1 A2 A0 A1"), (1, "A0")])
async def test_in_a_round_each_speaks_in_turn_as_often_as_the_group_says(max_turns: int | None, order: str) -> None:
    _, group = await make_group(count=3, max_turns=max_turns)
    turn = await take(group)
    assert (turn.status, turn.stop_reason) == ("completed", "end_turn")
    assert await speakers(turn) == order.split()


async def test_each_hears_the_person_once_and_what_the_others_said_since_it_spoke() -> None:
    made, group = await make_group(max_turns=4)
    for agent in made:
        await play(agent, [f"{agent.name} first.", f"{agent.name} second."])
    await take(group, "Well?")
    heard = [
        [spoken(message) async for message in Message.objects.filter(agent=agent, role="user").order_by("seq")]
        for agent in made
    ]
    assert heard == [
        ["Well?", "[A1 in the group] A1 first."],
        ["Well?", "[A0 in the group] A0 first.", "[A0 in the group] A0 second."],
    ]
    told = await Message.objects.filter(agent=made[1], sender_id=made[0].id).afirst()
    assert told is not None
    assert told.name == "A0"


async def test_a_supervisor_is_asked_alone_and_can_ask_the_members() -> None:
    member = await make_agent(["From the member."], name="Member", description="Knows things.")
    manager = await make_agent(["x"], name="Manager")
    ask = ("send_message_to_agent_and_wait_for_reply", {"message": "Well?", "other_agent_id": member.id})
    seen: list[str] = []

    def asks(request: ModelRequest) -> Answer:
        seen.extend(message.text for message in request.messages)
        return Answer(calls=[ask])

    await play(manager, [asks, lambda request: request.messages[-1].text])
    group = await group_of([member.id], manager_id=manager.id, manager_type="supervisor")
    turn = await take(group, "Find out.")
    assert await speakers(turn) == ["Manager"]
    assert f"Member ({member.id}): Knows things." in seen[0]
    assert seen[-1] == "Find out."
    assert "From the member." in spoken((await outcome(turn.run_ids[0])).messages[-1])


async def test_a_dynamic_group_lets_its_manager_choose_until_it_says_the_token() -> None:
    made, _ = await make_group()
    manager = await make_agent(["x"], name="Manager")
    seen: list[str] = []

    def chooses(words: str) -> Any:
        return lambda request: seen.append(request.messages[-1].text) or words

    await play(manager, [chooses(made[1].id), chooses("A0, please"), chooses("STOP")])
    group = await group_of(
        [agent.id for agent in made], manager_id=manager.id, manager_type="dynamic", termination_token="STOP"
    )
    turn = await take(group, "Discuss.")
    assert (turn.status, turn.stop_reason) == ("completed", "end_turn")
    assert await speakers(turn) == ["Manager", "A1", "Manager", "A0", "Manager"]
    assert "The person: Discuss." in seen[0]
    assert f"A1 ({made[1].id}): Number 1." in seen[0]
    assert "A1: A1 heard" in seen[1]
    assert "The person" not in seen[1]
    assert "A1: A1 heard" not in seen[2]


async def test_a_member_ends_a_dynamic_group_by_the_token_too() -> None:
    made, _ = await make_group()
    manager = await make_agent(["A0", "A1"], name="Manager")
    await play(made[0], ["That is all. DONE!"])
    group = await group_of([agent.id for agent in made], manager_id=manager.id, manager_type="dynamic")
    turn = await take(group)
    assert (turn.stop_reason, await speakers(turn)) == ("end_turn", ["Manager", "A0"])


async def test_a_dynamic_group_ends_after_its_turns_and_goes_in_order_where_nobody_is_named() -> None:
    made, _ = await make_group()
    manager = await make_agent(["Hm."] * 5, name="Manager")
    group = await group_of([agent.id for agent in made], manager_id=manager.id, manager_type="dynamic", max_turns=3)
    turn = await take(group)
    assert (turn.status, turn.stop_reason) == ("completed", "max_steps")
    assert (await speakers(turn))[1::2] == ["A0", "A1", "A0"]


MEMBERS = [Member("agent-1", "Ann", None), Member("agent-2", "Annabel", None), Member("agent-3", "Bo", None)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("agent-2", "Annabel"),
        ("Next: Annabel.", "Annabel"),
        ("bo should answer Ann", "Bo"),
        ("Not Ann but agent-3", "Bo"),
        ("nobody", None),
        ("", None),
        ("Bonnie", None),
    ],
)
def test_the_chosen_member_is_found_by_id_or_by_name(text: str, name: str | None) -> None:
    found = named_member(text, MEMBERS)
    assert (found.name if found else None) == name


async def test_a_sleeptime_group_asks_the_agent_whose_memory_it_tends() -> None:
    agent = await make_agent(["Yes."], name="Ada", enable_sleeptime=True)
    group = await Group.objects.aget(manager=agent)
    turn = await take(group)
    assert await speakers(turn) == ["Ada"]
    assert await Run.objects.filter(agent__name="Ada-sleeptime").acount() == 1


# --- what goes wrong ---------------------------------------------------------------------------------------------------


async def test_a_member_that_fails_ends_the_turn_with_its_name() -> None:
    made, group = await make_group()
    await play(made[1], [])
    turn = await take(group)
    assert (turn.status, turn.stop_reason) == ("failed", "error")
    assert turn.error is not None
    assert f"A1 ({made[1].id})" in turn.error["message"]
    assert "run out" in turn.error["message"]
    assert len(turn.run_ids) == 2


async def test_a_turn_that_is_cancelled_stops_the_speaker_and_nobody_speaks_after_it() -> None:
    made, group = await make_group()
    await play(made[0], [Answer("Late.", delay_s=20)])
    async with worker():
        turn_id = await begin(group)
        async with asyncio.timeout(10):
            while not await Run.objects.filter(agent=made[0], status="running").aexists():
                await asyncio.sleep(0.02)
        await sync_to_async(groups.cancel)(turn_id)
        turn = await finished(turn_id, within_s=5)
    assert (turn.status, await speakers(turn)) == ("cancelled", ["A0"])
    with pytest.raises(Conflict):
        await sync_to_async(groups.cancel)(turn_id)


async def test_turns_of_one_group_are_taken_in_order() -> None:
    made, group = await make_group(count=1)
    async with worker():
        turns = [await begin(group, f"m{n}") for n in range(4)]
        for turn in turns:
            await finished(turn)
    said_ = [spoken(message) async for message in Message.objects.filter(agent=made[0], role="user").order_by("seq")]
    assert said_ == [f"m{n}" for n in range(4)]


class WorkerDied(BaseException):
    """Nothing in the project catches this."""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(3))
async def test_a_turn_whose_worker_dies_goes_on_and_nobody_speaks_twice(
    number: int, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, group = await make_group(count=3)
    turn_id = await begin(group)
    async with worker():
        await _die(turn_id, number, when, monkeypatch)
        await group_turns.execute(turn_id)
        turn = await finished(turn_id)
    assert turn.status == "completed"
    assert await speakers(turn) == ["A0", "A1", "A2"]
    assert await Run.objects.filter(agent__in=[agent.id for agent in made]).acount() == 3


async def _die(turn_id: str, number: int, when: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begins the turn in a worker that dies before or after the ``number``-th has spoken."""
    speak, begun = group_turns._speak, []

    async def dying(*arguments: Any) -> Any:
        begun.append(1)
        if len(begun) == number + 1 and when == "before":
            raise WorkerDied
        words = await speak(*arguments)
        if len(begun) == number + 1:
            raise WorkerDied
        return words

    await pipeline.run([Statement("DELETE FROM procrastinate_jobs WHERE args ->> 'turn_id' = %s", (turn_id,))])
    with monkeypatch.context() as patch, pytest.raises(WorkerDied):
        patch.setattr(group_turns, "_speak", dying)
        await group_turns.execute(turn_id)


async def test_a_turn_goes_on_as_the_group_was_when_it_began_and_the_next_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, group = await make_group(count=3)
    turn_id = await begin(group)
    async with worker():
        await _die(turn_id, 0, "after", monkeypatch)
        await sync_to_async(groups.modify)(group.id, {"agent_ids": [made[2].id, made[1].id], "max_turns": 1})
        await group_turns.execute(turn_id)
        assert await speakers(await finished(turn_id)) == ["A0", "A1", "A2"]
        assert await speakers(await finished(await begin(group))) == ["A2"]


async def test_a_turn_that_killed_its_workers_is_ended() -> None:
    _, group = await make_group()
    turn_id = await begin(group)
    await GroupTurn.objects.filter(id=turn_id).aupdate(attempts=3, status="running")
    await group_turns.execute(turn_id)
    turn = await GroupTurn.objects.aget(id=turn_id)
    assert turn.error is not None
    assert (turn.status, turn.error["code"]) == ("failed", "worker_lost")


async def test_a_turn_that_lost_its_job_gets_another() -> None:
    from procrastinate import PsycopgConnector
    from procrastinate.contrib.django import app as django_app

    _, group = await make_group()
    turn_id = await begin(group)
    await pipeline.run([Statement("DELETE FROM procrastinate_jobs")])
    app = django_app.with_connector(PsycopgConnector(kwargs=pipeline.connection_settings()))
    async with app.open_async():
        assert await recover(app) == 1
        assert await recover(app) == 0
    async with worker():
        assert (await finished(turn_id)).status == "completed"


# --- making and changing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"agent_ids": []}, "at least one agent"),
        ({"manager_type": "supervisor"}, "needs a manager"),
        ({"manager_type": "dynamic"}, "needs a manager"),
        ({"manager_type": "sleeptime"}, "needs a manager"),
    ],
)
async def test_a_group_that_could_not_work_is_refused(settings: dict[str, Any], sentence: str) -> None:
    agent = await make_agent(["x"])
    with pytest.raises(Refused, match=sentence):
        await sync_to_async(groups.create)(**{"agent_ids": [agent.id], **settings})
    with pytest.raises(Refused, match="no member"):
        await group_of([agent.id], manager_id=agent.id, manager_type="dynamic")
    with pytest.raises(Refused, match="only once"):
        await group_of([agent.id, agent.id])
    with pytest.raises(NotFound):
        await group_of(["agent-nobody"])
    assert not await Group.objects.aexists()


async def test_two_who_change_a_group_at_once_lose_nothing_of_each_other() -> None:
    _, group = await make_group()
    change = sync_to_async(groups.modify, thread_sensitive=False)
    for number in range(1, 6):
        await asyncio.gather(change(group.id, {"description": f"Ω{number}"}), change(group.id, {"max_turns": number}))
        await group.arefresh_from_db()
        assert (group.description, group.max_turns) == (f"Ω{number}", number)


async def test_changes_turns_and_deletions_at_once_do_not_wait_for_each_other_for_ever() -> None:
    def alongside(action: Any, *arguments: Any) -> Any:
        return sync_to_async(action, thread_sensitive=False)(*arguments)

    for _ in range(5):
        (ada, bea), group = await make_group()
        manager = await make_agent(["x"], name="Manager")
        async with asyncio.timeout(20):
            await asyncio.gather(
                alongside(groups.modify, group.id, {"manager_type": "dynamic", "manager_id": manager.id}),
                alongside(groups.modify, group.id, {"agent_ids": [ada.id]}),
                alongside(groups.send, group.id, [said("user", "Hi")]),
                alongside(deletions.delete_agent, bea.id),
            )
        assert await sync_to_async(groups.everybody_in)(group.id) == [ada.id, manager.id]


async def test_a_group_that_comes_to_tend_another_agent_leaves_the_first_to_itself_and_a_switch_as_it_is() -> None:
    ada, bea = await make_agent(["x"], name="Ada", enable_sleeptime=True), await make_agent(["y"], name="Bea")
    group = await Group.objects.aget(manager=ada)
    await sync_to_async(groups.modify)(group.id, {"manager_id": bea.id})
    assert [await _is_tended(agent) for agent in (ada, bea)] == [False, True]
    await sync_to_async(agents.modify)(bea.id, {"enable_sleeptime": False})
    await sync_to_async(groups.modify)(group.id, {"description": "Night shift"})
    assert not await _is_tended(bea)


async def _is_tended(agent: Agent) -> bool:
    return bool(await Agent.objects.values_list("enable_sleeptime", flat=True).aget(id=agent.id))


async def test_an_agents_memory_is_tended_by_one_group_only() -> None:
    agent, other = await make_agent(["x"], name="Ada", enable_sleeptime=True), await make_agent(["y"])
    with pytest.raises(Conflict, match="another group"):
        await group_of([other.id], manager_id=agent.id, manager_type="sleeptime")


async def test_a_supervisor_gets_the_tool_to_ask_and_everybody_the_shared_blocks() -> None:
    from agents_core.actions import blocks

    block = await sync_to_async(blocks.create)(Author.API, label="plans", value="")
    manager, member = await make_agent(["x"], name="M"), await make_agent(["y"])
    group = await group_of([member.id], manager_id=manager.id, manager_type="supervisor", shared_block_ids=[block.id])
    assert await Tool.objects.filter(
        agent_links__agent=manager, name="send_message_to_agent_and_wait_for_reply"
    ).aexists()
    assert await AgentBlock.objects.filter(block=block).acount() == 2
    await sync_to_async(groups.detach_block)(group.id, block.id)
    assert await AgentBlock.objects.filter(block=block).acount() == 0


async def test_all_in_a_group_are_told_of_its_changes_and_turns() -> None:
    made, group = await make_group()
    newcomer = await make_agent(["Hello."], name="New")
    await sync_to_async(groups.modify)(group.id, {"agent_ids": [made[0].id, newcomer.id], "max_turns": 1})
    turn = await take(group)
    await sync_to_async(groups.delete)(group.id)
    changes = [[event.change for event in await events(agent, GroupChanged)] for agent in (*made, newcomer)]
    assert changes == [["created", "edited", "deleted"], ["created", "edited"], ["edited", "deleted"]]
    told = await events(newcomer, GroupTurnChanged)
    assert [(event.turn_id, event.status) for event in told] == [(turn.id, "created"), (turn.id, "completed")]
    assert await Agent.objects.acount() == 3


async def test_a_group_outlives_its_members_and_not_its_manager() -> None:
    made, group = await make_group()
    manager = await make_agent(["x"], name="Manager")
    led = await group_of([made[0].id], manager_id=manager.id, manager_type="dynamic")
    await sync_to_async(deletions.delete_agent)(made[0].id)
    assert await sync_to_async(groups.member_ids)(group.id) == [made[1].id]
    await sync_to_async(deletions.delete_agent)(manager.id)
    assert not await Group.objects.filter(id=led.id).aexists()
