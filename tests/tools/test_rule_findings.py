"""What is said to be wrong with tool rules: each kind of finding, and that none is said that is not so."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents_core.tools.rule_findings import Closing, findings
from agents_core.tools.rules import Rule, allowed, ends_turn, goes_on, required_before_exit
from tests.tools.ruling import NAMES, RESULTS, RULES

SPEAKS, SILENT, HEARTBEATS = Closing(), Closing(speaks=False), Closing(False, True, frozenset({"d"}))


def rule(kind: str, name: str = "a", **more: Any) -> Rule:
    return {"type": kind, "tool_name": name, **more}


def follow(name: str, *children: str) -> Rule:
    return rule("constrain_child_tools", name, children=list(children))


def told(rules: Sequence[Rule], tools: str = "abc", closing: Closing = SPEAKS) -> list[tuple[str, str]]:
    return [(finding.kind, finding.tool_name) for finding in findings(rules, tools, closing)]


def by_result(**mapping: str) -> Rule:
    return rule("conditional", child_output_mapping=mapping)


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        ([], []),
        ([rule("run_first"), rule("exit_loop", "c"), follow("a", "b")], []),
        ([rule("max_count_per_step", max_count_limit=1), rule("required_before_exit", "b")], []),
        ([rule("continue_loop", "x")], [("missing", "x")]),
        ([by_result(yes="x", no="b")], [("missing", "a"), ("contradiction", "a")]),
        ([{**by_result(yes="b"), "default_child": "x"}], [("missing", "a"), ("contradiction", "a")]),
        ([rule("required_before_exit", "x")], [("required", "x")]),
        ([rule("max_count_per_step", "b", max_count_limit=0)], [("unreachable", "b")]),
        ([rule("max_count_per_step", "b", max_count_limit=0), rule("required_before_exit", "b")], [("required", "b")]),
        ([rule("parent_last_tool", "b", children=["b"])], [("unreachable", "b")]),
        ([rule("run_first"), rule("exit_loop")], []),
        ([follow("a", "b"), follow("a", "c")], [("contradiction", "a")]),
        ([follow("a", "b"), follow("b", "a")], [("endless", "")]),
        ([follow("a", "b"), follow("b", "a"), rule("exit_loop", "b")], []),
        ([follow("a", "b"), follow("b", "a"), *(rule("max_count_per_step", n, max_count_limit=1) for n in "ab")], []),
        ([rule("run_first"), follow("a", "b"), follow("b", "b")], [("unreachable", "c"), ("endless", "")]),
    ],
)
def test_what_is_found(rules: list[Rule], found: list[tuple[str, str]]) -> None:
    assert sorted(told(rules)) == sorted(found)


def test_a_kind_that_must_call_ends_only_by_a_tool() -> None:
    assert told([], closing=SILENT) == [("endless", "")]
    assert told([rule("exit_loop", "b")], closing=SILENT) == []
    assert told([], closing=HEARTBEATS) == []
    assert told([rule("continue_loop", name) for name in "abc"], closing=HEARTBEATS) == [("endless", "")]
    assert told([rule("continue_loop", name) for name in "abcd"], "abcd", HEARTBEATS) == []


def test_an_agent_without_tools_has_nothing_to_end() -> None:
    assert told([], "") == []
    assert told([rule("exit_loop")], "", SILENT) == [("missing", "a")]


def test_a_finding_says_after_which_result_and_what_to_do() -> None:
    [finding] = findings([by_result(yes="b"), follow("a", "c"), rule("exit_loop", "b")], "abc", SPEAKS)
    assert "After a returned 'yes'" in finding.text
    assert finding.text.endswith("change one of them.")
    assert finding.is_bad


def test_bad_findings_come_first_and_many_names_are_cut() -> None:
    many = [f"tool_{number}" for number in range(30)]
    forced = [follow(name, *many) for name in many]
    found = findings([rule("continue_loop", "x"), *forced], many, SPEAKS)
    assert [finding.is_bad for finding in found] == [True, False]
    assert "and 24 more" in found[0].text or "or 24 more" in found[0].text


@pytest.mark.timeout(10)
def test_a_hundred_tools_and_a_rule_of_ten_thousand_results_are_looked_at_in_time() -> None:
    tools = [f"t{number}" for number in range(100)]
    mapping = {f"r{number}": tools[number % 100] for number in range(10_000)}
    rules = [rule("conditional", name, child_output_mapping=mapping) for name in tools[:3]]
    assert findings([*rules, *(follow(name, *tools) for name in tools[3:])], tools, SPEAKS) == []


CLOSING = st.sampled_from([SPEAKS, SILENT, HEARTBEATS])


@settings(max_examples=200)
@given(RULES, CLOSING, st.lists(st.tuples(st.integers(0, 3), st.sampled_from(RESULTS)), max_size=8))
def test_nothing_is_said_that_a_turn_belies(
    rules: list[Rule], closing: Closing, choices: list[tuple[int, str | None]]
) -> None:
    """A turn that calls whatever is allowed meets no tool said to be out of reach, and does not end where it is said not to."""
    found = findings(rules, NAMES, closing)
    out_of_reach = {finding.tool_name for finding in found if finding.kind in ("unreachable", "required")}
    never_ends = any(finding.text.startswith("No turn can end") for finding in found)
    called: list[str] = []
    result: str | None = None
    for choice, returned in choices:
        now = allowed(rules, NAMES, called, result)
        may_speak = closing.speaks and not now.must_call
        assert not (never_ends and may_speak and not required_before_exit(rules, called))
        name = sorted(now.names)[choice % len(now.names)]
        assert name not in out_of_reach
        called, result = [*called, name], returned
        if required_before_exit(rules, called):
            continue
        ends = ends_turn(rules, name) or (closing.heartbeats and (name in closing.tools or not goes_on(rules, name)))
        assert not (never_ends and ends)
