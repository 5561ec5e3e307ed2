"""What changed between two steps: each segment's verdict, why what left is gone, and the time it takes to tell."""

import time
from collections.abc import Callable

import pytest

from agents_core.actions import agents
from agents_core.actions.new_agent import NewAgent
from agents_core.actions.tools import ensure_builtin_tools
from agents_core.models import Agent, BlockVersion, Eviction, Message, Step, StepKind
from agents_core.record.diff import diff_words
from agents_core.record.differences import difference
from tests.long_agent import live_long

pytestmark = pytest.mark.django_db

_SECONDS = 0.5


@pytest.fixture
def lived() -> Callable[[int, int], Agent]:
    def live(steps: int, full_messages: int) -> Agent:
        ensure_builtin_tools()
        memory = [{"label": "human", "value": "Her name is Ada."}]
        agent = agents.create(NewAgent(name="long", model="offline/rules", memory_blocks=memory))
        live_long(agent.id, steps, full_messages=full_messages)
        return agent

    return live


def at(agent: Agent, number: int) -> Step:
    return Step.objects.get(agent=agent, number=number)


def test_a_step_tells_what_came_and_which_step_rewrote_a_block(lived: Callable[[int, int], Agent]) -> None:
    agent = lived(12, 100)
    found = difference(at(agent, 3), at(agent, 10))
    assert found.counts() == {"added": found.counts()["added"], "rewritten": 1}
    [block] = [each for each in found.segments if found.verdict(each) == "rewritten"]
    last = BlockVersion.objects.filter(step__number__lt=10).order_by("version").last()
    assert last
    assert last.step
    assert found.written == {block.segment.source_id: last.step.number}
    new = {each.segment.source_id for each in found.segments if found.verdict(each) == "added"}
    said = Message.objects.filter(agent=agent, step__number__gte=3, step__number__lt=10)
    assert new == set(said.values_list("id", flat=True))
    assert found.more_tokens() > 0


def test_what_a_compaction_took_is_told_with_it_and_what_left_otherwise_is_evicted(
    lived: Callable[[int, int], Agent],
) -> None:
    agent = lived(90, 40)
    summaries = Step.objects.filter(agent=agent, kind=StepKind.SUMMARY).order_by("number")
    number = summaries.values_list("number", flat=True)[1]
    found = difference(at(agent, number - 1), at(agent, number + 1))
    [eviction] = Eviction.objects.filter(agent=agent, step__number=number)
    gone = {each.segment.source_id for each in found.segments if found.verdict(each) == "compacted"}
    assert gone <= set(eviction.message_ids)
    assert len(gone) == found.counts()["compacted"]
    assert set(found.compactions.values()) == {eviction.pk}

    eviction.delete()
    again = difference(at(agent, number - 1), at(agent, number + 1))
    assert again.counts()["evicted"] == found.counts()["compacted"]
    assert "compacted" not in again.counts()


def test_over_many_compactions_each_message_is_told_with_the_one_that_took_it(
    lived: Callable[[int, int], Agent],
) -> None:
    agent = lived(200, 40)
    found = difference(at(agent, 9), at(agent, 199))
    taken = {message: each.pk for each in Eviction.objects.order_by("-id") for message in each.message_ids}
    assert found.compactions
    assert found.compactions == {message: taken[message] for message in found.compactions}
    assert "evicted" not in found.counts()


def test_a_thousand_messages_are_compared_in_well_under_a_second(lived: Callable[[int, int], Agent]) -> None:
    agent = lived(560, 1_100)
    older, newer = at(agent, 500), at(agent, 559)
    assert Message.objects.filter(agent=agent, step__number__lt=500).count() > 900
    began = time.process_time()
    found = difference(older, newer)
    words = [diff_words(each.before.text, each.segment.text) for each in found.segments if each.status == "changed"]
    assert words
    assert time.process_time() - began < _SECONDS
    assert found.counts()["compacted"] > 900
