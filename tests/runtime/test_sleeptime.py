"""Sleep-time agents: called when it is their turn, never twice and never not; what they see, and what they write under review."""

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from agents_core.actions import agents, blocks, conversations, deletions, proposals
from agents_core.actions.messages import RunOutcome, outcome
from agents_core.events.types import BlockChanged, ProposalChanged, SleeptimeCalled
from agents_core.llm.providers.scripted import Answer, script
from agents_core.llm.types import ModelRequest
from agents_core.models import (
    Agent,
    AgentBlock,
    Author,
    Block,
    BlockProposal,
    BlockVersion,
    Group,
    Message,
    Passage,
    Run,
    pipeline,
)
from agents_core.models.pipeline import Statement
from agents_core.runtime import persist
from agents_core.runtime.loop import execute
from agents_core.runtime.sleeptime import call_companions_of_idle, transcript_lines
from tests.runtime.world import events, in_context, last_words, make_agent, said, say, spoken, value_of


class WorkerDied(BaseException):
    """Nothing in the project catches this."""


async def make_tended(answers: Any = (), **fields: Any) -> tuple[Agent, Agent, Group]:
    """An agent, the one that tends its memory (with a script of its own), and their group, called at every turn."""
    agent = await make_agent(list(answers) or ["Yes."] * 20, enable_sleeptime=True, name="Ada", **fields)
    group = await Group.objects.aget(manager=agent)
    companion = await Agent.objects.aget(group_links__group=group)
    companion.model = f"scripted/{companion.id}"
    await companion.asave(update_fields=["model"])
    await Group.objects.filter(id=group.id).aupdate(sleeptime_agent_frequency=None)
    tend(companion, ["Done."] * 20)
    return agent, companion, group


def tend(companion: Agent, answers: list[Any]) -> None:
    script(companion.id, answers)


async def work(companion: Agent) -> RunOutcome:
    """Executes the next run of the companion."""
    run = await Run.objects.filter(agent=companion, status="created").order_by("created_at").afirst()
    assert run is not None, "it was not called"
    await execute(companion.id, run.id, None, 1)
    return await outcome(run.id)


async def calls(companion: Agent) -> int:
    return await Run.objects.filter(agent=companion).acount()


# --- being made and unmade ---------------------------------------------------------------------------------------------


async def test_enabling_makes_an_agent_that_shares_all_blocks_and_has_one_of_its_own() -> None:
    agent = await make_agent(
        enable_sleeptime=True, name="Ada", blocks=[{"label": "human", "value": "x"}, {"label": "plans"}], embedding="local/hashing"
    )  # fmt: skip
    group = await Group.objects.aget(manager=agent)
    companion = await Agent.objects.aget(group_links__group=group)
    assert (companion.name, companion.agent_type) == ("Ada-sleeptime", "sleeptime_agent")
    assert (companion.model, companion.embedding) == (agent.model, agent.embedding)
    assert (group.manager_type, group.sleeptime_agent_frequency, group.turns_counter) == ("sleeptime", 5, -1)
    held = {link.label: link.block_id async for link in AgentBlock.objects.filter(agent=companion)}
    shared = {link.label: link.block_id async for link in AgentBlock.objects.filter(agent=agent)}
    assert held.items() > shared.items()
    assert set(held) - set(shared) == {"memory_persona"}


async def test_enabling_later_makes_it_too_and_enabling_again_does_not() -> None:
    agent = await make_agent(["x"], name="Ada")
    for value in (True, False, True):
        await sync_to_async(agents.modify)(agent.id, {"enable_sleeptime": value})
    assert await Agent.objects.filter(name="Ada-sleeptime").acount() == 1
    assert await Group.objects.filter(manager=agent).acount() == 1


async def test_a_switch_that_is_off_calls_nobody() -> None:
    agent, companion, _ = await make_tended()
    await sync_to_async(agents.modify)(agent.id, {"enable_sleeptime": False})
    await say(agent, "Hi")
    assert await calls(companion) == 0


