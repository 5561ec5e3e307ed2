"""An agent's tools and tool rules as a graph: what is a node, an edge or a badge, and where it stands. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ade.graph_layout import NODE_HEIGHT, NODE_WIDTH, Layout, layered
from ade.rule_words import RuleView
from agents_core.tools.rules import Rule

START, END = gettext_noop("Start"), gettext_noop("End")
"""What stands for the beginning and the end of a turn. A tool of that name is told from them by its place in ``Node``."""

MOST_EDGES = 400
"""More than a person can read; the table has them all."""

_LABEL_CHARS = 12
_CELL_GAP = 16
_CELL_WIDTH = NODE_WIDTH + _CELL_GAP
_LEAST_COLUMNS = 4
_HEADING_HEIGHT = 52

Kind = Literal["first", "ends", "follows", "opens", "result", "free"]


def _titled(name: str) -> str:
    return _(name) if name in (START, END) else name


@dataclass(frozen=True, slots=True)
class Badge:
    """A rule that is not about another tool: ``text`` fits a node, ``words`` say it."""

    text: str
    words: str


@dataclass(frozen=True, slots=True)
class Node:
    """A tool, or with ``tool`` "" the turn's beginning or end. ``is_missing``: rules name it, the agent does not have it."""

    tool: str
    title: str
    x: float
    y: float
    badges: Sequence[Badge] = ()
    is_missing: bool = False

    @property
    def dom_id(self) -> str:
        return f"node-{quote(self.tool, safe='', errors='replace')}" if self.tool else f"turn-{self.title.lower()}"


@dataclass(frozen=True, slots=True)
class Edge:
    """A rule that leads from one node to another. ``label`` is the result of which it speaks, "" for every one. ``view`` is None where no
    rule leads: a turn that may begin anywhere."""

    source: str
    target: str
    kind: Kind
    label: str
    view: RuleView | None
    d: str
    x: float
    y: float

    @property
    def dom_id(self) -> str:
        return f"edge-{self.view.mark if self.view else ''}-{quote(self.target, safe='', errors='replace')}"

    @property
    def words(self) -> str:
        ends = {"source": _titled(self.source), "target": _titled(self.target)}
        if self.label and self.label != "else":
            way = _("{source} to {target} when it returns {label}.").format(**ends, label=self.label)
        else:
            way = _("{source} to {target}.").format(**ends)
        return f"{way} {self.view.words if self.view else ''}"


@dataclass(frozen=True, slots=True)
class RuleGraph:
    """``free``: the tools that no rule puts in order; they stand below the others, from ``free_top`` on. ``undrawn`` edges are too many."""

    nodes: Sequence[Node]
    edges: Sequence[Edge]
    free: Sequence[Node]
    width: float
    height: float
    free_top: float
    undrawn: int


@dataclass(frozen=True, slots=True)
class _Lead:
    """An edge before it has a place."""

    source: str
    target: str
    kind: Kind
    label: str = ""
    view: RuleView | None = field(default=None)


def graph_of(tools: Sequence[str], views: Sequence[RuleView]) -> RuleGraph:
    """The graph of an agent that has ``tools``."""
    leads = [lead for view in views for lead in _leads(view)]
    drawn = leads[:MOST_EDGES]
    drawn += _beginnings(drawn)
    linked = dict.fromkeys(name for lead in drawn for name in (lead.source, lead.target))
    ordered = [_START, *(name for name in tools if name in linked), *_absent(linked, tools), _END]
    known = dict.fromkeys([*tools, *(view.rule["tool_name"] for view in views)])
    unlinked = [name for name in known if name not in linked]
    least_width = min(len(unlinked), _LEAST_COLUMNS) * _CELL_WIDTH - _CELL_GAP
    layout = layered(ordered, [(lead.source, lead.target) for lead in drawn], _END, least_width)
    nodes = [_node(name, layout, _badges(name, views), name not in tools) for name in ordered]
    edges = [_edge(lead, layout, number) for number, lead in enumerate(drawn)]
    free = _free(unlinked, tools, views, layout)
    bottom = max((node.y + NODE_HEIGHT for node in free), default=layout.height)
    return RuleGraph(nodes, edges, free, layout.width, bottom, layout.height, max(0, len(leads) - MOST_EDGES))


