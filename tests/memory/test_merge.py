"""Two people change one text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents_core.memory.merge import Choice, Hunk, clashing_fields, hunks, merge, merge_fields

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


# --- choosing --------------------------------------------------------------------------------------------------------


def test_each_place_is_a_hunk_of_its_own_and_what_stands_between_is_kept() -> None:
    parts = hunks("Lives in Porto. Likes tea.", "Lives in Lisbon. Likes tea.", "Lives in Faro. Likes green tea.")
    assert parts == ["Lives in ", Hunk("Porto", "Lisbon", "Faro"), ". Likes", Hunk("", "", " green"), " tea."]
    assert [part.clashes for part in parts if isinstance(part, Hunk)] == [True, False]


@pytest.mark.parametrize(
    ("choices", "merged"),
    [
        ([], None),
        (["theirs"], "Lives in Lisbon. Likes green tea."),
        (["mine", "theirs"], "Lives in Faro. Likes tea."),
        (["both", None], "Lives in Lisbon Faro. Likes green tea."),
    ],
)
def test_what_is_chosen_at_a_place_is_taken_and_the_others_merge(
    choices: list[Choice | None], merged: str | None
) -> None:
    texts = ("Lives in Porto. Likes tea.", "Lives in Lisbon. Likes tea.", "Lives in Faro. Likes green tea.")
    assert merge(*texts, choices) == merged


@given(TEXTS, TEXTS, TEXTS)
def test_one_who_is_chosen_everywhere_has_the_text_as_it_was(base: str, theirs: str, mine: str) -> None:
    places = sum(isinstance(part, Hunk) for part in hunks(base, theirs, mine))
    assert merge(base, theirs, mine, ["theirs"] * places) == theirs
    assert merge(base, theirs, mine, ["mine"] * places) == mine


def test_a_field_changed_in_two_ways_is_merged_once_it_is_chosen() -> None:
    theirs, mine = BASE | {"limit": 50}, BASE | {"limit": 200, "read_only": True}
    assert clashing_fields(BASE, theirs, mine) == {"limit": (50, 200)}
    assert merge_fields(BASE, theirs, mine, fields={"limit": "theirs"}) == BASE | {"limit": 50, "read_only": True}
