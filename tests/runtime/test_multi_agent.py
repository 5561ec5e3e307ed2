"""Agents that speak to each other: each message is one run, whoever waits is answered or told why not, and nothing is sent twice."""

import asyncio
import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from agents_core.actions import runs
from agents_core.actions.messages import RunOutcome, outcome
from agents_core.llm.providers.scripted import Answer, Scripted
from agents_core.llm.types import ModelRequest
from agents_core.models import Agent, Message, Run, RunWait, ToolCall
from agents_core.runtime import others, persist
from agents_core.runtime.loop import execute
from tests.runtime.working import ended, worker
from tests.runtime.world import last_words, make_agent, play, said, spoken

ASK, TELL = "send_message_to_agent_and_wait_for_reply", "send_message_to_agent_async"
TAGGED, ALL_TAGS = "send_message_to_agents_matching_tags", "send_message_to_agents_matching_all_tags"


class WorkerDied(BaseException):
    """Nothing in the project catches this."""


def asking(agent: Agent, words: str = "How are you?", **more: Any) -> Answer:
    return Answer(calls=[(ASK, {"message": words, "other_agent_id": agent.id})], **more)


def returned(run: RunOutcome) -> dict[str, Any]:
    return next(row["tool_returns"][0] for row in run.messages if row["tool_returns"])


async def make_speaker(answers: list[Scripted] | None = None, **fields: Any) -> Agent:
    return await make_agent(answers or [], tools=[ASK, TELL, TAGGED, ALL_TAGS], **fields)


async def test_the_answer_of_another_agent_is_the_tools_result() -> None:
    other = await make_agent([lambda request: f"I heard: {last_words(request)}"], name="Bea")
    agent = await make_speaker([asking(other), last_words], name="Ada")
    async with worker():
        run = await ended(await said(agent, "Ask Bea"))
    assert returned(run)["status"] == "success"
    value = json.loads(returned(run)["value"])
    assert value["agent_id"] == other.id
    assert "How are you?" in value["response"][0]
    message = await Message.objects.aget(agent=other, sender_id=agent.id)
    assert message.role == "system"
    assert agent.id in spoken(message)
    assert "waits for your answer" in spoken(message)
    told = await Run.objects.aget(agent=other)
    assert told.metadata["sent_by_agent_id"] == agent.id
    assert not await RunWait.objects.aexists()


async def test_an_agent_that_speaks_by_a_tool_answers_by_it_and_keeps_its_thoughts() -> None:
    other = await make_agent(
        [Answer("Secret.", calls=[("send_message", {"message": "Fine."})])], agent_type="memgpt_agent", tools=["send_message"]
    )  # fmt: skip
    agent = await make_speaker([asking(other), "Done."])
    async with worker():
        run = await ended(await said(agent, "Ask"))
    assert json.loads(returned(run)["value"])["response"] == ["Fine."]


async def test_an_agent_that_says_nothing_is_told_as_such() -> None:
    agent, other = await make_speaker(), await make_agent([Answer()])
    await play(agent, [asking(other), "Done."])
    async with worker():
        run = await ended(await said(agent, "Ask"))
    assert json.loads(returned(run)["value"])["response"] == ["<no response>"]


async def test_without_waiting_the_turn_goes_on_at_once_and_the_message_is_answered_by_itself() -> None:
    other = await make_agent([Answer("Later.", delay_s=0.4)])
    tell = Answer(calls=[(TELL, {"message": "News!", "other_agent_id": other.id})])
    agent = await make_speaker([tell, "Told."])
    async with worker():
        run = await ended(await said(agent, "Tell"))
        assert returned(run)["value"] == "Successfully sent message"
        told = await Run.objects.aget(agent=other)
        assert told.status in ("created", "running")
        assert (await ended(told.id)).status == "completed"


@pytest.mark.parametrize("tool", [ASK, TELL])
async def test_an_unknown_agent_is_a_tool_error(tool: str) -> None:
    call = Answer(calls=[(tool, {"message": "Hi", "other_agent_id": "agent-nobody"})])
    agent = await make_speaker([call, "Done."])
    async with worker():
        run = await ended(await said(agent, "Ask"))
    assert returned(run)["status"] == "error"
    assert "There is no agent agent-nobody" in returned(run)["value"]
    assert not await RunWait.objects.aexists()


async def test_an_agent_that_failed_is_a_tool_error_with_its_reason() -> None:
    other, agent = await make_agent([], name="Empty"), await make_speaker()
    await play(agent, [asking(other), "Done."])
    async with worker():
        run = await ended(await said(agent, "Ask"))
    assert (returned(run)["status"], "run out" in returned(run)["value"]) == ("error", True)


