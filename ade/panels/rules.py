"""An agent's tool rules as a graph: drawn, edited, simulated call by call, and searched for what is wrong with them."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ade.address import query, text
from ade.agent_forms import RuleForm
from ade.panels.base import Panel
from ade.panels.settings import tool_names
from ade.rule_calls import read, written
from ade.rule_graph import Node, RuleGraph, graph_of
from ade.rule_words import RuleView, rule_views
from agents_core.runtime.simulation import Ending, JudgedCall, RuledAgent, SimulatedCall, Simulation, simulate
from agents_core.tools.rule_findings import Finding, findings, named_tools
from agents_core.tools.rules import reason, told_apart

VIEWS = {"simulate": gettext_noop("Simulate"), "edit": gettext_noop("Edit"), "problems": gettext_noop("Problems")}
ZOOMS = ("50", "75", "100", "125")
"""Percent."""
PARAMS = ("view", "node", "rule", "calls")


@dataclass(frozen=True, slots=True)
class ToolView:
    """A tool at this point of the simulation. ``state``: "must", "may", "not" or, once the turn has ended, "over". ``turns``: which of the
    calls were its, counted from 1. ``prefilled``: arguments that the rules set, as JSON."""

    node: Node
    state: str
    turns: Sequence[int]
    reasons: Sequence[str]
    rules: Sequence[RuleView]
    prefilled: str
    href: str
    is_chosen: bool

    @property
    def words(self) -> str:
        """The tool and what of it stands now, as a tooltip and a screen reader tell it."""
        now = {
            "must": _("one of those that have to be called now"),
            "may": _("may be called now"),
            "not": _("may not be called now"),
        }
        told = [now.get(self.state, _("the turn has ended")), *self.reasons]
        if self.turns:
            told.insert(0, _("call {turns}").format(turns=", ".join(str(turn) for turn in self.turns)))
        return "; ".join([self.node.tool, *told, *(badge.words for badge in self.node.badges)])


@dataclass(frozen=True, slots=True)
class CallView:
    """A call of the sequence. ``href`` goes back to the point right after it."""

    judged: JudgedCall
    href: str

    @property
    def ends_unless_heartbeat(self) -> bool:
        return self.judged.ending is Ending.UNLESS_HEARTBEAT

    @property
    def ends(self) -> bool:
        return self.judged.ending is Ending.ENDS


@dataclass(frozen=True, slots=True)
class Choice:
    """Something else that the last call might have returned."""

    label: str
    href: str
    is_chosen: bool


class RulesPanel(Panel):
    """``params``: ``calls`` is the simulated sequence (``ade.rule_calls``), ``view`` one of ``VIEWS``, ``node`` the tool that is chosen,
    ``rule`` the mark of a rule of it."""

    slug = "rules"
    title = gettext_noop("Rules")
    follows = frozenset({"agent.changed"})

    @cached_property
    def calls(self) -> list[SimulatedCall]:
        return read(self.params.get("calls", ""))

    @property
    def view(self) -> str:
        asked = self.params.get("view", "")
        return asked if asked in VIEWS else next(iter(VIEWS))

    def href(self, **changes: str | None) -> str:
        """The page's address with ``changes`` made."""
        params = {**self.params, "calls": written(self.calls), "view": self.view, **changes}
        if params["view"] == next(iter(VIEWS)):
            del params["view"]
        asked = query({name: value for name, value in params.items() if value is not None}, PARAMS)
        return f"/agents/{self.agent.id}/rules{'?' if asked else ''}{asked}"

    @property
    def address(self) -> str:
        return self.href()

    def context(self) -> dict[str, Any]:
        names, views = (
            tool_names(self.agent),
            list({view.key: view for view in rule_views(self.agent.tool_rules)}.values()),
        )
        ruled = RuledAgent(self.agent.tool_rules, self.agent.agent_type)
        now = simulate(ruled, names, self.calls)
        graph = graph_of(names, views)
        tools = self._tools(graph, now, views)
        chosen = next((tool for tool in tools if tool.is_chosen), None)
        return {
            "params": self.href().partition("?")[2],
            "here": self.href(),
            "view": self.view,
            "views": [(name, _(title), self._to_view(name)) for name, title in VIEWS.items()],
            "graph": graph,
            "zooms": ZOOMS,
            "begins": any(edge.kind == "first" for edge in graph.edges),
            "speaks": ruled.closing.speaks,
            "turn": [node for node in graph.nodes if not node.tool],
            "edges": [(edge, self._to_rule(edge.view)) for edge in graph.edges],
            "tools": tools,
            "held": len(names),
            "chosen": chosen,
            "findings": self._findings(ruled, names),
            **self._simulated(now, tools),
            **self._edited(chosen, names, views),
        }

    def _tools(self, graph: RuleGraph, now: Simulation, views: Sequence[RuleView]) -> list[ToolView]:
        """All tools, in the order in which the keyboard goes through them: along the graph, then through those in no order."""
        linked = sorted((node for node in graph.nodes if node.tool), key=lambda node: (node.y, node.x))
        return [self._tool(node, now, views) for node in (*linked, *graph.free)]

    def _tool(self, node: Node, now: Simulation, views: Sequence[RuleView]) -> ToolView:
        name = node.tool
        against = now.forbidding.get(name, ())
        reasons = (
            [_("The agent does not have it.")]
            if node.is_missing
            else [reason(rule, name, now.last_result) for rule in against]
        )
        prefilled = now.allowed.prefilled.get(name)
        return ToolView(
            node,
            _state(name, now),
            [turn for turn, judged in enumerate(now.judged, start=1) if judged.call.name == name],
            [] if now.ended else list(dict.fromkeys(reasons)),
            [view for view in views if view.rule["tool_name"] == name],
            json.dumps(prefilled, ensure_ascii=False) if prefilled else "",
            self._on_click(name, now),
            name == text(self.params, "node"),
        )

    def _to_view(self, name: str) -> str:
        return self.href(view=name) if name == "edit" else self.href(view=name, rule=None)

    def _to_rule(self, view: RuleView | None) -> str:
        return self.href(view="edit", node=view.rule["tool_name"], rule=view.mark) if view else ""

    def _on_click(self, name: str, now: Simulation) -> str:
        """In a simulation a tool that may be called is; any other is chosen."""
        if self.view == "simulate" and not now.ended and name in now.allowed.names:
            return self.href(calls=written([*self.calls, SimulatedCall(name)]), node=None, rule=None)
        return self.href(node=name, rule=None)

    def _findings(self, ruled: RuledAgent, names: Sequence[str]) -> list[tuple[Finding, str]]:
        found = findings(ruled.tool_rules, names, ruled.closing)
        return [(each, self.href(view="edit", node=each.tool_name) if each.tool_name else "") for each in found]

    # --- the simulation -----------------------------------------------------------------------------------------

    def _simulated(self, now: Simulation, tools: Sequence[ToolView]) -> dict[str, Any]:
        return {
            "now": now,
            "calls": [CallView(judged, self._at(self.calls[: number + 1])) for number, judged in enumerate(now.judged)],
            "allowed": [tool for tool in tools if tool.state in ("must", "may")],
            "forbidden": _by_reasons(tool for tool in tools if tool.state == "not"),
            "undo": self._at(self.calls[:-1]),
            "reset": self._at([]),
            "returned": self._returned(now),
        }

    def _at(self, calls: Sequence[SimulatedCall]) -> str:
        return self.href(view="simulate", calls=written(calls), node=None, rule=None)

    def _returned(self, now: Simulation) -> list[Choice]:
        """What the last call might return, as far as that makes a difference."""
        if not now.judged or now.judged[-1].refused or now.judged[-1].beyond:
            return []
        last = self.calls[-1]
        known = told_apart(self.agent.tool_rules, last.name)
        results = [*known, *([] if last.result in known else [last.result])]
        words: dict[str | None, str] = {None: _("anything else") if len(known) > 1 else _("a result")}
        choices = [(words.get(result, str(result)), replace(last, result=result, failed=False)) for result in results]
        choices.append((_("an error"), replace(last, result=None, failed=True)))
        return [
            Choice(label, self._at([*self.calls[:-1], call]), call == last or (last.failed and call.failed))
            for label, call in choices
        ]

    # --- editing ------------------------------------------------------------------------------------------------

    def _edited(self, chosen: ToolView | None, names: Sequence[str], views: Sequence[RuleView]) -> dict[str, Any]:
        name = chosen.node.tool if chosen else ""
        return {
            "form": RuleForm(names=list(names), initial={"tool_name": name}),
            "leading": [view for view in views if name in named_tools(view.rule) and view.rule["tool_name"] != name],
            "marked": text(self.params, "rule"),
        }


def _state(name: str, now: Simulation) -> str:
    if now.ended:
        return "over"
    if name not in now.allowed.names:
        return "not"
    return "must" if now.allowed.must_call else "may"


def _by_reasons(tools: Iterable[ToolView]) -> list[tuple[Sequence[str], list[ToolView]]]:
    """The tools that may not be called for the same reasons, together."""
    grouped: dict[tuple[str, ...], list[ToolView]] = {}
    for tool in tools:
        grouped.setdefault(tuple(tool.reasons), []).append(tool)
    return list(grouped.items())
