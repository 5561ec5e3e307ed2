"""Who brought each sentence of a block."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents_core.memory.blame import Blamed, blame, split_sentences

TEXTS = st.text(st.sampled_from("ab .\n!é,"), max_size=60)


def blamed(*values: str) -> list[tuple[int, str]]:
    return [(row.version, row.text.strip()) for row in of(*values)]


def of(*values: str) -> list[Blamed]:
    return blame(enumerate(values, start=1))


def test_an_unchanged_sentence_keeps_its_version() -> None:
    assert blamed("Name: Bo.", "Name: Bo.\nLikes tea.") == [(1, "Name: Bo."), (2, "Likes tea.")]


def test_sentences_of_one_line_are_blamed_apart() -> None:
    assert blamed("Name: Inês.", "Name: Inês. Works as a cardiologist.") == [
        (1, "Name: Inês."),
        (2, "Works as a cardiologist."),
    ]


def test_a_rewritten_sentence_is_the_last_writers_and_shows_the_words_that_came() -> None:
    [row] = of("She lives in Porto.", "She lives in Lisbon (moved Feb 2026).")
    assert row.version == 2
    assert row.rewritten
    assert [span.text for span in row.spans if span.brought] == ["Lisbon (moved Feb 2026)"]


def test_a_moved_line_keeps_its_version() -> None:
    assert blamed("One is first.\nTwo is second.\n", "Two is second.\nOne is first.\nThree came.") == [
        (1, "Two is second."),
        (1, "One is first."),
        (2, "Three came."),
    ]


def test_a_trimmed_line_keeps_its_version() -> None:
    assert blamed("Budget: 600 a flight, more or less, as it was last year.", "Budget: 600 a flight") == [
        (1, "Budget: 600 a flight")
    ]


def test_a_line_that_moved_and_was_trimmed_keeps_its_version() -> None:
    assert blamed("Likes green tea in the morning.\nLives in Rome.", "Lives in Rome.\nLikes green tea.") == [
        (1, "Lives in Rome."),
        (1, "Likes green tea."),
    ]


def test_a_sentence_unlike_any_other_is_new_whole() -> None:
    [_, row] = of("Lives in Rome.", "Lives in Rome.\nAllergic to nuts.")
    assert (row.version, row.rewritten) == (2, False)


def test_what_was_removed_and_came_back_is_the_restorers() -> None:
    assert blamed("A fact here.", "", "A fact here.") == [(3, "A fact here.")]


def test_what_was_brought_back_by_restoring_is_its_writers_again() -> None:
    versions = [(1, "A fact."), (2, "Another.\nA fact."), (3, ""), (4, "Another.\nA fact.")]
    assert [(row.version, row.text.strip()) for row in blame(versions, {4: 2})] == [(2, "Another."), (1, "A fact.")]


def test_a_restored_version_older_than_those_given_is_the_restorers() -> None:
    assert [row.version for row in blame([(7, "Now."), (8, "A fact.")], {8: 2})] == [8]


def test_the_same_sentence_twice_has_two_authors() -> None:
    assert blamed("Likes tea.\n", "Likes tea.\nLikes tea.\n") == [(1, "Likes tea."), (2, "Likes tea.")]


def test_versions_left_out_at_the_old_end_are_blamed_on_the_first_given() -> None:
    assert [row.version for row in blame([(7, "Old."), (8, "Old.\nNew line.")])] == [7, 8]


@pytest.mark.parametrize("versions", [[], [(1, "")], [(1, "a"), (2, "")]])
def test_an_empty_block_has_nobody_to_blame(versions: list[tuple[int, str]]) -> None:
    assert blame(versions) == []


@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_the_sentences_joined_are_the_value_and_name_versions_that_exist(values: list[str]) -> None:
    rows = of(*values)
    assert "".join(row.text for row in rows) == values[-1]
    assert all(1 <= row.version <= len(values) for row in rows)


@given(TEXTS)
def test_a_version_that_changes_nothing_is_blamed_for_nothing(value: str) -> None:
    assert {row.version for row in of(value, value)} <= {1}


@given(TEXTS)
def test_sentences_joined_are_the_text(text: str) -> None:
    assert "".join(split_sentences(text)) == text
