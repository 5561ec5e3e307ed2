"""Patched page equals reloaded page, over every action and every panel of the workspace."""

from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Any

import pytest

from ade.panels.base import PANELS
from ade.panels.settings import SECTIONS
from agents_core.actions import (
    adopting,
    agents,
    archives,
    blocks,
    breakpoints,
    callbacks,
    compaction,
    conversations,
    deletions,
    files,
    folders,
    forks,
    groups,
    pauses,
    proposals,
    rewind,
    runs,
    schedules,
    sleeptime,
    tools,
)
from agents_core.actions.messages import CallAnswer, Input, RunOptions, pending, send
from agents_core.actions.new_agent import NewAgent
from agents_core.memory.archival.base import PassageDraft
from agents_core.models import (
    Agent,
    Author,
    Breakpoint,
    Conversation,
    File,
    Folder,
    Fork,
    Passage,
    Run,
    Schedule,
    new_id,
)
from agents_core.runtime import context
from agents_core.runtime.filing import process
from agents_core.runtime.loop import execute
from tests.ade import tended
from tests.ade.patching import (
    View,
    assert_catches_up,
    assert_drawn_whole_is_as_reloaded,
    assert_patched_equals_reloaded,
    drawn,
)
from tests.running import finish

pytestmark = pytest.mark.django_db(transaction=True)


