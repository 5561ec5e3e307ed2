"""Tool rules: which tools may be called now, and whether a call ends the turn (contract: wire, section 9). Pure functions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Rule = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Allowed:
    """``names``: the tools that may be called. ``must_call``: the model has to call one. ``prefilled``: arguments
    that the rules set, by tool."""

    names: frozenset[str]
    must_call: bool = False
    prefilled: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def allowed(rules: Sequence[Rule], available: Iterable[str], called: Sequence[str], last_result: str | None) -> Allowed:
    """What may be called next, after ``called`` in this run (oldest first) of which the last returned ``last_result``.

    The rules' sets are intersected; an empty intersection means all tools.
    """
    everything = frozenset(available)
    first = [rule for rule in rules if rule["type"] == "run_first" and rule["tool_name"] in everything]
    if not called and first:
        return Allowed(frozenset(rule["tool_name"] for rule in first), True, _prefilled(first))
    names, must_call, prefilled = everything, False, {}
    for rule in rules:
        narrowed = _narrowed(rule, everything, called, last_result)
        names = names & narrowed
        if called and called[-1] == rule["tool_name"] and _forces(rule, narrowed != everything):
            must_call = True
            prefilled.update(_prefilled(rule.get("child_arg_nodes") or []))
    return Allowed(names or everything, must_call, prefilled)


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
    for value, tool in rule["child_output_mapping"].items():
        if last_result is not None and last_result.strip().lower() == str(value).strip().lower():
            return frozenset({tool})
    if rule.get("require_output_mapping"):
        return frozenset()
    return frozenset({rule["default_child"]}) if rule.get("default_child") else everything


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
            cases = ", ".join(f"{value!s} → {tool}" for value, tool in rule["child_output_mapping"].items())
            return f"What {name} returns decides the next tool: {cases}."
        case "max_count_per_step":
            return f"Call {name} at most {rule['max_count_limit']} times in a turn."
    return ""
