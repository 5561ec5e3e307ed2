"""What ruff says, beside what the schema's reader says."""

import pytest

from ade import tool_lint
from ade.tool_lint import lint
from ade.tool_source import read_source

SOURCE = '''import json

def say(topic: str, seen: list[str] = []) -> str:
    """Says.

    Args:
        topic: what
        seen: before
    """
    é = topic; return toppic
'''


def test_findings_have_their_rule_their_place_and_their_order() -> None:
    found = [(one.line, one.column, one.message.split()[0]) for one in lint(SOURCE)]
    assert found == [(1, 7, "F401"), (3, 38, "B006"), (10, 4, "F841"), (10, 13, "E702"), (10, 22, "F821")]


def test_findings_stand_among_the_warnings_of_a_reading() -> None:
    reading = read_source(SOURCE).linted(SOURCE)
    assert reading.verdict == "5 warnings"
    assert {mark["severity"] for mark in reading.marks} == {"warning"}


@pytest.mark.parametrize("source", ["def f(:", "", "\x00", "x = '\ud83d'", "# noqa: F821\nundefined  # noqa"])
def test_what_python_cannot_read_or_is_excused_gives_none(source: str) -> None:
    assert lint(source) == ()


def test_findings_that_take_too_long_are_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool_lint, "_LONGEST_S", 0.0001)
    assert lint("import os  # never read before") == ()
