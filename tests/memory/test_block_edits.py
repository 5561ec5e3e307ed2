import difflib
from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from agents_core.memory import edits
from agents_core.memory.edits import BlockEditError, BlockLimitError, BlockReadOnlyError
from agents_core.memory.render import LINE_NUMBERS_NOTICE, BlockFacts

lines = st.lists(
    st.text(st.characters(exclude_characters="\n\r\t→", exclude_categories=["Cs", "Zl", "Zp", "Cc"])), min_size=1
)
texts = lines.map("\n".join)
others = st.text("xyz \n.")


def test_append_adds_the_content_on_a_new_line() -> None:
    assert edits.core_memory_append("Name: Ana", "Likes tea.") == "Name: Ana\nLikes tea."


def test_core_replace_changes_every_occurrence_and_deletes_with_an_empty_text() -> None:
    assert edits.core_memory_replace("tea, tea, milk", "tea", "coffee") == "coffee, coffee, milk"
    assert edits.core_memory_replace("tea, milk", "tea, ", "") == "milk"


@pytest.mark.parametrize("replace", [edits.core_memory_replace, edits.memory_replace])
def test_replacing_what_is_not_there_says_that_it_must_match_exactly(replace: Callable[[str, str, str], str]) -> None:
    with pytest.raises(BlockEditError, match="'Tea' was not found|not found: 'Tea'"):
        replace("tea", "Tea", "coffee")


def test_an_empty_text_to_replace_is_refused() -> None:
    with pytest.raises(BlockEditError, match="empty"):
        edits.memory_replace("tea", "", "coffee")


def test_memory_replace_names_the_lines_when_several_match() -> None:
    with pytest.raises(BlockEditError, match=r"3 times, beginning on lines 1, 2, 4\."):
        edits.memory_replace("tea\nmore tea\nmilk\ntea", "tea", "coffee")


def test_memory_replace_expands_tabs_on_both_sides() -> None:
    assert edits.memory_replace("a\tb", "a       b", "c") == "c"
    assert edits.memory_replace("a       b", "a\tb", "c") == "c"


@pytest.mark.parametrize(
    ("at", "expected"), [(0, "new\none\ntwo"), (1, "one\nnew\ntwo"), (2, "one\ntwo\nnew"), (-1, "one\ntwo\nnew")]
)
def test_insert_puts_lines_after_the_line_given(at: int, expected: str) -> None:
    assert edits.memory_insert("one\ntwo", "new", at) == expected


def test_insert_into_an_empty_block_leaves_no_blank_line() -> None:
    assert edits.memory_insert("", "first") == "first"


@pytest.mark.parametrize("at", [-2, 3])
def test_inserting_outside_the_text_says_which_lines_there_are(at: int) -> None:
    with pytest.raises(BlockEditError, match=r"from 0 \(top\) to 2"):
        edits.memory_insert("one\ntwo", "new", at)


@pytest.mark.parametrize("argument", ["1→ tea", "tea\n  12→ milk", LINE_NUMBERS_NOTICE])
def test_arguments_with_line_numbers_are_refused(argument: str) -> None:
    attempts: list[Callable[[], str]] = [
        lambda: edits.memory_replace("tea", argument, "x"),
        lambda: edits.memory_replace("tea", "tea", argument),
        lambda: edits.memory_insert("tea", argument),
        lambda: edits.memory_rethink("tea", argument),
        lambda: edits.apply_patch("tea", f"+{argument}"),
    ]
    for attempt in attempts:
        with pytest.raises(BlockEditError, match="line numbers"):
            attempt()


def test_an_arrow_within_a_line_is_no_line_number() -> None:
    assert edits.memory_rethink("", "moved 3→ 4 times, then A→B") == "moved 3→ 4 times, then A→B"


PATCHED = "Name: Ana\nLikes tea\nLives in Lyon"


def test_a_patch_replaces_the_lines_that_its_context_shows() -> None:
    patch = "@@ -1,3 +1,3 @@\n Name: Ana\n-Likes tea\n+Likes coffee\n Lives in Lyon"
    assert edits.apply_patch(PATCHED, patch) == "Name: Ana\nLikes coffee\nLives in Lyon"


def test_a_patch_of_added_lines_alone_appends() -> None:
    assert edits.apply_patch(PATCHED, "+Has a dog") == f"{PATCHED}\nHas a dog"
    assert edits.apply_patch("", "+Has a dog") == "Has a dog"


def test_a_patch_may_remove_a_line_of_dashes() -> None:
    assert edits.apply_patch("one\n---\ntwo", "@@\n one\n----\n two") == "one\ntwo"


@pytest.mark.parametrize(
    ("patch", "reason"),
    [
        ("", "changes nothing"),
        (" Name: Ana", "changes nothing"),
        ("-Likes milk\n+x", "stands nowhere"),
        ("Likes tea\n+x", "begins with neither"),
    ],
)
def test_a_patch_that_cannot_be_applied_says_why(patch: str, reason: str) -> None:
    with pytest.raises(BlockEditError, match=reason):
        edits.apply_patch(PATCHED, patch)


def test_a_patch_with_ambiguous_context_is_refused() -> None:
    with pytest.raises(BlockEditError, match="2 times"):
        edits.apply_patch("tea\nmilk\ntea", "-tea\n+coffee")


@given(old=texts, new=texts)
def test_a_patch_made_by_difflib_gives_the_new_text(old: str, new: str) -> None:
    assume(old and old != new)
    context = max(old.count("\n"), new.count("\n")) + 1
    patch = "\n".join(difflib.unified_diff(old.split("\n"), new.split("\n"), lineterm="", n=context))
    assert edits.apply_patch(old, patch).split("\n") == new.split("\n")


@given(before=others, old=st.text("ab", min_size=1), after=others, new=st.text("cd", min_size=1))
def test_replacing_back_undoes_a_replacement(before: str, old: str, after: str, new: str) -> None:
    value = before + old + after
    replaced = edits.memory_replace(value, old, new)
    assert replaced == before + new + after
    assert edits.memory_replace(replaced, new, old) == value


@given(value=texts, inserted=texts, data=st.data())
def test_an_insertion_only_adds_its_own_lines(value: str, inserted: str, data: st.DataObject) -> None:
    assume(value)
    before, new = value.split("\n"), inserted.split("\n")
    at = data.draw(st.integers(0, len(before)))
    after = edits.memory_insert(value, inserted, at).split("\n")
    assert after[:at] + after[at + len(new) :] == before
    assert after[at : at + len(new)] == new


def test_an_agent_may_not_write_a_read_only_block() -> None:
    with pytest.raises(BlockReadOnlyError, match=r"^Error: This block is read-only and cannot be edited\.$"):
        edits.checked(BlockFacts("block-1", "human", "", 10, read_only=True), "x")


def test_a_block_holds_its_limit_and_not_one_character_more() -> None:
    block = BlockFacts("block-1", "human", "", 3)
    assert edits.checked(block, "日本語") == "日本語"
    with pytest.raises(BlockLimitError, match=r"^Edit failed: Exceeds 3 character limit \(requested 4\)$"):
        edits.checked(block, "日本語だ")
