"""Where the nodes and edges of a directed graph stand: in layers from top to bottom. Pure; all sizes are CSS pixels.

The steps are Sugiyama's: edges that close a circle are turned round, nodes get the layer of the longest way to them, edges over several
layers bend at a place of their own in each, the layers are ordered so that few edges cross, and nodes move towards their neighbours.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

NODE_WIDTH, NODE_HEIGHT = 176, 46
_GAP, _BEND_WIDTH = 30, 14
"""Between nodes of a layer, and what an edge takes that passes it."""
_LAYER_GAP = 62
_LOOP_WIDTH = 24
_SWEEPS = 8
_PORT_GAP = 14.0

Point = tuple[float, float]
Link = tuple[str, str]
Curve = tuple[Point, Point, Point, Point]


@dataclass(frozen=True, slots=True)
class Path:
    """An edge as it is drawn: ``d`` as in SVG, from the source to the target, and the point where its label stands."""

    d: str
    label: Point


@dataclass(frozen=True, slots=True)
class Layout:
    """``places``: the left upper corner of each node. ``paths``: one for each link, in their order. The size holds all of it."""

    places: Mapping[str, Point]
    paths: Sequence[Path]
    width: float
    height: float


def layered(nodes: Sequence[str], links: Sequence[Link], last: str = "", least_width: float = 0) -> Layout:
    """The layout of ``nodes`` with ``links`` between them, each drawn by itself. Nodes that nothing leads to are in the first layer,
    ``last`` is alone in the last one. A layout narrower than ``least_width`` stands in the middle of it."""
    turned = _turned(nodes, links)
    forward = list(dict.fromkeys((b, a) if (a, b) in turned else (a, b) for a, b in links if a != b))
    layer_of = _layers(nodes, forward, last)
    chains = {link: _chain(link, layer_of) for link in forward}
    layers = _ordered(nodes, layer_of, chains)
    middles = _middles(layers, chains)
    width = max(middles.values(), default=0) + NODE_WIDTH / 2 + _LOOP_WIDTH
    shift = max(0.0, (least_width - width) / 2)
    step = NODE_HEIGHT + _LAYER_GAP
    spots = {spot: (middles[spot] + shift, float(layer * step)) for layer, spots in enumerate(layers) for spot in spots}
    places = {name: (spots[name][0] - NODE_WIDTH / 2, spots[name][1]) for name in nodes}
    paths = _paths(links, turned, chains, spots)
    return Layout(places, paths, max(width, least_width), (len(layers) - 1) * step + NODE_HEIGHT)


# --- layers -----------------------------------------------------------------------------------------------------------


def _turned(nodes: Sequence[str], links: Sequence[Link]) -> set[Link]:
    """The links that close a circle on a walk from the first node on."""
    targets = defaultdict(list)
    for source, other in links:
        targets[source].append(other)
    turned: set[Link] = set()
    done: set[str] = set()
    for root in nodes:
        walk: list[tuple[str, Iterator[str]]] = [] if root in done else [(root, iter(targets[root]))]
        on_way = {root}
        while walk:
            name, ahead = walk[-1]
            target = next(ahead, None)
            if target is None:
                walk.pop()
                on_way.discard(name)
                done.add(name)
            elif target in on_way:
                turned.add((name, target))
            elif target not in done:
                on_way.add(target)
                walk.append((target, iter(targets[target])))
    return turned


def _layers(nodes: Sequence[str], forward: Sequence[Link], last: str) -> dict[str, int]:
    """The layer of each node; every link leads to a later one."""
    layer_of = dict.fromkeys(nodes, 0)
    for _ in nodes:
        moved = False
        for source, target in forward:
            if layer_of[target] <= layer_of[source]:
                layer_of[target], moved = layer_of[source] + 1, True
        if not moved:
            break
    if last:
        layer_of[last] = max((layer for name, layer in layer_of.items() if name != last), default=-1) + 1
    return layer_of


def _chain(link: Link, layer_of: Mapping[str, int]) -> list[str]:
    """The spots that a link passes: its ends, and a bend in each layer between."""
    source, target = link
    between = range(layer_of[source] + 1, layer_of[target])
    return [source, *(f"{source}\n{target}\n{layer}" for layer in between), target]


def _ordered(
    nodes: Sequence[str], layer_of: Mapping[str, int], chains: Mapping[Link, Sequence[str]]
) -> list[list[str]]:
    """The spots of each layer from left to right: each near the middle of those that it is linked with."""
    layers: list[list[str]] = [[] for _ in range(max(layer_of.values(), default=0) + 1)]
    for name in nodes:
        layers[layer_of[name]].append(name)
    for (source, _), chain in chains.items():
        for away, bend in enumerate(chain[1:-1], start=1):
            layers[layer_of[source] + away].append(bend)
    before, after = _neighbours(chains)
    ranks = {spot: rank for layer in layers for rank, spot in enumerate(layer)}
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for layer in layers if down else reversed(layers):
            _sort(layer, before if down else after, ranks)
            ranks |= {spot: rank for rank, spot in enumerate(layer)}
    return layers


def _neighbours(chains: Mapping[Link, Sequence[str]]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """What each spot is linked with in the layer before, and in the one after."""
    before, after = defaultdict(list), defaultdict(list)
    for chain in chains.values():
        for left, right in pairwise(chain):
            before[right].append(left)
            after[left].append(right)
    return before, after


def _sort(layer: list[str], linked: Mapping[str, Sequence[str]], ranks: Mapping[str, float]) -> None:
    layer.sort(key=lambda spot: _mean([ranks[other] for other in linked.get(spot, ())], ranks[spot]))


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


# --- places in a layer ------------------------------------------------------------------------------------------------


def _middles(layers: Sequence[Sequence[str]], chains: Mapping[Link, Sequence[str]]) -> dict[str, float]:
    """The middle of each spot, from left to right; none overlaps the next."""
    bends = {bend for chain in chains.values() for bend in chain[1:-1]}
    middles: dict[str, float] = {}
    for layer in layers:
        middles |= _spread(layer, dict.fromkeys(layer, 0.0), bends)
    before, after = _neighbours(chains)
    for sweep in range(_SWEEPS):
        linked = before if sweep % 2 == 0 else after
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            wanted = {spot: _mean([middles[each] for each in linked.get(spot, ())], middles[spot]) for spot in layer}
            middles |= _spread(layer, wanted, bends)
    left = min((middle - NODE_WIDTH / 2 for middle in middles.values()), default=0)
    return {spot: middle - left for spot, middle in middles.items()}


def _spread(layer: Sequence[str], wanted: Mapping[str, float], bends: set[str]) -> dict[str, float]:
    """The middles of a layer: of all that leave each spot its room, those with the least squares of distance to ``wanted``.

    Measured from where a spot would be if all stood close, room means that none is before the one to its left. So neighbours that want
    the wrong order meet at their mean (isotonic regression by pooling).
    """
    close = _close(layer, bends)
    pools: list[tuple[float, list[str]]] = []
    for spot in layer:
        total, members = wanted[spot] - close[spot], [spot]
        while pools and pools[-1][0] / len(pools[-1][1]) > total / len(members):
            other, others = pools.pop()
            total, members = total + other, others + members
        pools.append((total, members))
    return {spot: total / len(members) + close[spot] for total, members in pools for spot in members}


def _close(layer: Sequence[str], bends: set[str]) -> dict[str, float]:
    """The middles of spots that stand as close as they may, the first at 0."""
    middles: dict[str, float] = {}
    middle = 0.0
    for spot, following in pairwise([*layer, ""]):
        middles[spot] = middle
        widths = [_BEND_WIDTH if each in bends else NODE_WIDTH for each in (spot, following)]
        middle += sum(widths) / 2 + (_BEND_WIDTH if bends >= {spot, following} else _GAP)
    return middles


# --- paths ------------------------------------------------------------------------------------------------------------


def _paths(
    links: Sequence[Link], turned: set[Link], chains: Mapping[Link, Sequence[str]], spots: Mapping[str, Point]
) -> list[Path]:
    routes = [_route(link, turned, chains) for link in links]
    ports = _ports(routes, spots)
    taken: list[Point] = []
    leaving = Counter(source for source, _ in links)
    drawn = []
    for number, (source, target) in enumerate(links):
        points = _loop(spots[source]) if source == target else _points(number, routes[number], spots, ports)
        label = _label(points, taken, near_end=leaving[source] > 1)
        taken.append(label)
        drawn.append(Path(_curve(points), label))
    return drawn


def _route(link: Link, turned: set[Link], chains: Mapping[Link, Sequence[str]]) -> list[str]:
    """The spots from the source to the target."""
    source, target = link
    if source == target:
        return []
    return list(reversed(chains[target, source])) if link in turned else list(chains[link])


def _ports(routes: Sequence[Sequence[str]], spots: Mapping[str, Point]) -> dict[tuple[int, str], float]:
    """How far beside a node's middle each edge meets it: next to each other, in the order of their next spots."""
    sides: dict[tuple[str, bool], list[tuple[float, int]]] = defaultdict(list)
    for number, route in enumerate(routes):
        for end, beside in ((route[0], route[1]), (route[-1], route[-2])) if route else ():
            sides[end, spots[beside][1] > spots[end][1]].append((spots[beside][0], number))
    ports = {}
    for (name, _), ends in sides.items():
        gap = min(_PORT_GAP, (NODE_WIDTH - 24) / max(len(ends) - 1, 1))
        for place, (_, number) in enumerate(sorted(ends)):
            ports[number, name] = (place - (len(ends) - 1) / 2) * gap
    return ports