# No tool can be named like these.
_START, _END = "\n" + START, "\n" + END


def _leads(view: RuleView) -> Iterator[_Lead]:
    """The edges of a rule, one to each tool that it leads to."""
    rule, name = view.rule, view.rule["tool_name"]
    match rule["type"]:
        case "run_first":
            yield _Lead(_START, name, "first", view=view)
        case "exit_loop":
            yield _Lead(name, _END, "ends", view=view)
        case "constrain_child_tools" | "parent_last_tool":
            kind: Kind = "follows" if rule["type"] == "constrain_child_tools" else "opens"
            for child in dict.fromkeys(rule["children"]):
                yield _Lead(name, child, kind, view=view)
        case "conditional":
            for target, label in _by_target(rule).items():
                yield _Lead(name, target, "result", label, view)


def _by_target(rule: Rule) -> dict[str, str]:
    """The label of the way to each tool: the results that lead there, or "else"."""
    results: dict[str, list[str]] = {}
    for value, target in rule["child_output_mapping"].items():
        results.setdefault(target, []).append(str(value))
    labels = {target: _label(values) for target, values in results.items()}
    return {rule["default_child"]: "else", **labels} if rule.get("default_child") else labels


def _label(values: Sequence[str]) -> str:
    text = ", ".join(values)
    return text if len(text) <= _LABEL_CHARS else f"{text[: _LABEL_CHARS - 1]}…"


def _beginnings(leads: Sequence[_Lead]) -> list[_Lead]:
    """Where a turn that no rule says how to begin would: the tools to which no rule leads, but which lead further."""
    if any(lead.kind == "first" for lead in leads):
        return []
    led_to = {lead.target for lead in leads if lead.source != lead.target}
    return [_Lead(_START, name, "free") for name in dict.fromkeys(lead.source for lead in leads) if name not in led_to]


def _absent(linked: Iterable[str], tools: Sequence[str]) -> list[str]:
    return [name for name in linked if name not in tools and name not in (_START, _END)]


def _badges(name: str, views: Sequence[RuleView]) -> list[Badge]:
    return [badge for view in views if (badge := _badge(view.rule, name, view.words))]


def _badge(rule: Rule, name: str, words: str) -> Badge | None:
    if rule["tool_name"] != name:
        return None
    match rule["type"]:
        case "max_count_per_step":
            return Badge(f"≤ {rule['max_count_limit']:,}", words)
        case "required_before_exit":
            return Badge(_("required"), words)
        case "requires_approval":
            return Badge(_("asks first"), words)
        case "continue_loop":
            return Badge(_("goes on"), words)
    return None


def _node(name: str, layout: Layout, badges: Sequence[Badge], is_absent: bool) -> Node:
    x, y = layout.places[name]
    if name in (_START, _END):
        return Node("", name.strip(), x, y)
    return Node(name, name, x, y, badges, is_absent)


def _edge(lead: _Lead, layout: Layout, number: int) -> Edge:
    path = layout.paths[number]
    return Edge(lead.source.strip(), lead.target.strip(), lead.kind, lead.label, lead.view, path.d, *path.label)


def _free(names: Sequence[str], tools: Sequence[str], views: Sequence[RuleView], layout: Layout) -> list[Node]:
    """The tools in rows as wide as the rest of the graph."""
    columns = max(_LEAST_COLUMNS, int((layout.width + _CELL_GAP) // _CELL_WIDTH))
    top = layout.height + _HEADING_HEIGHT
    return [
        Node(
            name,
            name,
            number % columns * _CELL_WIDTH,
            top + number // columns * (NODE_HEIGHT + _CELL_GAP),
            _badges(name, views),
            name not in tools,
        )
        for number, name in enumerate(names)
    ]
