"""Whether an agent's tool rules are ones that the loop can follow (contract: wire, section 9)."""

from collections.abc import Mapping, Sequence
from typing import Any

from agents_core.errors import InvalidInput
from agents_core.models import Tool, ToolType
from agents_core.runtime.policy import ENDING_TOOLS

_NEEDED: dict[str, tuple[tuple[str, type], ...]] = {
    "run_first": (),
    "exit_loop": (),
    "continue_loop": (),
    "constrain_child_tools": (("children", list),),
    "parent_last_tool": (("children", list),),
    "conditional": (("child_output_mapping", dict),),
    "max_count_per_step": (("max_count_limit", int),),
    "required_before_exit": (),
    "requires_approval": (),
}


_NAMING: dict[str, type] = {"children": list, "child_output_mapping": dict, "default_child": str}
"""What names other tools, in a rule of any type."""


def approval_rule(tool_name: str) -> dict[str, Any]:
    """The rule that lets the calls of a tool wait for a person."""
    return {"type": "requires_approval", "tool_name": tool_name}


def checked_rules(rules: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rules as they are stored. Raises ``InvalidInput`` naming what is wrong."""
    for rule in rules:
        _check(rule)
    return [dict(rule) for rule in rules]


def with_base_rules(rules: Sequence[Mapping[str, Any]], tools: Sequence[Tool]) -> list[dict[str, Any]]:
    """``rules``, and one for each builtin tool among ``tools`` that has none: whether it ends the turn.

    Source: contract, agent-loop section 1.
    """
    ruled = {rule["tool_name"] for rule in rules}
    own = [tool.name for tool in tools if tool.tool_type in _RULED and tool.name not in ruled]
    kinds = {name: "exit_loop" if name in ENDING_TOOLS else "continue_loop" for name in own}
    return [*(dict(rule) for rule in rules), *({"tool_name": name, "type": kind} for name, kind in kinds.items())]


_RULED = (ToolType.CORE, ToolType.MEMORY, ToolType.SLEEPTIME, ToolType.VOICE_SLEEPTIME, ToolType.MULTI_AGENT)


def _check(rule: Mapping[str, Any]) -> None:
    kind = rule.get("type")
    if kind not in _NEEDED:
        raise InvalidInput(f"There is no tool rule of type {kind!r}. Known: {', '.join(_NEEDED)}.")
    for name, needed in (("tool_name", str), *_NEEDED[kind]):
        if not isinstance(rule.get(name), needed) or rule[name] == "":
            raise InvalidInput(f"A tool rule of type {kind} needs {name}, a {needed.__name__}.")
    if rule.get("max_count_limit", 0) < 0:
        raise InvalidInput("max_count_limit of a tool rule is how often the tool may be called in a turn: 0 or more.")
    for name, needed in _NAMING.items():
        if rule.get(name) is not None and not isinstance(rule[name], needed):
            raise InvalidInput(f"{name} of a tool rule is a {needed.__name__}, not {rule[name]!r:.100}.")
    named = [*(rule.get("children") or []), *(rule.get("child_output_mapping") or {}).values()]
    if not all(isinstance(name, str) for name in named):
        raise InvalidInput(f"A tool rule of type {kind} names other tools by strings, not {named!r}.")
