"""Tool rules: which tools may be called now, and whether a call ends the turn (contract: wire, section 9). Pure functions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Rule = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Allowed:
    """``names``: the tools that may be called. ``must_call``: the model has to call one. ``prefilled``: arguments
    that the rules set, by tool. ``contradicted``: the rules leave no tool, which is why all may be called."""

    names: frozenset[str]
    must_call: bool = False
    prefilled: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    contradicted: bool = False


def allowed(rules: Sequence[Rule], available: Iterable[str], called: Sequence[str], last_result: str | None) -> Allowed:
    """What may be called next, after ``called`` in this run (oldest first) of which the last returned ``last_result``.

    The rules' sets are intersected; an empty intersection means all tools.
    """
    everything = frozenset(available)
    if first := _opening(rules, everything, called):
        return Allowed(frozenset(rule["tool_name"] for rule in first), True, _prefilled(first))
    names, must_call, prefilled = everything, False, {}
    for rule in rules:
        narrowed = _narrowed(rule, everything, called, last_result)
        names = names & narrowed
        if called and called[-1] == rule["tool_name"] and _forces(rule, narrowed != everything):
            must_call = True
            prefilled.update(_prefilled(rule.get("child_arg_nodes") or []))
    return Allowed(names or everything, must_call, prefilled, contradicted=not names and bool(everything))


def forbidding(
    rules: Sequence[Rule], available: Iterable[str], called: Sequence[str], last_result: str | None
) -> dict[str, list[Rule]]:
    """The rules for which each tool that ``allowed`` leaves out may not be called now, by tool; the arguments are the same."""
    everything = frozenset(available)
    names = allowed(rules, everything, called, last_result).names
    if first := _opening(rules, everything, called):
        return dict.fromkeys(everything - names, first)
    left = [(rule, _narrowed(rule, everything, called, last_result)) for rule in rules]
    return {name: [rule for rule, leaves in left if name not in leaves] for name in everything - names}


def reason(rule: Rule, name: str, last_result: str | None) -> str:
    """Why ``rule`` forbids the tool ``name`` now, as a sentence; ``rule`` is one of those that ``forbidding`` gives."""
    own, children = rule["tool_name"], rule.get("children") or []
    match rule["type"]:
        case "run_first":
            return f"{own} is to be called first."
        case "max_count_per_step":
            return f"{name} was called as often as a turn allows: {rule['max_count_limit']} times."
        case "parent_last_tool" if name in children:
            return f"{name} may be called only right after {own}."
        case "conditional":
            leads = ", ".join(_conditional(rule, frozenset(), last_result)) or "no tool"
            return f"{own} returned {_clipped(last_result)}, after which only {leads} may be called."
    return f"After {own} only these may be called: {', '.join(children) or 'none'}."


def _clipped(result: str | None) -> str:
    return (
        "something else"
        if result is None
        else repr(result if len(result) <= _SHOWN_CHARS else f"{result[:_SHOWN_CHARS]}…")
    )


_SHOWN_CHARS = 60


def _opening(rules: Sequence[Rule], everything: frozenset[str], called: Sequence[str]) -> list[Rule]:
    """The rules of the tools of which one has to be called now, before all others."""
    return [rule for rule in rules if not called and rule["type"] == "run_first" and rule["tool_name"] in everything]


def _forces(rule: Rule, narrows: bool) -> bool:
    """Whether a tool has to be called right after the rule's own."""
    return rule["type"] in ("constrain_child_tools", "parent_last_tool") or (rule["type"] == "conditional" and narrows)


def _narrowed(rule: Rule, everything: frozenset[str], called: Sequence[str], last_result: str | None) -> frozenset[str]:
    """The tools that one rule leaves."""
    is_last = bool(called) and called[-1] == rule["tool_name"]
    children = frozenset(rule.get("children") or [])
    match rule["type"]:
        case "constrain_child_tools" if is_last:
            return children
        case "parent_last_tool":
            return children if is_last else everything - children
        case "conditional" if is_last:
            return _conditional(rule, everything, last_result)
        case "max_count_per_step" if called.count(rule["tool_name"]) >= rule["max_count_limit"]:
            return everything - {rule["tool_name"]}
    return everything


def _conditional(rule: Rule, everything: frozenset[str], last_result: str | None) -> frozenset[str]:
    tool = None if last_result is None else _by_result(rule).get(_compared(last_result))
    if tool is not None:
        return frozenset({tool})
    if rule.get("require_output_mapping"):
        return frozenset()
    return frozenset({rule["default_child"]}) if rule.get("default_child") else everything


def _by_result(rule: Rule) -> dict[str, str]:
    found: dict[str, str] = {}
    for value, tool in rule["child_output_mapping"].items():
        found.setdefault(_compared(value), tool)
    return found


def _compared(value: object) -> str:
    return str(value).strip().lower()


def told_apart(rules: Sequence[Rule], name: str) -> list[str | None]:
    """Results of the tool, one for each way in which the rules let a turn go on after it; None: one that no rule names."""
    mappings = [_by_result(rule) for rule in rules if rule["type"] == "conditional" and rule["tool_name"] == name]
    ways: dict[tuple[str | None, ...], str | None] = {(None,) * len(mappings): None}
    for value in (value for mapping in mappings for value in mapping):
        ways.setdefault(tuple(mapping.get(value) for mapping in mappings), value)
    return list(ways.values())


def _prefilled(nodes: Iterable[Rule]) -> dict[str, Mapping[str, Any]]:
    return {(node.get("tool_name") or node["name"]): node["args"] for node in nodes if node.get("args")}


def ends_turn(rules: Sequence[Rule], name: str) -> bool:
    return any(rule["type"] == "exit_loop" and rule["tool_name"] == name for rule in rules)


def needs_approval(rules: Sequence[Rule], name: str) -> bool:
    return any(rule["type"] == "requires_approval" and rule["tool_name"] == name for rule in rules)


def goes_on(rules: Sequence[Rule], name: str) -> bool:
    """Whether the turn goes on after ``name`` even where a heartbeat was not asked for."""
    kinds = {"continue_loop", "constrain_child_tools", "parent_last_tool", "conditional"}
    return any(rule["type"] in kinds and rule["tool_name"] == name for rule in rules)


def required_before_exit(rules: Sequence[Rule], called: Sequence[str]) -> list[str]:
    """The tools that have to be called before the turn may end, and were not."""
    return [
        rule["tool_name"]
        for rule in rules
        if rule["type"] == "required_before_exit" and rule["tool_name"] not in called
    ]


def sentences(rules: Sequence[Rule]) -> list[str]:
    """The rules in words, for the system prompt; those that the model need not know are left out."""
    return [sentence for rule in rules if (sentence := _sentence(rule))]


def _sentence(rule: Rule) -> str:
    name = rule["tool_name"]
    children = ", ".join(rule.get("children") or [])
    match rule["type"]:
        case "run_first":
            return f"Call {name} before any other tool."
        case "exit_loop":
            return f"Calling {name} ends your turn."
        case "continue_loop":
            return f"After {name} you are called again."
        case "constrain_child_tools":
            return f"After {name} only these may be called: {children}."
        case "parent_last_tool":
            return f"{children} may be called only right after {name}."
        case "conditional":
            ways = [
                *rule["child_output_mapping"].items(),
                *([("else", rule["default_child"])] if rule.get("default_child") else []),
            ]
            cases = ", ".join(f"{value!s} → {tool}" for value, tool in ways)
            return f"What {name} returns decides the next tool: {cases}."
        case "max_count_per_step":
            return f"Call {name} at most {rule['max_count_limit']} times in a turn."
    return ""
