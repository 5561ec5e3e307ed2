"""Where undo and redo lead."""

import pytest

from agents_core.memory.undo import Neighbours, neighbours


@pytest.mark.parametrize(
    ("contents", "undo", "redo"),
    [
        ("", None, None),
        ("a", None, None),
        ("ab", 1, None),
        ("aba", None, 2),
        ("abcb", 1, 3),
        ("abcba", None, 2),
        ("abcbab", 1, 3),
        ("abcbd", 2, None),
    ],
)
def test_undo_goes_back_and_redo_forth_until_something_else_is_written(
    contents: str, undo: int | None, redo: int | None
) -> None:
    assert neighbours(enumerate(contents, start=1)) == Neighbours(undo, redo)