def _points(
    number: int, route: Sequence[str], spots: Mapping[str, Point], ports: Mapping[tuple[int, str], float]
) -> list[Curve]:
    """The curves of an edge: from the source to the first bend, past it, and so on to the target."""
    downward = spots[route[-1]][1] > spots[route[0]][1]
    stops: list[Point] = []
    for place, spot in enumerate(route):
        middle, top = spots[spot]
        if 0 < place < len(route) - 1:
            across = [(middle, top), (middle, top + NODE_HEIGHT)]
            stops += across if downward else reversed(across)
        else:
            stops.append((middle + ports[number, spot], top + NODE_HEIGHT * ((place == 0) == downward)))
    return [_bezier(start, end) for start, end in pairwise(stops)]


def _bezier(start: Point, end: Point) -> Curve:
    middle = (start[1] + end[1]) / 2
    return start, (start[0], middle), (end[0], middle), end


def _loop(spot: Point) -> list[Curve]:
    """The curve of an edge from a node to itself, at its right side."""
    right, far = spot[0] + NODE_WIDTH / 2, spot[0] + NODE_WIDTH / 2 + _LOOP_WIDTH * 1.2
    lower, upper = spot[1] + NODE_HEIGHT * 0.75, spot[1] + NODE_HEIGHT * 0.25
    return [((right, lower), (far, lower), (far, upper), (right, upper))]