class StandingStill(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "StandingStill":
        return cls(2026, 3, 4, 5, 30, tzinfo=tz)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A prompt that is to be compiled anew says when: at each look another second."""
    monkeypatch.setattr(context, "datetime", StandingStill)


BLOCKS = [{"label": "human", "value": "Name: Bo."}, {"label": "persona", "value": "I am kind."}]

VIEWS: list[View] = [
    *((slug, {}) for slug in PANELS),
    ("core", {"block": "human"}),
    ("core", {"page": "1"}),
    ("core", {"page": "1", "block": "persona"}),
    ("blame", {"block": "human", "view": "versions"}),
    ("blame", {"page": "1", "block": "human"}),
    ("blame", {"block": "human", "view": "versions", "from": "1", "to": "2"}),
    ("blame", {"block": "persona", "view": "findings"}),
    ("blame", {"block": "human", "view": "proposals"}),
    ("archival", {"q": "where is the key"}),
    ("archival", {"tag": "home"}),
    ("archival", {"since": "2020-01-01", "until": "2020-01-02"}),
    ("recall", {"q": "where do I live"}),
    ("recall", {"role": "tool"}),
    ("recall", {"q": "porto", "role": "tool"}),
    ("context", {"step": "2"}),
    ("context", {"diff": "1", "seg": "core.human"}),
    ("context", {"diff": "none"}),
    ("raw", {"view": "sent"}),
    ("timeline", {"step": "1"}),
    ("events", {"type": "memory"}),
    *(("settings", {"section": section}) for section in SECTIONS),
    ("compactions", {"compaction": "1"}),
    ("rules", {"calls": "archival_memory_search=x,archival_memory_insert!", "node": "archival_memory_search"}),
    ("rules", {"view": "edit", "node": "archival_memory_search"}),
    ("rules", {"view": "problems"}),
]
"""The panels as an address shows them at first, and narrowed, pinned or compared by a person."""

ROLL = '''
def roll(sides: int) -> int:
    """Roll.

    Args:
        sides: How many.
    """
    print("rolling")
    return sides
'''


@pytest.fixture
def agent(builtin_tools: None) -> Agent:
    """An agent of the offline model that has spoken twice and written to both memories."""
    made = agents.create(
        NewAgent(
            name="Patch",
            model="offline/rules",
            memory_blocks=BLOCKS,
            tools=["archival_memory_insert", "archival_memory_search"],
        )
    )
    say(made, "My name is Inês and I live in Porto.")
    say(made, "Remember that the spare key is under the blue pot.")
    return made


def queue(agent: Agent, text: str) -> str:
    return finish(send(agent.id, [Input("user", [{"type": "text", "text": text}])])).run_id


def say(agent: Agent, text: str) -> None:
    finish(execute(agent.id, queue(agent, text), None, 1))


def break_model(agent: Agent) -> None:
    agents.modify(agent.id, {"model": "offline/no-such-model"})
    say(agent, "Hello?")


def fill_window(agent: Agent) -> None:
    agents.modify(agent.id, {"context_window": 3000})
    for number in range(5):
        say(agent, f"Thanks, number {number}. " + "This sentence fills the window. " * 60)


def edit_block(agent: Agent) -> None:
    block = agent.blocks.get(label="human")
    blocks.modify(block.id, {"value": "Name: Inês. Lives in Lisbon."}, Author.PERSON)


def share_block(agent: Agent) -> None:
    other = agents.create(
        NewAgent(name="Other", model="offline/rules", memory_blocks=[{"label": "team", "value": "We test."}])
    )
    blocks.attach(agent.id, other.blocks.get().id, Author.PERSON)


def insert_passage(agent: Agent) -> None:
    archive = archives.own_archive(agent.id)
    finish(archives.insert(archive, [PassageDraft(archive.id, "The plumber comes on Friday.", tags=["home"])]))


def passage(agent: Agent) -> Passage:
    return Passage.objects.filter(archive__agents=agent, is_deleted=False).latest("created_at")


def edit_passage(agent: Agent) -> None:
    held = passage(agent)
    changes = {"text": "The key is with the plumber.", "tags": ["home"]}
    finish(archives.edit_passage(held.id, [held.archive_id], changes))


def delete_passage(agent: Agent) -> None:
    held = passage(agent)
    archives.delete_passage(held.id, [held.archive_id])


def change_fields(agent: Agent) -> None:
    block = agent.blocks.get(label="human")
    blocks.modify(block.id, {"label": "person", "limit": 500, "read_only": True}, Author.PERSON)


def restore_block(agent: Agent) -> None:
    blocks.restore(agent.blocks.get(label="human").id, 1, Author.PERSON)


def attach_tool(agent: Agent) -> None:
    tools.attach(agent.id, tools.upsert({"source_code": ROLL}).id)


def hold_second_archive(agent: Agent) -> None:
    archives.attach(agent.id, archives.create("Family").id)


def use_sandboxed_tool(agent: Agent) -> None:
    attach_tool(agent)
    say(agent, "call roll with sides=6")


def ask_for_approval(agent: Agent) -> None:
    attach_tool(agent)
    tools.set_approval(agent.id, "roll", True)
    say(agent, "call roll with sides=6")


def answer(agent: Agent, **facts: Any) -> None:
    waiting = finish(pending(agent.id))
    assert waiting
    options = RunOptions(answers=[CallAnswer(call_id, **facts) for call_id in waiting.call_ids])
    finish(execute(agent.id, finish(send(agent.id, [], options=options)).run_id, None, 1))


def cancel_answer(agent: Agent) -> None:
    waiting = finish(pending(agent.id))
    assert waiting
    options = RunOptions(answers=[CallAnswer(call_id, approve=True) for call_id in waiting.call_ids])
    finish(send(agent.id, [], options=options))
    runs.cancel(agent.id)


def compact(agent: Agent) -> None:
    for number in range(6):
        say(agent, f"Thanks, number {number}. " + "This sentence fills the window. " * 20)
    queue_compaction(agent)


def queue_compaction(agent: Agent) -> None:
    run_id = new_id("run")
    finish(compaction.queue_compaction(agent.id, None, {}, run_id))
    finish(execute(agent.id, run_id, None, 1))


def compact_nothing(agent: Agent) -> None:
    agents.reset_messages(agent.id)
    queue_compaction(agent)


def wait_for_compactions(agent: Agent) -> None:
    agents.modify(agent.id, {"compaction_settings": {"recompile": "compaction"}})
    edit_block(agent)
    say(agent, "What is my name?")


def exceed_budget(agent: Agent) -> None:
    agents.modify(agent.id, {"budgets": {"max_day_tokens": 1}})
    say(agent, "What is my name?")


def schedule(agent: Agent) -> Schedule:
    return schedules.create(agent.id, [Input("user", [{"type": "text", "text": "Hi"}])], cron="* * * * *")


def send_scheduled(agent: Agent) -> None:
    Schedule.objects.filter(id=schedule(agent).id).update(next_at="2026-01-01T00:00:00Z")
    assert finish(schedules.send_due()) == 1
    run = Run.objects.get(status="created")
    finish(execute(agent.id, run.id, None, 1))


def converse(agent: Agent) -> None:
    talk_in(agent, conversations.create(agent.id, summary="Garden"))


def talk_in(agent: Agent, conversation: Conversation) -> None:
    inputs = [Input("user", [{"type": "text", "text": "Hello"}])]
    run_id = finish(send(agent.id, inputs, conversation_id=conversation.id)).run_id
    finish(execute(agent.id, run_id, conversation.id, 1))


def tell_callback(agent: Agent, error: str | None = None) -> None:
    run = Run.objects.filter(agent=agent).latest("created_at")
    Run.objects.filter(id=run.id).update(callback_url="http://localhost:9/done")
    finish(callbacks.record_of_run(agent.id, run.id, callbacks.Delivery(None if error else 200, error)))


def hold_files(agent: Agent) -> Folder:
    folder = folders.create({"name": "Notes", "embedding": "local/hashing"})
    folders.attach(agent.id, folder.id)
    for name in ("a.md", "b.md"):
        finish(process(files.upload(folder.id, name, b"Roses are red.")[0].id, 1))
    return folder


def open_file(agent: Agent) -> None:
    hold_files(agent)
    files.close_all(agent.id)
    files.open_file(agent.id, File.objects.get(name="b.md").id)


def lose_file(agent: Agent) -> None:
    folder = hold_files(agent)
    say(agent, "What is my name?")
    files.delete(File.objects.get(name="a.md").id, folder.id)


def stand_at(kind: str, text: str = "I moved to Lisbon last month.") -> Callable[[Agent], Any]:
    """The agent comes to a breakpoint of the kind."""
    return lambda agent: (breakpoints.create(agent.id, kind), say(agent, text))


def go_on(agent: Agent, how: str) -> None:
    pause = pauses.open_pause(agent.id)
    assert pause
    pauses.resume(pause.id, how)
    finish(execute(agent.id, pause.run_id, None, 1))


def mend(agent: Agent, kind: str, value: Any) -> None:
    pause = pauses.open_pause(agent.id)
    assert pause
    call = pause.step.calls.first()
    pauses.edit(pause.id, kind, call.call_id if call else "", value)


RULE = {"type": "run_first", "tool_name": "archival_memory_search"}


def come_back(agent: Agent) -> None:
    insert_passage(agent)
    edit_block(agent)
    rewind.come_back(agent.id, rewind.rewind(agent.id, 2).id)


def adopt_spoken(agent: Agent) -> None:
    fork = forks.fork(agent.id, 2)
    say(fork, "I moved to Lisbon last month.")
    adopting.adopt(agent.id, fork.id)


def share_and_let_go(agent: Agent) -> None:
    """One agent takes the block and another, which held it, is deleted."""
    block = agent.blocks.get(label="human")
    for name in ("Third", "Fourth"):
        agents.create(NewAgent(name=name, model="offline/rules", block_ids=[block.id]))
    deletions.delete_agent(Agent.objects.get(name="Third").id)


def change_group(agent: Agent) -> None:
    made = groups.create([agent.id], description="Desk")
    other = agents.create(NewAgent(name="Other", model="offline/rules"))
    groups.modify(
        made.id,
        {"description": "Night desk", "manager_type": "dynamic", "agent_ids": [other.id], "manager_id": agent.id},
    )


def leave_group(agent: Agent) -> None:
    other = agents.create(NewAgent(name="Other", model="offline/rules"))
    groups.modify(groups.create([agent.id, other.id]).id, {"agent_ids": [other.id]})


def led_by_another(agent: Agent) -> str:
    """The agent that leads a group in which ``agent`` speaks."""
    other = agents.create(NewAgent(name="Other", model="offline/rules"))
    groups.create([agent.id], other.id, manager_type="dynamic")
    return other.id


ACTIONS: dict[str, Callable[[Agent], Any]] = {
    "the agent is rewound": lambda agent: rewind.rewind(agent.id, 2, author=Author.PERSON),
    "the agent comes back": come_back,
    "the agent is forked": lambda agent: forks.fork(agent.id, 2),
    "a fork is adopted": lambda agent: adopting.adopt(agent.id, forks.fork(agent.id, 1).id),
    "a fork that was spoken to is adopted": adopt_spoken,
    "another agent takes a block": share_and_let_go,
    "a message is queued": lambda agent: queue(agent, "Hi"),
    "a message is answered": lambda agent: say(agent, "What is my name?"),
    "the agent writes core memory": lambda agent: say(agent, "I moved to Lisbon last month."),
    "the agent writes archival memory": lambda agent: say(agent, "Remember that the bins go out on Monday."),
    "the agent searches": lambda agent: say(agent, "Where is the spare key?"),
    "the model fails": break_model,
    "the window fills": fill_window,
    "a sandboxed tool is called": use_sandboxed_tool,
    "a call waits for approval": ask_for_approval,
    "a person has the context compacted": compact,
    "a person asks for a compaction of nothing": compact_nothing,
    "the prompt waits for compactions": wait_for_compactions,
    "budgets are set": lambda agent: agents.modify(agent.id, {"budgets": {"max_run_s": 60}}),
    "a budget ends a run": exceed_budget,
    "a tool rule is added": lambda agent: tools.add_rule(agent.id, RULE),
    "a tool rule is taken away": lambda agent: (tools.add_rule(agent.id, RULE), tools.remove_rule(agent.id, RULE)),
    "a tool is let follow itself": lambda agent: tools.let_follow(agent.id, RULE["tool_name"], RULE["tool_name"]),
    "a message is scheduled": schedule,
    "a scheduled message is sent": send_scheduled,
    "a scheduled message is deleted": lambda agent: schedules.delete(agent.id, schedule(agent).id),
    "a conversation begins": lambda agent: conversations.create(agent.id, summary="Garden"),
    "a conversation is talked in": converse,
    "a callback is told": tell_callback,
    "a callback fails": lambda agent: tell_callback(agent, "No answer within 5 s."),
    "it comes into a group": lambda agent: groups.create([agent.id], description="Desk"),
    "its group is changed": change_group,
    "it leaves a group": leave_group,
    "its group is deleted": lambda agent: groups.delete(groups.create([agent.id]).id),
    "a waiting run is cancelled": lambda agent: (queue(agent, "Hi"), runs.cancel(agent.id)),
    "a person edits a block": edit_block,
    "a shared block is attached": share_block,
    "a block is detached": lambda agent: blocks.detach(agent.id, agent.blocks.get(label="persona").id, Author.PERSON),
    "a block gets another label": change_fields,
    "an older version is restored": restore_block,
    "a block is deleted": lambda agent: blocks.delete(agent.blocks.get(label="human").id, Author.PERSON),
    "a passage is inserted": insert_passage,
    "a passage is edited": edit_passage,
    "a passage is deleted": delete_passage,
    "a second archive is attached": hold_second_archive,
    "a folder is attached": hold_files,
    "a folder is renamed": lambda agent: folders.modify(hold_files(agent).id, {"name": "Papers"}),
    "a folder is detached": lambda agent: folders.detach(agent.id, hold_files(agent).id),
    "a folder is deleted": lambda agent: folders.delete(hold_files(agent).id),
    "a file is opened": open_file,
    "a file is deleted": lose_file,
    "the agent reads its files": lambda agent: (hold_files(agent), say(agent, "What is my name?")),
    "a tool is attached": attach_tool,
    "a tool is detached": lambda agent: tools.detach(agent.id, agent.tools.all()[0].id),
    "a tool asks first": lambda agent: tools.set_approval(agent.id, agent.tools.all()[0].name, True),
    "the agent gets a companion": lambda agent: agents.modify(agent.id, {"enable_sleeptime": True}),
    "a breakpoint is set": lambda agent: breakpoints.create(agent.id, "tool", target="archival_memory_search"),
    "a run stands before the model": stand_at("model"),
    "a run stands before its calls": stand_at("tool"),
    "a run stands before it writes": stand_at("block_write"),
    "a logpoint is passed": lambda agent: (breakpoints.create(agent.id, "answer", log="here"), say(agent, "Hello")),
    "the agent is renamed": lambda agent: agents.modify(agent.id, {"name": "Renamed"}),
    "the model is changed": lambda agent: agents.modify(
        agent.id, {"model": "offline/rules-8k", "context_window": 8000}
    ),
}


def test_a_panel_sent_whole_is_as_a_page_shows_it(agent: Agent) -> None:
    assert_drawn_whole_is_as_reloaded(agent.id, VIEWS)


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS.keys())
def test_patched_page_equals_reloaded_page(agent: Agent, action: Callable[[Agent], Any]) -> None:
    assert_patched_equals_reloaded(agent.id, VIEWS, lambda: action(agent))


def test_the_page_of_an_agent_tells_that_the_fork_it_adopted_was_deleted(agent: Agent) -> None:
    adopt_spoken(agent)
    fork = Fork.objects.get(parent=agent)
    assert_patched_equals_reloaded(agent.id, VIEWS, lambda: deletions.delete_agent(fork.agent_id))


@pytest.mark.parametrize("moved", [lambda agent: rewind.rewind(agent.id, 2), adopt_spoken], ids=["rewound", "adopted"])
@pytest.mark.parametrize("action", ["a message is answered", "a person edits a block", "the agent comes back"])
def test_the_page_of_an_agent_that_went_elsewhere_is_patched(
    agent: Agent, moved: Callable[[Agent], Any], action: str
) -> None:
    moved(agent)
    assert_patched_equals_reloaded(agent.id, VIEWS, lambda: ACTIONS[action](agent))


@pytest.mark.parametrize(
    "action",
    [
        lambda agent: answer(agent, approve=True, arguments={"sides": 4}),
        lambda agent: answer(agent, reason="No dice."),
        lambda agent: answer(agent, type="tool", tool_return="4"),
        lambda agent: runs.cancel(agent.id),
        cancel_answer,
        lambda agent: (breakpoints.create(agent.id, "result"), answer(agent, approve=True)),
        lambda agent: (breakpoints.create(agent.id, "result"), answer(agent, approve=True), go_on(agent, "continue")),
    ],
    ids=["approved", "denied", "answered", "given up", "answer cancelled", "stops at its result", "goes on from there"],
)
def test_an_answer_to_a_waiting_call_moves_the_page(agent: Agent, action: Callable[[Agent], Any]) -> None:
    ask_for_approval(agent)
    assert_patched_equals_reloaded(agent.id, VIEWS, lambda: action(agent))


@pytest.mark.parametrize(
    "action",
    [
        lambda agent: go_on(agent, "continue"),
        lambda agent: go_on(agent, "into"),
        lambda agent: mend(agent, "refused", "Not now."),
        lambda agent: (mend(agent, "result", "Done."), go_on(agent, "over")),
        lambda agent: runs.cancel(agent.id),
        lambda agent: go_on(agent, "cancel"),
        lambda _: breakpoints.delete(Breakpoint.objects.get().id),
        lambda agent: queue(agent, "And now?"),
    ],
    ids=[
        "continued",
        "stepped into",
        "refused",
        "answered",
        "asked to stop",
        "cancelled",
        "breakpoint deleted",
        "spoken to",
    ],
)
@pytest.mark.parametrize("kind", ["tool", "block_write"])
def test_what_a_person_does_with_a_run_that_stands_moves_the_page(
    agent: Agent, kind: str, action: Callable[[Agent], Any]
) -> None:
    stand_at(kind)(agent)
    assert_patched_equals_reloaded(agent.id, VIEWS, lambda: action(agent))


@pytest.mark.parametrize(
    "action",
    [
        talk_in,
        lambda agent, _: say(agent, "What is my name?"),
        lambda _, conversation: conversations.modify(conversation.id, {"summary": "Roses"}),
        lambda _, conversation: deletions.delete_conversation(conversation.id),
    ],
    ids=["talked in", "talked beside", "renamed", "deleted"],
)
def test_the_page_of_a_conversation_follows_it_alone(
    agent: Agent, action: Callable[[Agent, Conversation], Any]
) -> None:
    conversation = conversations.create(agent.id, summary="Garden")
    views = [(slug, {"conversation": conversation.id}) for slug in ("trace", "context")]
    assert_patched_equals_reloaded(agent.id, views, lambda: action(agent, conversation))


def test_a_queued_run_that_is_executed_moves_the_page(agent: Agent) -> None:
    run_id = queue(agent, "What is my name?")
    assert_patched_equals_reloaded(agent.id, VIEWS, lambda: finish(execute(agent.id, run_id, None, 1)))
    assert Run.objects.get(id=run_id).status == "completed"


def test_a_page_that_saw_the_last_step_sees_the_run_end(agent: Agent) -> None:
    say(agent, "What is my name?")
    run = Run.objects.filter(agent=agent, status="completed").order_by("-first_seq")
    ended = run.values("id", "completed_at")[0]
    Run.objects.filter(id=ended["id"]).update(status="running", completed_at=None)
    amid = drawn(agent.id, [("trace", {}), ("head", {}), ("runs", {})])
    Run.objects.filter(id=ended["id"]).update(status="completed", completed_at=ended["completed_at"])
    assert_catches_up(agent.id, amid, Agent.objects.get(id=agent.id).event_seq - 1)


def test_a_group_that_is_deleted_with_who_leads_it_leaves_the_page(agent: Agent) -> None:
    leader = led_by_another(agent)
    assert_patched_equals_reloaded(agent.id, VIEWS, lambda: deletions.delete_agent(leader))


def test_the_first_message_of_an_agent_fills_its_empty_page(builtin_tools: None) -> None:
    new = agents.create(NewAgent(name="New", model="offline/rules"))
    assert_patched_equals_reloaded(new.id, VIEWS, lambda: say(new, "Hello"))


# --- beside a sleep-time agent ------------------------------------------------------------------------------------


TENDED: dict[str, Callable[[Agent], Any]] = {
    "a block is put under review": tended.review,
    "the companion is called": tended.speak,
    "the companion writes": lambda agent: tended.tend(agent, tended.replacing("Ada", "Eva")),
    "the companion proposes": tended.propose,
    "the companion is called less often": lambda agent: groups.modify(
        sleeptime.group_of(agent.id).id, {"sleeptime_agent_frequency": 9, "sleeptime_idle_s": 60}
    ),
    "the companion is switched off": lambda agent: agents.modify(agent.id, {"enable_sleeptime": False}),
    "the companion is deleted": lambda agent: deletions.delete_agent(tended.companion_of(agent).id),
}


@pytest.mark.parametrize("action", TENDED.values(), ids=TENDED.keys())
def test_what_a_companion_does_moves_the_page(builtin_tools: None, action: Callable[[Agent], Any]) -> None:
    agent = tended.make_tended()
    tended.speak(agent)
    assert_patched_equals_reloaded(agent.id, VIEWS, lambda: action(agent))


@pytest.mark.parametrize(
    "action",
    [
        lambda proposal: proposals.accept(proposal.block_id, proposal.id),
        lambda proposal: proposals.decline(proposal.block_id, proposal.id),
        lambda proposal: blocks.modify(proposal.block_id, {"value": "Ada, of Lisbon."}, Author.PERSON),
    ],
    ids=["accepted", "declined", "clashing"],
)
def test_a_decision_about_a_proposal_moves_the_page(builtin_tools: None, action: Callable[[Any], Any]) -> None:
    agent = tended.make_tended()
    proposal = tended.propose(agent)
    assert_patched_equals_reloaded(agent.id, VIEWS, lambda: action(proposal))
