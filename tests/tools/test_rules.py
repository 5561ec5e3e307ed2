"""Tool rules as pure functions (contract: wire, section 9)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents_core.tools.rules import (
    Rule,
    allowed,
    ends_turn,
    forbidding,
    goes_on,
    reason,
    required_before_exit,
    sentences,
    told_apart,
)
from tests.tools.ruling import NAMES, RESULTS, RULES

ALL = ("a", "b", "c")


def rule(kind: str, name: str = "a", **more: Any) -> Rule:
    return {"type": kind, "tool_name": name, **more}


CHILDREN = rule("constrain_child_tools", children=["b"])
PARENT = rule("parent_last_tool", children=["b"])
CONDITIONAL = rule("conditional", child_output_mapping={"yes": "b", "3": "c", "True": "c"})
STRICT = rule("conditional", child_output_mapping={"yes": "b"}, require_output_mapping=True)
DEFAULT = rule("conditional", child_output_mapping={"yes": "b"}, default_child="c")
TWICE = rule("max_count_per_step", max_count_limit=2)


@pytest.mark.parametrize(
    ("rules", "called", "last_result", "names", "must_call"),
    [
        ([], [], None, "abc", False),
        ([], ["a"], "x", "abc", False),
        ([rule("run_first")], [], None, "a", True),
        ([rule("run_first"), rule("run_first", "b")], [], None, "ab", True),
        ([rule("run_first")], ["c"], "x", "abc", False),
        ([rule("run_first", "not attached")], [], None, "abc", False),
        ([rule("run_first"), TWICE], [], None, "a", True),
        ([CHILDREN], [], None, "abc", False),
        ([CHILDREN], ["a"], "x", "b", True),
        ([CHILDREN], ["a", "b"], "x", "abc", False),
        ([rule("constrain_child_tools", children=["a", "b", "c"])], ["a"], "x", "abc", True),
        ([PARENT], [], None, "ac", False),
        ([PARENT], ["a"], "x", "b", True),
        ([PARENT], ["a", "c"], "x", "ac", False),
        ([CONDITIONAL], ["a"], "yes", "b", True),
        ([CONDITIONAL], ["a"], " YES\n", "b", True),
        ([CONDITIONAL], ["a"], "3", "c", True),
        ([CONDITIONAL], ["a"], "true", "c", True),
        ([CONDITIONAL], ["a"], "no", "abc", False),
        ([CONDITIONAL], ["a"], None, "abc", False),
        ([CONDITIONAL], ["b"], "yes", "abc", False),
        ([STRICT], ["a"], "no", "abc", True),
        ([DEFAULT], ["a"], "no", "c", True),
        ([TWICE], ["a"], "x", "abc", False),
        ([TWICE], ["a", "b", "a"], "x", "bc", False),
        ([CHILDREN, rule("max_count_per_step", "b", max_count_limit=1)], ["b", "a"], "x", "abc", True),
        ([CHILDREN, rule("constrain_child_tools", children=["b", "c"])], ["a"], "x", "b", True),
        ([rule("exit_loop"), rule("continue_loop"), rule("requires_approval")], ["a"], "x", "abc", False),
    ],
)
def test_what_may_be_called_next(
    rules: list[Rule], called: list[str], last_result: str | None, names: str, must_call: bool
) -> None:
    found = allowed(rules, ALL, called, last_result)
    assert (sorted(found.names), found.must_call) == (list(names), must_call)


def test_an_empty_intersection_means_all_tools() -> None:
    none_left = [rule("max_count_per_step", name, max_count_limit=0) for name in ALL]
    assert allowed(none_left, ALL, [], None).names == set(ALL)


@pytest.mark.parametrize(
    ("rules", "called", "prefilled"),
    [
        ([rule("run_first", args={"x": 1})], [], {"a": {"x": 1}}),
        ([rule("run_first", args={"x": 1})], ["a"], {}),
        ([{**CHILDREN, "child_arg_nodes": [{"name": "b", "args": {"y": 2}}]}], ["a"], {"b": {"y": 2}}),
        ([{**CHILDREN, "child_arg_nodes": [{"name": "b", "args": {"y": 2}}]}], ["b"], {}),
        ([{**CHILDREN, "child_arg_nodes": [{"name": "b", "args": None}]}], ["a"], {}),
        ([{**CHILDREN, "child_arg_nodes": None}], ["a"], {}),
    ],
)
def test_arguments_that_the_rules_set(rules: list[Rule], called: list[str], prefilled: dict[str, Any]) -> None:
    assert allowed(rules, ALL, called, "x").prefilled == prefilled


@pytest.mark.parametrize(
    ("kind", "ends", "continues"),
    [
        ("exit_loop", True, False),
        ("continue_loop", False, True),
        ("constrain_child_tools", False, True),
        ("parent_last_tool", False, True),
        ("conditional", False, True),
        ("run_first", False, False),
        ("max_count_per_step", False, False),
        ("required_before_exit", False, False),
        ("requires_approval", False, False),
    ],
)
def test_what_a_call_means_for_the_turn(kind: str, ends: bool, continues: bool) -> None:
    assert (ends_turn([rule(kind)], "a"), goes_on([rule(kind)], "a")) == (ends, continues)
    assert (ends_turn([rule(kind)], "b"), goes_on([rule(kind)], "b")) == (False, False)


def test_the_tools_that_are_still_required() -> None:
    rules = [rule("required_before_exit", "a"), rule("required_before_exit", "b"), rule("exit_loop", "c")]
    assert required_before_exit(rules, []) == ["a", "b"]
    assert required_before_exit(rules, ["b", "b"]) == ["a"]


@pytest.mark.parametrize(
    "given", [CHILDREN, PARENT, CONDITIONAL, TWICE, rule("run_first"), rule("exit_loop"), rule("continue_loop")]
)
def test_a_rule_that_the_model_has_to_know_is_one_sentence_with_the_tool_in_it(given: Rule) -> None:
    [sentence] = sentences([given])
    assert "a" in sentence.replace(".", " ").split() or "a " in sentence
    assert sentence.endswith(".")


def test_rules_that_the_loop_keeps_by_itself_are_not_told() -> None:
    assert sentences([rule("required_before_exit"), rule("requires_approval")]) == []


# --- why a tool may not be called ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "called", "last_result", "reasons"),
    [
        ([], [], None, {}),
        ([rule("run_first")], [], None, {name: ["a is to be called first."] for name in "bc"}),
        ([CHILDREN], ["a"], "x", {name: ["After a only these may be called: b."] for name in "ac"}),
        ([PARENT], ["c"], "x", {"b": ["b may be called only right after a."]}),
        ([PARENT], ["a"], "x", {name: ["After a only these may be called: b."] for name in "ac"}),
        ([CONDITIONAL], ["a"], "yes", {name: ["a returned 'yes', after which only b may be called."] for name in "ac"}),
        (
            [DEFAULT],
            ["a"],
            None,
            {name: ["a returned something else, after which only c may be called."] for name in "ab"},
        ),
        ([TWICE], ["a", "a"], "x", {"a": ["a was called as often as a turn allows: 2 times."]}),
        ([CHILDREN, rule("constrain_child_tools", children=["c"])], ["a"], "x", {}),
    ],
)
def test_each_tool_that_is_left_out_has_its_reasons(
    rules: list[Rule], called: list[str], last_result: str | None, reasons: dict[str, list[str]]
) -> None:
    found = forbidding(rules, ALL, called, last_result)
    told = {name: [reason(each, name, last_result) for each in against] for name, against in found.items()}
    assert told == reasons


def test_rules_that_leave_no_tool_are_said_to_contradict_each_other() -> None:
    other = rule("constrain_child_tools", children=["c"])
    assert allowed([CHILDREN, other], ALL, ["a"], "x").contradicted
    assert not allowed([CHILDREN], ALL, ["a"], "x").contradicted
    assert not allowed([CHILDREN], [], ["a"], "x").contradicted


@given(RULES, st.lists(st.sampled_from(NAMES), max_size=4), st.sampled_from(RESULTS))
def test_reasons_are_given_for_exactly_the_tools_that_are_not_allowed(
    rules: list[Rule], called: list[str], last_result: str | None
) -> None:
    against = forbidding(rules, NAMES, called, last_result)
    assert against.keys() == set(NAMES) - allowed(rules, NAMES, called, last_result).names
    assert all(against.values())


@given(RULES, st.sampled_from(NAMES), st.sampled_from(RESULTS))
def test_results_that_are_not_told_apart_lead_to_the_same(
    rules: list[Rule], name: str, last_result: str | None
) -> None:
    leads = allowed(rules, NAMES, [name], last_result)
    assert leads in [allowed(rules, NAMES, [name], result) for result in told_apart(rules, name)]
