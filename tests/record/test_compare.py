"""Comparing two windows: what came, went, changed and moved."""

import random

import pytest

from agents_core.record.compare import compare
from agents_core.record.diff import diff_words
from agents_core.record.steps import SegmentView, readable


def _segment(source: str, text: str = "", kind: str = "message") -> SegmentView:
    return SegmentView(f"{source}:{text}", kind, source, "user", 1, f'"{text or source}"'.encode())


def _window(sources: str) -> list[SegmentView]:
    return [_segment(source) for source in sources]


def _told(old: list[SegmentView], new: list[SegmentView]) -> list[tuple[str, str]]:
    return [(found.status, found.segment.source_id) for found in compare(old, new)]


def test_equal_windows_are_all_same() -> None:
    assert _told(_window("abc"), _window("abc")) == [("same", "a"), ("same", "b"), ("same", "c")]


def test_what_came_is_added_in_its_place() -> None:
    assert _told(_window("ac"), _window("abc")) == [("same", "a"), ("added", "b"), ("same", "c")]


def test_what_went_is_told_where_it_stood() -> None:
    assert _told(_window("abcd"), _window("ad")) == [("same", "a"), ("removed", "b"), ("removed", "c"), ("same", "d")]


def test_what_went_from_the_end_is_told_at_the_end() -> None:
    assert _told(_window("ab"), _window("a")) == [("same", "a"), ("removed", "b")]


def test_a_source_with_other_bytes_is_changed_and_keeps_what_it_was() -> None:
    [found] = compare([_segment("a", "old")], [_segment("a", "new")])
    assert (found.status, found.before) == ("changed", _segment("a", "old"))


def test_leaving_does_not_move_what_follows() -> None:
    assert ("moved", "c") not in _told(_window("abc"), _window("bc"))


def test_the_fewest_segments_are_told_as_moved() -> None:
    assert _told(_window("abcde"), _window("eabcd")) == [("moved", "e"), *(("same", each) for each in "abcd")]


def test_a_separator_before_a_value_is_no_change() -> None:
    first, second = _segment("a", "x", "tool"), _segment("a", "x", "tool")
    second = SegmentView("id", "tool", "a", "user", 1, b"," + first.raw)
    assert compare([first], [second])[0].status == "same"


def test_several_parts_of_one_source_are_paired_by_their_bytes() -> None:
    old = [_segment("m", "first"), _segment("m", "second")]
    assert [found.status for found in compare(old, [_segment("m", "second")])] == ["removed", "same"]


def test_parts_without_a_source_are_told_apart_by_their_label() -> None:
    rules = SegmentView("1", "system", "", "rules", 1, b"a")
    system = SegmentView("2", "system", "", "instructions", 1, b"b")
    assert [found.status for found in compare([rules], [system])] == ["added", "removed"]


@pytest.mark.parametrize("seed", range(20))
def test_the_told_segments_are_both_windows_whole(seed: int) -> None:
    random.seed(seed)
    old, new = (_window("".join(random.sample("abcdefghij", random.randint(0, 10)))) for _ in range(2))
    told = compare(old, new)
    assert [found.segment for found in told if found.status != "removed"] == new
    assert sorted(found.before.source_id for found in told if found.before) == sorted(each.source_id for each in old)


@pytest.mark.parametrize("seed", range(20))
def test_a_diff_joins_to_both_texts(seed: int) -> None:
    random.seed(seed)
    old, new = (
        "".join(random.choices(["a", "b", "the ", "\n", ", ", "word "], k=random.randint(0, 40))) for _ in range(2)
    )
    changes = diff_words(old, new)
    assert "".join(change.text for change in changes if change.op != "added") == old
    assert "".join(change.text for change in changes if change.op != "removed") == new


@pytest.mark.parametrize("text", ['He said "hi"', ", then", "[draft] x", "plain\nline", "\\"])
def test_a_part_of_the_prompt_is_read_as_it_was_written(text: str) -> None:
    import json

    assert readable("system", json.dumps(text)[1:-1].encode()) == text


def test_a_whole_prompt_is_read_without_its_quotes() -> None:
    assert readable("system", b'"a \\"b\\""') == 'a "b"'


def _shown(old: str, new: str) -> str:
    marks = {"same": "{}", "added": "[+{}+]", "removed": "[-{}-]"}
    return "".join(marks[change.op].format(change.text) for change in diff_words(old, new, around=12))


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("Name: A.\nLives in Porto.\nX.", "Name: A.\nLives in Lisbon.\nX.", "Lives in [-Porto-][+Lisbon+]."),
        ("A.\nB.", "A.\nB.\nAllergic.", "[+Allergic.+]"),
        ("A.\nB.\nC.", "A.\nC.", "[-B.-]"),
        ("A x.\nB.\nC.\nD y.", "A z.\nB.\nC.\nD w.", "A [-x-][+z+]. …\nD [-y-][+w+]."),
        ("a long sentence that ends here", "a long sentence that ends now", "…e that ends [-here-][+now+]"),
        ("same", "same", ""),
    ],
)
def test_a_short_diff_shows_only_the_lines_that_changed(old: str, new: str, shown: str) -> None:
    assert _shown(old, new) == shown
