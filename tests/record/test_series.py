"""What expressions were at each recorded step: as it was sent and answered, and kept while steps come and go."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async

from agents_core.actions import blocks, conversations, deletions
from agents_core.llm.errors import ModelBadRequest
from agents_core.llm.providers.scripted import Answer
from agents_core.llm.types import ModelRequest
from agents_core.models import Agent, Author, Block, Run, Step, StepKind, StepStatus
from agents_core.record import recorded
from agents_core.record.expressions import parse
from agents_core.record.recorded import RecordedSteps
from agents_core.record.series import KeptSeries, Series, reading
from tests.runtime.world import make_agent, play, say

pytestmark = pytest.mark.usefixtures("database")

BERLIN = ("core_memory_append", {"label": "human", "content": "Lives in Berlin."})
LISBON = ("core_memory_replace", {"label": "human", "old_content": "Berlin", "new_content": "Lisbon"})
WRONG = ("core_memory_replace", {"label": "human", "old_content": "Paris", "new_content": "Rome"})
TOOLS = ["core_memory_append", "core_memory_replace"]


async def series(agent: Agent, text: str, kept: KeptSeries | None = None, conversation: str | None = None) -> Series:
    [found], is_whole = await sync_to_async((kept or KeptSeries()).of)(
        agent.id, [parse(text)], conversation, budget_s=30
    )
    assert is_whole
    return found


async def values(agent: Agent, text: str, **options: Any) -> dict[int, str]:
    return {number: each.shown for number, each in (await series(agent, text, **options)).readings.items()}


async def traveller() -> Agent:
    """Five steps: she is in Berlin from the second request on, and in Lisbon from the fourth."""
    agent = await make_agent(
        [Answer("Let me note it.", calls=[BERLIN]), "Noted.", Answer(calls=[LISBON]), Answer(calls=[WRONG]), "Moved."],
        tools=TOOLS,
    )
    await say(agent, "I live in Berlin")
    await say(agent, "I moved to Lisbon")
    return agent


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("len(block.human)", ["16", "33", "33", "33", "33"]),
        ('"Berlin" in block.human', ["False", "True", "True", "False", "False"]),
        ('"Berlin" in context', ["True"] * 5),
        ("block.nobody", ["None"] * 5),
        ("tools", ['["core_memory_append"]', "[]", '["core_memory_replace"]', '["core_memory_replace"]', "[]"]),
        ("arguments.new_content", ["None", "None", '"Lisbon"', '"Rome"', "None"]),
        ("error is not None", ["False", "False", "False", "True", "False"]),
        ("answer", ['"Let me note it."', '"Noted."', '""', '""', '"Moved."']),
        ("[m.role for m in messages][-1]", ['"user"', '"tool"', '"user"', '"tool"', '"tool"']),
        ("messages[0].text", ['"I live in Berlin"'] * 5),
        ("step.stop_reason", ["None", '"end_turn"', "None", "None", '"end_turn"']),
        ("step.number", ["1", "2", "3", "4", "5"]),
        ("tokens.total == tokens.system + tokens.core + tokens.tools + tokens.messages", ["True"] * 5),
        ("tokens.share == tokens.total / tokens.limit and tokens.reported > 0", ["True"] * 5),
        ("count(context, block.human)", ["1"] * 5),
    ],
)
async def test_an_expression_is_what_it_was_at_each_step(text: str, shown: list[str]) -> None:
    assert list((await values(await traveller(), text)).values()) == shown


async def test_system_and_messages_are_those_that_the_model_was_given() -> None:
    given: list[ModelRequest] = []
    answers = [Answer(calls=[BERLIN]), 'Quote " \\ and\nline', "漢字 😀"]
    agent = await make_agent(
        [lambda request, each=each: given.append(request) or each for each in answers], tools=TOOLS
    )
    await say(agent, 'Hello "you" \\ there')
    await say(agent, "line one\nline two")
    scopes = await sync_to_async(lambda: list(RecordedSteps(agent.id, ["system", "messages", "context"]).scopes()))()
    assert [each.scope["system"] for each in scopes] == [request.system for request in given]
    for each, request in zip(scopes, given, strict=True):
        texts = [message.text for message in request.messages if message.text]
        assert [m["text"] for m in each.scope["messages"] if not m["text"].startswith("→")] == texts
        assert all(text in each.scope["context"] for text in [request.system, *texts])


async def test_what_was_kept_and_what_came_since_make_the_same_series_as_all_at_once() -> None:
    agent, kept, text = await traveller(), KeptSeries(), "len(messages)"
    before = await series(agent, text, kept)
    block = await Block.objects.aget(agent_links__agent=agent)
    await sync_to_async(blocks.modify)(block.id, {"value": "x"}, Author.PERSON)
    agent_again = await Agent.objects.aget(pk=agent.pk)
    await play(agent_again, ["Sixth."])
    await say(agent_again, "More")
    after = await series(agent, text, kept)
    assert list(before.readings) == [1, 2, 3, 4, 5]
    assert after.readings == (await series(agent, text)).readings
    assert list(after.readings) == [1, 2, 3, 4, 5, 6]
    assert (await values(agent, "block.human", kept=kept))[6] == '"x"'


async def test_steps_that_are_deleted_leave_the_series() -> None:
    agent, kept = await traveller(), KeptSeries()
    await series(agent, "cost", kept)
    run = await Run.objects.filter(agent=agent).order_by("first_seq").afirst()
    await sync_to_async(deletions.delete_run)(run.id)
    assert list((await series(agent, "cost", kept)).readings) == [3, 4, 5]


async def test_a_step_under_way_is_looked_at_again_and_one_not_sent_yet_comes_late() -> None:
    agent, kept = await traveller(), KeptSeries()
    run = await Run.objects.filter(agent=agent).afirst()
    facts = {"agent": agent, "run": run, "context_window": 1000, "handle": "m", "provider": "p", "model": "m"}
    waiting = await Step.objects.acreate(number=6, **facts)
    sent = await Step.objects.acreate(number=7, request_digest=b"1", **facts)
    assert await values(agent, "step.status == 'success'", kept=kept) == {
        **dict.fromkeys(range(1, 6), "True"),
        7: "False",
    }
    for step in (waiting, sent):
        step.status = StepStatus.SUCCESS
        await step.asave()
    found = await values(agent, "step.status == 'success'", kept=kept)
    assert list(found.items()) == [(number, "True") for number in range(1, 8)]


async def test_steps_that_compact_show_only_to_an_expression_that_asks_for_the_kind() -> None:
    agent = await traveller()
    await Step.objects.filter(agent=agent, number=2).aupdate(kind=StepKind.SUMMARY)
    assert list(await values(agent, "cost")) == [1, 3, 4, 5]
    assert (await values(agent, "step.kind"))[2] == '"summary"'


async def test_a_conversation_has_a_series_of_its_own() -> None:
    agent = await make_agent(["One.", "Two."])
    await say(agent, "Hi")
    conversation = await sync_to_async(conversations.create)(agent.id)
    await say(agent, "There", conversation_id=conversation.id)
    assert await values(agent, "messages[0].text", conversation=conversation.id) == {2: '"There"'}
    assert await values(agent, "messages[0].text") == {1: '"Hi"', 2: '"There"'}


async def test_a_step_that_failed_has_its_error() -> None:
    agent = await make_agent([Answer(error=ModelBadRequest("The server is on fire."))])
    await say(agent, "Hi")
    assert await values(agent, "step.status + ': ' + error") == {1: '"failed: The server is on fire."'}


async def test_what_has_no_value_is_told_at_the_step_and_the_others_are_not_lost() -> None:
    found = (await series(await traveller(), "arguments.new_content + '!'")).readings
    assert [found[3].shown, found[3].column] == ['"Lisbon!"', None]
    refused = (await series(await traveller(), "1 / (step.number - 2)")).readings
    assert [(n, each.column) for n, each in refused.items() if each.column] == [(2, 1)]
    assert "divides by zero" in refused[2].shown


async def test_changes_and_turns_are_told_at_the_steps_where_they_were() -> None:
    agent = await traveller()
    berlin = await series(agent, '"Berlin" in block.human')
    assert [(each.number, each.reading.is_true) for each in berlin.turns()] == [(2, True), (4, False)]
    assert [(each.number, each.before and each.before.shown) for each in berlin.changes()] == [
        (1, None), (2, "False"), (4, "True")
    ]  # fmt: skip
    assert [each.number for each in (await series(agent, "True")).turns()] == [1]
    assert (await series(agent, "False")).turns() == []


async def test_too_little_time_is_told_and_asking_again_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded, "BATCH", 2)
    agent, kept = await traveller(), KeptSeries()
    ask = sync_to_async(lambda: kept.of(agent.id, [parse("step.number")], budget_s=0))
    reached = [(found[0].last, is_whole) for found, is_whole in [await ask() for _ in range(4)]]
    assert reached == [(2, False), (4, False), (5, False), (5, True)]
    assert list((await series(agent, "step.number", kept)).readings) == [1, 2, 3, 4, 5]


async def test_an_expression_that_takes_too_long_once_is_not_tried_at_every_step() -> None:
    agent = await make_agent(["One.", "Two."])
    await say(agent, "a" * 5_000 + "!")
    await say(agent, "again")
    found = await series(agent, 'matches(messages[0].text, r"^(a|aa)+$")')
    assert (list(found.readings), found.stopped[:27]) == ([1], "It took too long at step 1,")


@pytest.mark.parametrize(
    ("value", "shown", "number"),
    [
        (None, "None", None),
        (True, "True", None),
        (0.1 + 0.2, "0.3", 0.1 + 0.2),
        (7, "7", 7.0),
        ("é\n", '"é\\n"', None),
        ({"a": [1]}, '{"a": [1]}', None),
    ],
)
def test_a_value_is_written_in_the_words_of_the_language(value: Any, shown: str, number: float | None) -> None:
    assert (reading(value).shown, reading(value).number) == (shown, number)


def test_long_values_are_cut_for_people_and_still_told_apart() -> None:
    one, other = reading("x" * 500 + "1"), reading("x" * 500 + "2")
    assert one.shown == other.shown
    assert one.key != other.key