async def test_deleting_the_agent_deletes_its_companion_and_their_group() -> None:
    agent, companion, _ = await make_tended()
    await say(agent, "Hi")
    await work(companion)
    await sync_to_async(deletions.delete_agent)(agent.id)
    assert not await Agent.objects.filter(id__in=[agent.id, companion.id]).aexists()
    assert not await Group.objects.aexists()


async def test_deleting_the_companion_clears_the_switch_and_the_group() -> None:
    agent, companion, _ = await make_tended()
    await say(agent, "Hi")
    await work(companion)
    await sync_to_async(deletions.delete_agent)(companion.id)
    await agent.arefresh_from_db()
    assert agent.enable_sleeptime is False
    assert not await Group.objects.aexists()
    assert (await say(agent, "Again")).status == "completed"


async def test_a_block_attached_to_the_agent_is_attached_to_its_companion() -> None:
    agent, companion, _ = await make_tended()
    block = await sync_to_async(blocks.create)(Author.API, label="plans", value="")
    await sync_to_async(blocks.attach)(agent.id, block.id)
    assert await AgentBlock.objects.filter(agent=companion, block=block).aexists()
    assert (await events(companion, BlockChanged))[-1].change == "attached"


# --- being called ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frequency", "called"), [(5, [1, 6, 11]), (1, list(range(1, 13))), (None, list(range(1, 13))), (4, [1, 5, 9])]
)
async def test_it_is_called_at_the_first_turn_and_then_at_each_so_manyth(
    frequency: int | None, called: list[int]
) -> None:
    agent, companion, group = await make_tended()
    await Group.objects.filter(id=group.id).aupdate(sleeptime_agent_frequency=frequency)
    turns = []
    for turn in range(1, 13):
        before = await calls(companion)
        ended = await say(agent, f"Turn {turn}")
        if await calls(companion) > before:
            turns.append(turn)
            [run] = [run async for run in Run.objects.filter(agent=companion).order_by("-created_at")[:1]]
            assert ended.sleeptime_run_ids == [run.id]
        else:
            assert ended.sleeptime_run_ids == []
    assert turns == called


async def test_a_call_is_told_in_the_agents_stream_and_its_run_says_whose_it_is() -> None:
    agent, companion, group = await make_tended()
    ended = await say(agent, "Hi")
    assert await events(agent, SleeptimeCalled) == [SleeptimeCalled(group.id, ended.sleeptime_run_ids)]
    run = await Run.objects.aget(agent=companion)
    assert run.metadata["run_type"] == "sleeptime_agent_send_message_async"
    assert (run.metadata["of_agent_id"], run.background, run.request["max_steps"]) == (agent.id, True, 50)


async def test_a_run_that_failed_or_said_nothing_calls_nobody() -> None:
    agent, companion, _ = await make_tended([Answer(), Answer("x", error=None)])
    assert (await say(agent, "Silence")).status == "completed"
    assert await calls(companion) == 0
    await say(agent, "Speak")
    assert await calls(companion) == 1
    assert (await say(agent, "Out of answers")).status == "failed"
    assert await calls(companion) == 1


async def test_two_conversations_that_end_at_once_are_both_counted() -> None:
    agent, companion, group = await make_tended()
    await Group.objects.filter(id=group.id).aupdate(sleeptime_agent_frequency=3)
    threads = [(await sync_to_async(conversations.create)(agent.id)).id for _ in range(8)]
    await asyncio.gather(*(say(agent, "Hi", conversation_id=thread) for thread in threads))
    await group.arefresh_from_db()
    assert (await calls(companion), group.turns_counter) == (3, 1)


