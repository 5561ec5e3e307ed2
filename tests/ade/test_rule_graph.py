"""What of tool rules is a node, an edge or a badge."""

from typing import Any

import pytest
from hypothesis import given, settings

from ade.graph_layout import NODE_WIDTH
from ade.rule_graph import MOST_EDGES, RuleGraph, graph_of
from ade.rule_words import rule_views
from tests.tools.ruling import NAMES, RULES


def rule(kind: str, name: str = "a", **more: Any) -> dict[str, Any]:
    return {"type": kind, "tool_name": name, **more}


def drawn(*rules: dict[str, Any], tools: str = "abc") -> RuleGraph:
    return graph_of(list(tools), rule_views(rules))


def edges(graph: RuleGraph) -> list[tuple[str, str, str, str]]:
    return [(edge.kind, edge.source, edge.target, edge.label) for edge in graph.edges if edge.kind != "free"]


@pytest.mark.parametrize(
    ("given", "lines"),
    [
        (rule("run_first"), [("first", "Start", "a", "")]),
        (rule("exit_loop"), [("ends", "a", "End", "")]),
        (
            rule("constrain_child_tools", children=["b", "c", "b"]),
            [("follows", "a", "b", ""), ("follows", "a", "c", "")],
        ),
        (rule("parent_last_tool", children=["a"]), [("opens", "a", "a", "")]),
        (
            rule("conditional", child_output_mapping={"yes": "b", "1": "b"}, default_child="c"),
            [("result", "a", "c", "else"), ("result", "a", "b", "yes, 1")],
        ),
        (
            rule("conditional", child_output_mapping={"a long result of it": "b"}),
            [("result", "a", "b", "a long resu…")],
        ),
        (rule("continue_loop"), []),
    ],
)
def test_a_rule_about_other_tools_is_a_line(given: dict[str, Any], lines: list[tuple[str, str, str, str]]) -> None:
    assert edges(drawn(given)) == lines


@pytest.mark.parametrize(
    ("given", "badge"),
    [
        (rule("max_count_per_step", max_count_limit=1200), "≤ 1,200"),
        (rule("required_before_exit"), "required"),
        (rule("requires_approval"), "asks first"),
        (rule("continue_loop"), "goes on"),
    ],
)
def test_a_rule_about_its_tool_alone_is_a_badge(given: dict[str, Any], badge: str) -> None:
    graph = drawn(given)
    assert [(node.tool, [each.text for each in node.badges]) for node in graph.free] == [
        ("a", [badge]),
        ("b", []),
        ("c", []),
    ]


def test_a_tool_that_the_agent_does_not_have_is_drawn_as_missing() -> None:
    graph = drawn(rule("constrain_child_tools", children=["gone"]), rule("continue_loop", "lost"))
    assert [node.tool for node in (*graph.nodes, *graph.free) if node.is_missing] == ["gone", "lost"]


def test_a_turn_that_no_rule_begins_begins_where_no_rule_leads() -> None:
    graph = drawn(rule("constrain_child_tools", children=["b"]))
    assert [(edge.source, edge.target) for edge in graph.edges if edge.kind == "free"] == [("Start", "a")]
    assert not [edge for edge in drawn(rule("run_first"), rule("exit_loop", "b")).edges if edge.kind == "free"]


def test_tools_named_like_the_beginning_and_the_end_are_not_taken_for_them() -> None:
    graph = graph_of(["Start", "End"], rule_views([rule("constrain_child_tools", "Start", children=["End"])]))
    assert sorted(node.tool for node in graph.nodes) == ["", "", "End", "Start"]


def test_more_lines_than_anybody_can_read_are_counted_instead() -> None:
    children = [f"t{number}" for number in range(MOST_EDGES + 7)]
    graph = drawn(rule("constrain_child_tools", children=children))
    assert (len(edges(graph)), graph.undrawn) == (MOST_EDGES, 7)


@settings(max_examples=60)
@given(RULES)
def test_every_tool_is_drawn_once_and_every_id_is_its_own(rules: list[dict[str, Any]]) -> None:
    views = list({view.key: view for view in rule_views(rules)}.values())
    graph = graph_of(NAMES, views)
    tools = [node.tool for node in (*graph.nodes, *graph.free) if node.tool]
    assert len(tools) == len(set(tools))
    assert set(NAMES) <= set(tools)
    ids = [node.dom_id for node in (*graph.nodes, *graph.free)] + [edge.dom_id for edge in graph.edges]
    assert len(ids) == len(set(ids))
    assert all(" " not in each for each in ids)


def test_the_tools_in_no_order_stand_below_and_the_rest_in_the_middle_above_them() -> None:
    graph = drawn(rule("exit_loop"), tools="abcdef")
    assert [node.tool for node in graph.free] == list("bcdef")
    assert min(node.y for node in graph.free) > max(node.y for node in graph.nodes)
    assert max(node.x + NODE_WIDTH for node in graph.free) <= graph.width
    middle = graph.width / 2
    assert all(abs(node.x + NODE_WIDTH / 2 - middle) < NODE_WIDTH / 2 for node in graph.nodes)
