"""Reading request bodies."""

import pytest

from agents_core.api.parser import clean, read_json
from agents_core.errors import InvalidInput


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"a": NaN}', "NaN"),
        (b"[Infinity]", "Infinity"),
        (b"[1e999]", "too large"),
        (b"{", "not valid JSON"),
        (b"\xff", "not UTF-8"),
        (b"[" * 200_000, "nested too deeply"),
        (b"1" * 10_000, "not valid JSON"),
    ],
)
def test_what_is_not_strict_json_is_refused_with_the_reason(body: bytes, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        read_json(body)


def test_nul_and_lone_surrogates_are_taken_out_and_pairs_stay() -> None:
    assert read_json(rb'{"a\u0000": ["x\u0000y", "\ud83dz", "\ud83d\ude00"]}') == {"a": ["xy", "z", "😀"]}


def test_numbers_and_flags_are_left_alone() -> None:
    assert clean({"a": 1, "b": [True, None, 2.5]}) == {"a": 1, "b": [True, None, 2.5]}
