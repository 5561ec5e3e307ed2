"""Where nodes and edges stand: nothing overlaps, edges go where they belong, and any graph has a layout."""

import re
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ade.graph_layout import NODE_HEIGHT, NODE_WIDTH, Layout, layered

NAMES = [f"n{number}" for number in range(12)]


def ends_of(layout: Layout, number: int) -> tuple[tuple[float, float], tuple[float, float]]:
    numbers = [float(each) for each in re.findall(r"-?[\d.]+", layout.paths[number].d)]
    return (numbers[0], numbers[1]), (numbers[-2], numbers[-1])


def on_border(point: tuple[float, float], corner: tuple[float, float]) -> bool:
    x, y = point[0] - corner[0], point[1] - corner[1]
    return -0.1 <= x <= NODE_WIDTH + 0.1 and -0.1 <= y <= NODE_HEIGHT + 0.1


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES[:-1])), max_size=40))
def test_any_graph_is_laid_out_without_overlaps_and_its_edges_meet_their_nodes(links: list[tuple[str, str]]) -> None:
    layout = layered(NAMES, links, last=NAMES[-1])
    for (x, y), (other_x, other_y) in combinations(layout.places.values(), 2):
        assert abs(x - other_x) >= NODE_WIDTH or abs(y - other_y) >= NODE_HEIGHT
    for x, y in layout.places.values():
        assert -0.1 <= x <= layout.width - NODE_WIDTH
        assert -0.1 <= y <= layout.height - NODE_HEIGHT + 0.1
    for number, (source, target) in enumerate(links):
        start, end = ends_of(layout, number)
        assert on_border(start, layout.places[source])
        assert on_border(end, layout.places[target])
    assert layout.places[NAMES[-1]][1] == max(y for _, y in layout.places.values())


def test_links_lead_down_unless_they_close_a_circle() -> None:
    layout = layered("abc", [("a", "b"), ("b", "c"), ("a", "c"), ("c", "a")])
    top = {name: y for name, (_, y) in layout.places.items()}
    assert top["a"] < top["b"] < top["c"]


def test_an_edge_over_a_layer_passes_beside_the_node_in_it() -> None:
    layout = layered("abc", [("a", "b"), ("b", "c"), ("a", "c")])
    x, y = layout.places["b"]
    passing = [
        float(each)
        for each in re.findall(r"C-?[\d.]+,-?[\d.]+ -?[\d.]+,-?[\d.]+ (-?[\d.]+,-?[\d.]+)", layout.paths[2].d)[0].split(
            ","
        )
    ]
    assert passing[1] == y
    assert not x <= passing[0] <= x + NODE_WIDTH


def test_edges_between_the_same_nodes_are_apart() -> None:
    layout = layered("ab", [("a", "b"), ("a", "b"), ("b", "a")])
    assert len({path.d for path in layout.paths}) == 3
    assert len({ends_of(layout, number)[0][0] for number in (0, 1)}) == 2


def test_labels_of_a_fan_stand_apart() -> None:
    layout = layered("abcde", [("a", name) for name in "bcde"])
    labels = [path.label for path in layout.paths]
    assert all(abs(one[1] - other[1]) >= 18 or abs(one[0] - other[0]) >= 80 for one, other in combinations(labels, 2))


def test_chains_are_straight_and_the_same_graph_has_the_same_layout() -> None:
    layout = layered("abc", [("a", "b"), ("b", "c")])
    assert len({x for x, _ in layout.places.values()}) == 1
    assert layout == layered("abc", [("a", "b"), ("b", "c")])


@pytest.mark.timeout(10)
def test_a_hundred_nodes_with_five_hundred_edges_are_laid_out_in_time() -> None:
    names = [f"n{number}" for number in range(100)]
    links = [(names[number % 100], names[(number * 7 + number // 100) % 100]) for number in range(500)]
    assert len(layered(names, links).paths) == 500
