"""Two people change one text."""

from hypothesis import given
from hypothesis import strategies as st

from agents_core.memory.merge import merge, merge_fields

TEXTS = st.lists(st.sampled_from(["tea", "Rome", " ", "\n", "."]), max_size=12).map("".join)


def test_changes_of_different_words_are_both_kept() -> None:
    assert merge("Lives in Porto. Likes tea.", "Lives in Lisbon. Likes tea.", "Lives in Porto. Likes green tea.") == (
        "Lives in Lisbon. Likes green tea."
    )


def test_changes_of_different_lines_are_both_kept() -> None:
    assert merge("one\ntwo\nthree", "ONE\ntwo\nthree", "one\ntwo\nTHREE\nfour") == "ONE\ntwo\nTHREE\nfour"


def test_the_same_words_changed_in_two_ways_do_not_merge() -> None:
    assert merge("lives in Porto", "lives in Lisbon (moved)", "lives in Lisbon, Alfama") is None


def test_two_insertions_at_one_place_do_not_merge() -> None:
    assert merge("tea", "tea and cake", "tea with milk") is None


def test_the_same_change_made_twice_is_made_once() -> None:
    assert merge("in Porto", "in Lisbon", "in Lisbon") == "in Lisbon"


@given(TEXTS, TEXTS)
def test_one_change_alone_is_taken_as_it_is(base: str, changed: str) -> None:
    assert merge(base, changed, base) == changed
    assert merge(base, base, changed) == changed


@given(TEXTS, TEXTS, TEXTS)
def test_it_does_not_matter_who_is_asked_first(base: str, one: str, two: str) -> None:
    assert merge(base, one, two) == merge(base, two, one)


BASE = {"value": "Lives in Porto.", "limit": 100, "read_only": False}


def test_a_field_that_one_changed_is_taken_from_that_one() -> None:
    mine = BASE | {"limit": 200}
    theirs = BASE | {"value": "Lives in Lisbon."}
    assert merge_fields(BASE, theirs, mine) == {"value": "Lives in Lisbon.", "limit": 200, "read_only": False}


def test_a_number_changed_in_two_ways_does_not_merge() -> None:
    assert merge_fields(BASE, BASE | {"limit": 50}, BASE | {"limit": 200}) is None


def test_texts_of_a_block_merge_by_words() -> None:
    merged = merge_fields({"value": "a tea b"}, {"value": "x tea b"}, {"value": "a tea y"})
    assert merged == {"value": "x tea y"}