def _curve(curves: Sequence[Curve]) -> str:
    bends = "".join(f"C{_xy(first)} {_xy(second)} {_xy(end)}" for _, first, second, end in curves)
    return f"M{_xy(curves[0][0])}{bends}"


def _xy(point: Point) -> str:
    return f"{point[0]:.1f},{point[1]:.1f}"


_ALONG = (0.5, 0.62, 0.38, 0.74, 0.26)
_LABEL_WIDTH, _LABEL_HEIGHT = 88, 19


def _label(curves: Sequence[Curve], taken: Sequence[Point], *, near_end: bool) -> Point:
    """A point of the path where no other label stands, if there is one: near the end of an edge that is one of several from its source."""
    curve = curves[-1] if near_end else curves[0]
    tries = [_at(curve, share) for share in _ALONG]
    return next((point for point in tries if not any(_touch(point, other) for other in taken)), tries[0])


def _touch(one: Point, other: Point) -> bool:
    return abs(one[0] - other[0]) < _LABEL_WIDTH and abs(one[1] - other[1]) < _LABEL_HEIGHT


def _at(curve: Curve, share: float) -> Point:
    """The point of a cubic Bézier curve at a share of its way."""
    rest = 1 - share
    weights = (rest**3, 3 * rest**2 * share, 3 * rest * share**2, share**3)
    x, y = (sum(weight * point[axis] for weight, point in zip(weights, curve, strict=True)) for axis in (0, 1))
    return x, y