@pytest.mark.parametrize("committed", [True, False])
async def test_a_worker_that_dies_when_the_run_ends_neither_loses_nor_doubles_the_call(
    committed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent, companion, _ = await make_tended(["Yes."] * 3)
    run_id = await said(agent, "Hi")
    run, begun = persist.Commit.run, []

    async def dying(commit: persist.Commit) -> Any:
        begun.append(1)
        if len(begun) == 2 and not committed:
            raise WorkerDied
        rows = await run(commit)
        if len(begun) == 2:
            raise WorkerDied
        return rows

    with monkeypatch.context() as patch, pytest.raises(WorkerDied):
        patch.setattr(persist.Commit, "run", dying)
        await execute(agent.id, run_id, None, 1)
    await execute(agent.id, run_id, None, 2)
    assert (await outcome(run_id)).status == "completed"
    assert await calls(companion) == 1


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize("number", range(3))
async def test_a_companion_whose_worker_dies_is_shown_the_transcript_once(
    number: int, committed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent, companion, _ = await make_tended()
    tend(companion, [last_words] * 3)
    await say(agent, "I like tea")
    run_id = (await Run.objects.aget(agent=companion)).id
    run, begun = persist.Commit.run, []

    async def dying(commit: persist.Commit) -> Any:
        begun.append(1)
        if len(begun) == number + 1 and not committed:
            raise WorkerDied
        rows = await run(commit)
        if len(begun) == number + 1:
            raise WorkerDied
        return rows

    with monkeypatch.context() as patch, pytest.raises(WorkerDied):
        patch.setattr(persist.Commit, "run", dying)
        await execute(companion.id, run_id, None, 1)
    await execute(companion.id, run_id, None, 2)
    ended = await outcome(run_id)
    assert ended.status == "completed"
    assert await Message.objects.filter(agent=companion, role="user").acount() == 1
    assert "user: I like tea" in spoken(ended.messages[-1])


# --- what it is shown --------------------------------------------------------------------------------------------------


async def test_it_is_shown_each_word_once_in_order_up_to_the_turn_it_was_called_with() -> None:
    agent, companion, group = await make_tended()
    await Group.objects.filter(id=group.id).aupdate(sleeptime_agent_frequency=2)
    tend(companion, [last_words] * 5)
    for n in range(1, 6):
        await say(agent, f"Word {n}.")
    shown = [spoken((await work(companion)).messages[0]) for _ in range(3)]
    lines = [[line for line in text.split("\n") if line.startswith(("user:", "assistant:"))] for text in shown]
    assert lines == [
        ["user: Word 1.", "assistant: Yes."],
        ["user: Word 2.", "assistant: Yes.", "user: Word 3.", "assistant: Yes."],
        ["user: Word 4.", "assistant: Yes.", "user: Word 5.", "assistant: Yes."],
    ]
    assert "Ada" in shown[0]
    assert "system-reminder" in shown[0]


async def test_what_was_said_before_it_was_there_is_not_gone_through() -> None:
    agent = await make_agent(["Old."] * 2 + ["New."], name="Ada")
    await say(agent, "Long ago")
    await sync_to_async(agents.modify)(agent.id, {"enable_sleeptime": True})
    companion = await Agent.objects.aget(name="Ada-sleeptime")
    await Agent.objects.filter(id=companion.id).aupdate(model=f"scripted/{companion.id}")
    tend(companion, [last_words])
    await say(agent, "Just now")
    shown = spoken((await work(companion)).messages[0])
    assert "Just now" in shown
    assert "Long ago" not in shown


async def test_a_transcript_that_does_not_fit_shows_its_end_and_says_what_is_left_out() -> None:
    agent, companion, _ = await make_tended()
    await Agent.objects.filter(id=companion.id).aupdate(context_window=1024)
    tend(companion, [last_words])
    await say(agent, "first " * 500, "second " * 500, "the last words")
    shown = await Message.objects.filter(agent=companion).acount()
    ended = await work(companion)
    assert shown >= 1
    message = await Message.objects.aget(agent=companion, role="user")
    assert "the last words" in spoken(message)
    assert "first" not in spoken(message)
    assert "earlier lines do not fit" in spoken(message)
    assert ended.status in ("completed", "failed")


def test_messages_become_lines_of_a_transcript() -> None:
    text = lambda words: [{"type": "text", "text": words}]  # noqa: E731
    call = {"id": "1", "name": "web_search", "arguments": "{}"}
    send = {"id": "2", "name": "send_message", "arguments": '{"message": "Hello."}'}
    back = lambda name, value: {"tool_call_id": "1", "name": name, "value": value, "status": "success"}  # noqa: E731
    rows = [
        ("system", text("You are"), [], []),
        ("user", text("Hi"), [], []),
        ("user", text('{"type": "heartbeat", "reason": "x"}'), [], []),
        ("assistant", [{"type": "reasoning", "reasoning": "Hm."}, *text("Words.")], [call], []),
        ("tool", [], [], [back("web_search", "Found."), back("other", "None")]),
        ("assistant", [], [send], []),
        ("tool", [], [], [back("send_message", "Sent.")]),
        ("summary", text("Earlier"), [], []),
    ]
    common = ["user: Hi", "assistant: <thinking>Hm.</thinking>"]
    rest = ["assistant: Calling tool web_search", "assistant: Tool call returned Found.", "assistant: Hello."]
    assert transcript_lines(rows, "letta_v1_agent") == [*common, "assistant: Words.", *rest]
    assert transcript_lines(rows, "memgpt_agent") == [*common, "assistant: <thinking>Words.</thinking>", *rest]


async def test_its_edit_stands_in_the_agents_next_step_under_its_own_name() -> None:
    seen: list[str] = []
    agent, companion, _ = await make_tended(["Noted.", lambda request: seen.append(request.system) or "Yes."])
    tend(companion, [rethink("Ada likes tea."), Answer(calls=[("memory_finish_edits", {})])])
    await say(agent, "I like tea")
    ended = await work(companion)
    assert (ended.stop_reason, ended.steps) == ("tool_rule", 2)
    await say(agent, "And?")
    assert "Ada likes tea." in seen[0]
    version = await BlockVersion.objects.aget(block__label="human", version=2)
    assert (version.author, version.agent_id) == (Author.SLEEPTIME, companion.id)


async def test_it_may_use_a_model_of_its_own() -> None:
    agent, companion, _ = await make_tended()
    await say(agent, "Hi")
    await work(companion)
    step = await companion.steps.afirst()
    assert step is not None
    assert step.handle == companion.model != agent.model


async def test_the_companion_of_a_voice_agent_stores_numbered_lines_where_the_agent_finds_them() -> None:
    speak = Answer(calls=[("send_message", {"message": "Noted."})])
    agent, companion, _ = await make_tended([speak], agent_type="voice_convo_agent", tools=["send_message"], opening=())
    shown: list[str] = []

    def store(request: ModelRequest) -> Answer:
        shown.append(last_words(request))
        chunk = {"start_index": 0, "end_index": 1, "context": "Where she keeps her boat."}
        return Answer(calls=[("store_memories", {"chunks": [chunk]})])

    tend(companion, [store, Answer(calls=[("finish_rethinking_memory", {})])])
    assert companion.agent_type == "voice_sleeptime_agent"
    await say(agent, "My boat is in Kiel")
    assert (await work(companion)).status == "completed"
    assert "0. user: My boat is in Kiel" in shown[0]
    passage = await Passage.objects.aget(archive__agent_links__agent=agent)
    assert passage.text == "Where she keeps her boat.\nuser: My boat is in Kiel\nassistant: Noted."


# --- when left alone ---------------------------------------------------------------------------------------------------


async def later(agent: Agent, seconds: int) -> None:
    await pipeline.run([
        Statement("UPDATE agent SET last_run_completion = now() - make_interval(secs => %s) WHERE id = %s", (seconds, agent.id))
    ])  # fmt: skip


async def test_it_is_called_once_when_the_agent_was_left_alone_long_enough_with_something_unseen() -> None:
    agent, companion, group = await make_tended()
    await Group.objects.filter(id=group.id).aupdate(sleeptime_agent_frequency=100, sleeptime_idle_s=60)
    tend(companion, [last_words] * 3)
    await say(agent, "One")
    await work(companion)
    await later(agent, 61)
    assert await call_companions_of_idle() == 0, "it has seen everything"
    await say(agent, "Two")
    assert await call_companions_of_idle() == 0, "not long enough"
    await later(agent, 61)
    assert sum(await asyncio.gather(*(call_companions_of_idle() for _ in range(4)))) == 1
    assert await call_companions_of_idle() == 0
    shown = spoken((await work(companion)).messages[0])
    assert "Two" in shown
    assert "One" not in shown
    assert len(await events(agent, SleeptimeCalled)) == 2


async def test_without_a_time_set_being_left_alone_calls_nobody() -> None:
    agent, companion, group = await make_tended()
    await Group.objects.filter(id=group.id).aupdate(sleeptime_agent_frequency=100, turns_counter=5)
    await say(agent, "One")
    await later(agent, 10_000)
    assert await call_companions_of_idle() == 0
    assert await calls(companion) == 0


# --- under review ------------------------------------------------------------------------------------------------------


def rethink(value: str) -> Answer:
    return Answer(calls=[("memory_rethink", {"label": "human", "new_memory": value})])


def replace(old: str, new: str) -> Answer:
    return Answer(calls=[("memory_replace", {"label": "human", "old_string": old, "new_string": new})])


async def make_reviewed(*answers: Any) -> tuple[Agent, Agent, Block]:
    """An agent whose block "human" is under review and whose companion has just worked on it."""
    agent, companion, _ = await make_tended()
    block = await Block.objects.aget(agent_links__agent=agent, label="human")
    await sync_to_async(blocks.modify)(block.id, {"value": "Her name is Ada. She lives in Kiel.", "review": True})
    await block.arefresh_from_db()
    tend(companion, [*answers, Answer(calls=[("memory_finish_edits", {})]), *["Done."] * 5])
    await say(agent, "Hi")
    assert (await work(companion)).status == "completed"
    return agent, companion, block


async def test_an_edit_of_a_block_under_review_becomes_a_proposal_and_leaves_the_block() -> None:
    agent, companion, block = await make_reviewed(replace("Kiel", "Bremen"))
    assert await value_of(agent) == "Her name is Ada. She lives in Kiel."
    proposal = await BlockProposal.objects.aget()
    assert (proposal.value, proposal.base_version) == ("Her name is Ada. She lives in Bremen.", block.version)
    assert (proposal.agent_id, proposal.status) == (companion.id, "pending")
    assert proposal.step_id is not None
    told = [ProposalChanged(proposal.id, block.id, "human", "pending")]
    assert (await events(agent, ProposalChanged), await events(companion, ProposalChanged)) == (told, told)


async def test_further_edits_extend_the_proposal_which_its_author_sees_and_nobody_else() -> None:
    seen: list[str] = []
    agent, _, _ = await make_reviewed(
        replace("Kiel", "Bremen"),
        lambda request: seen.append(request.system) or replace("Ada", "Bea"),
        lambda request: seen.append(request.system) or "Done.",
    )
    assert ["Bremen" in system for system in seen] == [True, True]
    assert "Bea" in seen[1]
    assert [p.value async for p in BlockProposal.objects.all()] == ["Her name is Bea. She lives in Bremen."]
    assert "Bremen" not in await sync_to_async(agents.recompile_prompt)(agent.id, dry_run=True)


async def test_the_agent_itself_writes_into_a_block_under_review() -> None:
    agent = await make_agent(
        [rethink("Mine."), "Done."], tools=["memory_rethink"], blocks=[{"label": "human", "review": True}]
    )
    await say(agent, "Hi")
    assert await value_of(agent) == "Mine."
    assert not await BlockProposal.objects.aexists()


async def test_accepting_writes_the_proposal_under_its_authors_name() -> None:
    agent, companion, block = await make_reviewed(replace("Kiel", "Bremen"))
    proposal = await BlockProposal.objects.aget()
    await sync_to_async(proposals.accept)(block.id, proposal.id)
    assert await value_of(agent) == "Her name is Ada. She lives in Bremen."
    version = await BlockVersion.objects.filter(block=block).order_by("-version").afirst()
    assert version is not None
    assert (version.author, version.agent_id, version.step_id) == ("sleeptime", companion.id, proposal.step_id)
    await proposal.arefresh_from_db()
    assert (proposal.status, proposal.decided_at is not None) == ("accepted", True)
    assert [event.status for event in await events(agent, ProposalChanged)] == ["pending", "accepted"]
    with pytest.raises(proposals.ProposalDecided, match="accepted already"):
        await sync_to_async(proposals.accept)(block.id, proposal.id)


async def test_declining_leaves_the_block_and_the_next_edit_begins_from_it() -> None:
    agent, companion, block = await make_reviewed(replace("Kiel", "Bremen"))
    proposal = await BlockProposal.objects.aget()
    await sync_to_async(proposals.decline)(block.id, proposal.id)
    assert (await events(agent, ProposalChanged))[-1].status == "declined"
    seen: list[str] = []
    tend(companion, [lambda request: seen.append(request.system) or replace("Ada", "Bea"), "Done."])
    await say(agent, "Again")
    await work(companion)
    assert "Kiel" in seen[0]
    assert (await BlockProposal.objects.aget(status="pending")).value == "Her name is Bea. She lives in Kiel."


async def test_accepting_merges_with_what_a_person_changed_elsewhere_meanwhile() -> None:
    agent, _, block = await make_reviewed(replace("Kiel", "Bremen"))
    await sync_to_async(blocks.modify)(block.id, {"value": "Her name is Zoe. She lives in Kiel."}, Author.PERSON)
    await sync_to_async(proposals.accept)(block.id, (await BlockProposal.objects.aget()).id)
    assert await value_of(agent) == "Her name is Zoe. She lives in Bremen."


async def test_accepting_what_contradicts_a_later_change_is_refused_and_stays_pending() -> None:
    agent, _, block = await make_reviewed(replace("Kiel", "Bremen"))
    await sync_to_async(blocks.modify)(block.id, {"value": "Her name is Ada. She lives in Rome."}, Author.PERSON)
    proposal = await BlockProposal.objects.aget()
    with pytest.raises(proposals.ProposalConflict, match="same words") as refused:
        await sync_to_async(proposals.accept)(block.id, proposal.id)
    assert refused.value.data["base_version"] == proposal.base_version
    await proposal.arefresh_from_db()
    assert proposal.status == "pending"
    assert await value_of(agent) == "Her name is Ada. She lives in Rome."


async def test_once_the_block_has_changed_the_next_edit_makes_a_new_proposal_and_the_older_is_outdated() -> None:
    agent, companion, block = await make_reviewed(replace("Kiel", "Bremen"))
    await sync_to_async(blocks.modify)(block.id, {"value": "Her name is Ada. She lives in Rome."}, Author.PERSON)
    tend(companion, [replace("Rome", "Turin"), "Done."])
    await say(agent, "Again")
    await work(companion)
    found = {p.status: p.value async for p in BlockProposal.objects.all()}
    assert found == {
        "outdated": "Her name is Ada. She lives in Bremen.",
        "pending": "Her name is Ada. She lives in Turin.",
    }


async def test_a_review_switched_on_while_the_companion_thinks_still_holds() -> None:
    loop = asyncio.get_running_loop()
    agent, companion, _ = await make_tended()
    block = await Block.objects.aget(agent_links__agent=agent, label="human")
    switching: list[asyncio.Task[Any]] = []

    def model(request: ModelRequest) -> Answer:
        switching.append(loop.create_task(sync_to_async(blocks.modify)(block.id, {"review": True})))
        return Answer(calls=[("memory_rethink", {"label": "human", "new_memory": "New."})], delay_s=0.3)

    tend(companion, [model, "Done."])
    await say(agent, "Hi")
    assert (await work(companion)).status == "completed"
    assert await value_of(agent) == "Her name is Ada."
    assert (await BlockProposal.objects.aget()).value == "New."


async def test_a_companion_can_neither_rename_nor_detach_a_block_under_review() -> None:
    agent, companion, block = await make_reviewed("Nothing.")
    tool = await sync_to_async(agents.tools_named)(["memory"])
    await companion.tools.aadd(*tool)
    tend(companion, [Answer(calls=[("memory", {"command": "delete", "path": "/memories/human"})]), "Done."])
    await say(agent, "Again")
    ended = await work(companion)
    returned = ended.messages[1]["tool_returns"][0]
    assert (returned["status"], "as a proposal" in returned["value"]) == ("error", True)
    assert await AgentBlock.objects.filter(agent=companion, block=block).aexists()
    assert len(await in_context(agent)) > 1
