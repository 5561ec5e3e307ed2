"""What is wrong with an agent's tool rules. Pure functions.

Only what is certain is told: where it is not clear whether a tool can be called or a turn can end, it is taken for granted that it can.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from agents_core.tools.rules import Allowed, Rule, allowed, ends_turn, goes_on, told_apart


@dataclass(frozen=True, slots=True)
class Closing:
    """How the turns of an agent may end, beside the rules. ``speaks``: by an answer without a call. ``heartbeats``: by a call that does not
    ask for one. ``tools``: by a call of one of these."""

    speaks: bool = True
    heartbeats: bool = False
    tools: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong, as a sentence that says what to do. ``tool_name``: the tool that it is about, "" for all of the rules.
    ``is_bad``: turns go wrong by it; else a rule or a tool is of no use."""

    kind: Literal["missing", "unreachable", "required", "endless", "contradiction"]
    tool_name: str
    text: str
    is_bad: bool


State = tuple[str, str | None] | None
"""The last call of a turn and what it returned; None before the first call."""
Results = Mapping[str, Sequence[str | None]]
"""What each tool may return, as far as the rules tell it apart."""


def findings(rules: Sequence[Rule], tools: Iterable[str], closing: Closing) -> list[Finding]:
    """All findings about ``rules`` of an agent that has ``tools``, the bad ones first."""
    available = frozenset(tools)
    results = {name: told_apart(rules, name) for name in available}
    states = _reachable(rules, results)
    found = [
        *_missing(rules, available),
        *_uncallable(rules, available, states),
        *_contradictions(states),
        *_endless(rules, closing, states, results),
    ]
    return sorted(found, key=lambda finding: not finding.is_bad)


# --- what a rule names ------------------------------------------------------------------------------------------------


def named_tools(rule: Rule) -> list[str]:
    """The tools that a rule leads to, each once: children, those of its results, and its default."""
    mapped = (rule.get("child_output_mapping") or {}).values()
    default = [rule["default_child"]] if rule.get("default_child") else []
    return list(dict.fromkeys([*(rule.get("children") or []), *mapped, *default]))


def _missing(rules: Sequence[Rule], available: frozenset[str]) -> list[Finding]:
    """Rules about tools that the agent does not have."""
    found = []
    for rule in rules:
        absent = [name for name in (rule["tool_name"], *named_tools(rule)) if name not in available]
        if absent and rule["type"] != "required_before_exit":
            words = rule["type"].replace("_", " ")
            text = _MISSING.format(words, rule["tool_name"], _listed(absent))
            found.append(Finding("missing", rule["tool_name"], text, is_bad=False))
    return list(dict.fromkeys(found))


_MISSING = "The agent does not have {2}, of which its rule “{0}” for {1} speaks: attach it or take the rule away."


# --- what can happen --------------------------------------------------------------------------------------------------


def _reachable(rules: Sequence[Rule], results: Results) -> dict[State, Allowed]:
    """The states that a turn can come to, and what may be called in each.

    A tool that ends the turn may fail, and then the turn goes on. No rule but those of counts looks further back than the last call, and
    where a way leads to a tool, one does that calls none twice. So a count matters only where it is 0, or where the counts may leave no
    tool: there all tools are taken for allowed.
    """
    counting = {
        rule["tool_name"] for rule in rules if rule["type"] == "max_count_per_step" and rule["max_count_limit"] > 0
    }
    timeless = [rule for rule in rules if rule["type"] != "max_count_per_step" or rule["max_count_limit"] <= 0]
    available = frozenset(results)
    states: dict[State, Allowed] = {}
    ahead: list[State] = [None]
    while ahead:
        state = ahead.pop()
        if state in states:
            continue
        name, result = state or (None, None)
        now = allowed(timeless, available, [name] if name else [], result)
        if now.names and now.names <= counting:
            now = Allowed(available, now.must_call)
        states[state] = now
        ahead += [(called, result) for called in sorted(now.names) for result in results[called]]
    return states


def _uncallable(rules: Sequence[Rule], available: frozenset[str], states: Mapping[State, Allowed]) -> list[Finding]:
    """Tools that no turn can call, those without which no turn may end, and rules that require one that is not there."""
    callable_names = frozenset[str]().union(*(now.names for now in states.values()))
    required = {rule["tool_name"]: None for rule in rules if rule["type"] == "required_before_exit"}
    never = [name for name in required if name not in callable_names]
    return [
        *(Finding("required", name, _REQUIRED.format(name), is_bad=True) for name in never),
        *(
            Finding("unreachable", name, _UNREACHABLE.format(name), is_bad=False)
            for name in sorted(available - callable_names)
            if name not in never
        ),
    ]


_REQUIRED = (
    "No turn may end before {0} was called, and {0} can never be called: attach it, let a rule lead to it, or take the "
    "requirement away."
)
_UNREACHABLE = "The rules never let {0} be called: let one lead to it, or detach it."


def _contradictions(states: Mapping[State, Allowed]) -> list[Finding]:
    """Where the rules leave no tool, so that none of them holds."""
    after: dict[str, list[str | None]] = {}
    for state in (state for state, now in states.items() if now.contradicted):
        name, result = state or ("", None)
        after.setdefault(name, []).append(result)
    return [
        Finding("contradiction", name, _contradiction(name, results), is_bad=True) for name, results in after.items()
    ]


def _contradiction(name: str, results: Sequence[str | None]) -> str:
    if not name:
        return "The rules leave no tool for the first call, so every tool may be called: take one of them away."
    told = [repr(result) for result in results if result is not None]
    when = "" if None in results else f" returned {_listed(told, 'or')}"
    return f"After {name}{when} the rules leave no tool in common, so every tool may be called: change one of them."


# --- whether it can end -----------------------------------------------------------------------------------------------


def _endless(
    rules: Sequence[Rule], closing: Closing, states: Mapping[State, Allowed], results: Results
) -> list[Finding]:
    """The tools after which a turn cannot end any more."""
    ending = {state for state, now in states.items() if _may_end(rules, closing, state, now)}
    while more := {state for state, now in states.items() if state not in ending and _leads_to(ending, now, results)}:
        ending |= more
    stuck = list(dict.fromkeys(state[0] for state in states if state is not None and state not in ending))
    if None not in ending and results:
        return [Finding("endless", "", _NEVER_ENDS, is_bad=True)]
    return [Finding("endless", "", _STUCK.format(_listed(sorted(stuck), "or")), is_bad=True)] if stuck else []


_NEVER_ENDS = (
    "No turn can end: every way goes on to another call. Let a tool end the turn, or let one that is not forced follow."
)
_STUCK = (
    "After {0} the turn can no longer end: every way from there goes on to another call. Let one of these tools end it."
)


def _may_end(rules: Sequence[Rule], closing: Closing, state: State, now: Allowed) -> bool:
    if closing.speaks and not now.must_call:
        return True
    if state is None:
        return False
    name = state[0]
    return ends_turn(rules, name) or (closing.heartbeats and (name in closing.tools or not goes_on(rules, name)))


def _leads_to(ending: set[State], now: Allowed, results: Results) -> bool:
    return any((name, result) in ending for name in now.names for result in results[name])


def _listed(names: Iterable[Any], joining: str = "and") -> str:
    """The names as a person would list them, the first few of many."""
    *some, last = [str(name) for name in names]
    if len(some) >= _LISTED:
        some, last = some[:_LISTED], f"{len(some) + 1 - _LISTED} more"
    return f"{', '.join(some)} {joining} {last}" if some else last


_LISTED = 6
