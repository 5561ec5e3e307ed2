"""The scrubber: every step that is marked stands in the tick that is drawn for it."""

import pytest

from ade.marks import Marks
from ade.scrubber import MOST_TICKS, ticks
from agents_core.actions import agents
from agents_core.actions.new_agent import NewAgent
from agents_core.events.publish import publish
from agents_core.events.types import BlockChanged
from agents_core.models import Agent, Author, BlockVersion, Step
from tests.long_agent import WRITES_EVERY, live_long

ALL = 10_000


@pytest.mark.parametrize("last", [1, 2, MOST_TICKS, MOST_TICKS + 1, 999, ALL, ALL + 1])
def test_there_are_as_many_ticks_as_steps_or_as_there_is_room_for(last: int) -> None:
    drawn = ticks(last, {})
    assert len(drawn) == last if last <= MOST_TICKS else MOST_TICKS // 2 < len(drawn) <= MOST_TICKS


@pytest.mark.parametrize("step", [1, 83, 84, 85, 5_000, ALL])
@pytest.mark.parametrize("mark", ["pause", "error", "compaction", "memory"])
def test_one_marked_step_of_ten_thousand_is_seen(step: int, mark: str) -> None:
    marked = [tick for tick in ticks(ALL, {mark: (step,), "other": ()}) if tick.marks]
    assert [tick.marks for tick in marked] == [(mark,)]


def test_a_tick_says_all_that_happened_in_it_and_how_much_of_it_wrote_memory() -> None:
    each = -(-ALL // MOST_TICKS)
    [first, *others] = ticks(ALL, {"error": (3,), "compaction": (each,), "memory": tuple(range(1, each // 2 + 1))})
    assert first.marks == ("error", "compaction", "memory")
    assert first.memory == 0.5
    assert not any(tick.marks for tick in others)


@pytest.fixture
def lived(transactional_db: None, builtin_tools: None) -> Agent:
    memory = [{"label": "human", "value": "Her name is Ada."}]
    made = agents.create(NewAgent(name="long", model="offline/rules", memory_blocks=memory))
    live_long(made.id, 40, full_messages=30)
    return Agent.objects.get(id=made.id)


def test_marks_that_are_read_on_are_those_that_a_look_at_all_steps_gives(lived: Agent) -> None:
    kept = Marks(lived.id)
    before = kept.at(lived.event_seq)
    live_long(lived.id, 40, full_messages=30)
    Step.objects.filter(agent=lived, number__in=(3, 77)).update(status="failed")  # the step 3 without an event
    lived.refresh_from_db()
    after = kept.at(lived.event_seq)
    assert after == {**Marks(lived.id).at(lived.event_seq), "error": (77,)}
    assert len(after["compaction"]) > len(before["compaction"]) > 0
    assert after["memory"][-1] > before["memory"][-1] >= WRITES_EVERY


def test_what_may_unmark_any_step_has_all_read_again(lived: Agent) -> None:
    kept = Marks(lived.id)
    assert kept.at(lived.event_seq)["memory"]
    BlockVersion.objects.filter(agent=lived, step__isnull=False).delete()
    seq = publish(lived.id, BlockChanged("block-1", "human", 1, Author.PERSON, "detached"))
    assert kept.at(seq)["memory"] == ()
