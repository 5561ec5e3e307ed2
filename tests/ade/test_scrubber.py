"""The scrubber: every step that is marked stands in the tick that is drawn for it."""

import pytest

from ade.scrubber import MOST_TICKS, ticks

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