# --- by tags ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tool", "arguments", "names"),
    [
        (TAGGED, {"match_all": ["team"], "match_some": []}, {"One", "Two", "Three"}),
        (TAGGED, {"match_all": ["team"], "match_some": ["red", "blue"]}, {"One", "Two"}),
        (TAGGED, {"match_all": [], "match_some": ["blue"]}, {"Two"}),
        (ALL_TAGS, {"tags": ["team", "red"]}, {"One"}),
    ],
)
async def test_all_agents_with_the_tags_are_asked_and_the_asker_is_not(
    tool: str, arguments: dict[str, Any], names: set[str]
) -> None:
    tags = {"One": ["team", "red"], "Two": ["team", "blue"], "Three": ["team"]}
    others_ = {name: await make_agent([f"I am {name}."], name=name, tags=own) for name, own in tags.items()}
    agent = await make_speaker(tags=["team", "red", "blue"])
    await play(agent, [Answer(calls=[(tool, {"message": "Who?", **arguments})]), "Done."])
    async with worker(concurrency=1):
        run = await ended(await said(agent, "Ask all"))
    answers = {each["agent_id"]: each["response"] for each in json.loads(returned(run)["value"])}
    assert answers == {others_[name].id: [f"I am {name}."] for name in names}


async def test_one_agent_that_fails_is_told_beside_the_answers_of_the_others() -> None:
    good, bad = await make_agent(["Yes."], tags=["t"]), await make_agent([], tags=["t"])
    agent = await make_speaker()
    await play(agent, [Answer(calls=[(ALL_TAGS, {"message": "Well?", "tags": ["t"]})]), "Done."])
    async with worker():
        run = await ended(await said(agent, "Ask all"))
    first, second = sorted(json.loads(returned(run)["value"]), key=lambda each: "error" in each)
    assert first == {"agent_id": good.id, "response": ["Yes."]}
    assert (second["agent_id"], "run out" in second["error"]) == (bad.id, True)


async def test_no_tag_at_all_is_refused_for_it_would_mean_everybody() -> None:
    agent = await make_speaker([Answer(calls=[(TAGGED, {"message": "x", "match_all": [], "match_some": []})]), "Done."])
    async with worker():
        run = await ended(await said(agent, "Ask all"))
    assert (returned(run)["status"], "at least one tag" in returned(run)["value"]) == ("error", True)


# --- circles and slots -------------------------------------------------------------------------------------------------


async def test_an_agent_cannot_wait_for_itself() -> None:
    agent = await make_speaker(name="Ada")
    await play(agent, [asking(agent), "Done."])
    async with worker():
        run = await ended(await said(agent, "Ask yourself"))
    assert returned(run)["status"] == "error"
    assert f"Ada ({agent.id}) → Ada ({agent.id})" in returned(run)["value"]


@pytest.mark.parametrize("length", [2, 3, 4])
async def test_a_circle_of_waiting_agents_is_told_to_the_one_that_would_close_it_and_the_others_are_answered(
    length: int,
) -> None:
    circle = [await make_speaker([f"p{n}"], name=f"A{n}") for n in range(length)]
    for n, agent in enumerate(circle):
        await play(agent, [asking(circle[(n + 1) % length]), last_words])
    async with worker(concurrency=1):
        runs_ = [await ended(await said(circle[0], "Begin"))]
    assert runs_[0].status == "completed"
    failed = await ToolCall.objects.aget(status="error")
    assert failed.agent_id == circle[-1].id
    chain = " → ".join(agent.name for agent in [circle[-1], *circle])
    assert [part.split(" (")[0] for part in str(failed.result).split("next: ")[1].split(" → ")] == chain.split(" → ")
    assert await ToolCall.objects.filter(status="ok").acount() == length - 1


async def test_two_agents_that_ask_each_other_at_the_same_moment_do_not_wait_for_ever() -> None:
    first, second = await make_speaker(["a"]), await make_speaker(["b"])
    for agent, other in ((first, second), (second, first)):
        await play(agent, [asking(other, delay_s=0.2), "Done.", "Done.", "Done."])
    async with worker():
        began = [await said(first, "Go"), await said(second, "Go")]
        found = await asyncio.gather(*(ended(run_id) for run_id in began))
    assert [run.status for run in found] == ["completed"] * 2
    assert sorted(returned(run)["status"] for run in found) in (["error", "success"], ["error", "error"])


async def test_another_conversation_of_the_asker_may_be_asked_back() -> None:
    from agents_core.actions import conversations

    first, second = await make_speaker(["x"], name="First"), await make_speaker(["y"], name="Second")
    thread = (await sync_to_async(conversations.create)(first.id)).id

    def by_thread(request: ModelRequest) -> Answer:
        asked = any("Begin" in message.text for message in request.messages)
        done = any(message.role == "tool" for message in request.messages)
        return asking(second) if asked and not done else Answer("From my own thread.")

    await play(first, [by_thread] * 5)
    await play(second, [asking(first), last_words])
    async with worker():
        run = await ended(await said(first, "Begin", conversation_id=thread))
    assert "From my own thread." in returned(run)["value"]


