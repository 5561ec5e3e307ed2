"""What can be said for certain against a block."""

import pytest

from agents_core.memory.findings import findings


def kinds(value: str, limit: int = 1000, **others: str) -> list[str]:
    return [finding.kind for finding in findings("human", value, limit, others)]


def test_a_line_of_another_block_is_a_duplicate_whatever_its_case_and_stops() -> None:
    [found] = findings("human", "Prefers aisle seats.", 1000, {"team_policy": "- prefers AISLE seats"})
    assert (found.kind, found.other) == ("duplicate", "team_policy")


def test_a_line_that_stands_twice_is_a_duplicate_once() -> None:
    assert kinds("Prefers aisle seats.\nPrefers aisle seats.") == ["duplicate"]


def test_short_headings_may_stand_twice() -> None:
    assert kinds("Notes:\na thing said\nNotes:\n") == []


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abcdefghijklmnopqrstuvwx",
        "AKIAIOSFODNN7EXAMPLE",
        "-----BEGIN RSA PRIVATE KEY-----",
        "Password: hunter22",
        "ghp_" + "a" * 36,
    ],
)
def test_what_looks_like_a_secret_is_found(secret: str) -> None:
    assert kinds(f"Name: Bo.\n{secret}\n") == ["secret"]


def test_a_finding_of_a_secret_does_not_repeat_it() -> None:
    [found] = findings("human", "password: hunter22", 1000, {})
    assert "hunter22" not in found.text + found.what


@pytest.mark.parametrize(("chars", "expected"), [(90, []), (91, ["full"])])
def test_a_block_is_almost_full_above_nine_tenths(chars: int, expected: list[str]) -> None:
    assert kinds("x" * chars, limit=100) == expected