async def test_waiting_runs_leave_their_slots_to_those_they_wait_for() -> None:
    deepest = await make_agent(["At the bottom."])
    chain = [deepest]
    for _ in range(5):
        agent = await make_speaker(["x"])
        await play(agent, [asking(chain[-1]), last_words])
        chain.append(agent)
    async with worker(concurrency=1):
        run = await ended(await said(chain[-1], "Ask down"))
    assert "At the bottom." in spoken(run.messages[-1])


async def test_a_slot_that_was_left_is_taken_again_so_that_no_more_run_at_once_than_allowed() -> None:
    at_once, most = 0, 0

    async def run(slots: asyncio.Semaphore) -> None:
        nonlocal at_once, most
        from agents_core.queue.current import SLOT, slot_released

        async with slots:
            SLOT.set(slots)
            async with slot_released():
                await asyncio.sleep(0.01)
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(0.005)
            at_once -= 1

    slots = asyncio.Semaphore(2)
    await asyncio.gather(*(asyncio.create_task(run(slots)) for _ in range(10)))
    assert most == 2


# --- time, cancelling, death -------------------------------------------------------------------------------------------


async def test_an_answer_that_takes_too_long_is_a_tool_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(others, "LONGEST_WAIT_S", 0.3)
    other = await make_agent([Answer("Late.", delay_s=3)])
    agent = await make_speaker([asking(other), "Done."])
    async with worker():
        run = await ended(await said(agent, "Ask"), within_s=2.5)
    assert (returned(run)["status"], "no answer within" in returned(run)["value"]) == ("error", True)
    assert not await RunWait.objects.aexists()


async def test_a_run_that_is_cancelled_stops_waiting() -> None:
    other = await make_agent([Answer("Late.", delay_s=20)])
    agent = await make_speaker([asking(other), "Done."])
    async with worker():
        run_id = await said(agent, "Ask")
        async with asyncio.timeout(10):
            while not await RunWait.objects.aexists():
                await asyncio.sleep(0.02)
        await sync_to_async(runs.cancel)(agent.id)
        assert (await ended(run_id, within_s=4)).status == "cancelled"


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize("tool", [ASK, TELL])
async def test_a_worker_that_dies_at_any_commit_sends_the_message_once_and_the_answer_arrives(
    tool: str, committed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        other = await make_agent(["Fine."], name=f"Other{number}")
        call = Answer(calls=[(tool, {"message": "Hi", "other_agent_id": other.id})])
        agent = await make_speaker([_until_returned(call)] * 3, name=f"Asker{number}")
        run_id = await said(agent, "Go")
        answering = asyncio.create_task(_answer_when_asked(other))
        with monkeypatch.context() as patch, pytest.raises(WorkerDied):
            _die_at(patch, agent, number, committed=committed)
            await execute(agent.id, run_id, None, 1)
        await execute(agent.id, run_id, None, 2)
        await asyncio.wait_for(answering, 5)
        run = await outcome(run_id)
        assert run.status == "completed"
        assert await Run.objects.filter(agent=other).acount() == 1, (number, committed)
        expected = "Fine." if tool == ASK else "Successfully sent message"
        assert expected in returned(run)["value"]
        assert not await ToolCall.objects.exclude(status="ok").aexists()


def _until_returned(call: Answer) -> Scripted:
    return lambda request: last_words(request) if any(m.role == "tool" for m in request.messages) else call


def _die_at(patch: pytest.MonkeyPatch, agent: Agent, number: int, *, committed: bool) -> None:
    begun: list[int] = []
    run = persist.Commit.run

    async def dying(commit: persist.Commit) -> Any:
        if commit.agent_id != agent.id:
            return await run(commit)
        begun.append(len(begun))
        if begun[-1] == number and not committed:
            raise WorkerDied
        rows = await run(commit)
        if begun[-1] == number:
            raise WorkerDied
        return rows

    patch.setattr(persist.Commit, "run", dying)


async def _answer_when_asked(other: Agent) -> None:
    async with asyncio.timeout(10):
        while (waiting := await Run.objects.filter(agent=other).afirst()) is None:
            await asyncio.sleep(0.01)
    await execute(other.id, waiting.id, None, 1)


async def test_a_worker_that_dies_while_it_waits_leaves_the_wait_to_the_next_which_delivers_the_answer() -> None:
    other = await make_agent([Answer("Fine.", delay_s=0.5)])
    agent = await make_speaker([asking(other), last_words])
    run_id = await said(agent, "Go")
    first = asyncio.create_task(execute(agent.id, run_id, None, 1))
    async with asyncio.timeout(10):
        while not await RunWait.objects.aexists():
            await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert await RunWait.objects.acount() == 1
    async with worker():
        run = await ended(run_id)
    assert "Fine." in returned(run)["value"]
    assert await Run.objects.filter(agent=other).acount() == 1
    assert not await RunWait.objects.aexists()
