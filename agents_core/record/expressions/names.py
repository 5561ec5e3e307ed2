"""The names that an expression may use: what each is at a step."""

from collections.abc import Mapping
from difflib import get_close_matches

from agents_core.record.expressions.errors import Impossible

NAMES: Mapping[str, str] = {
    "block": 'the blocks of core memory, as the model saw them: block.human, block["my notes"]; nothing for one that it did not see',
    "context": "the whole text of the request",
    "system": "the system prompt, memory included",
    "messages": "the messages in the request, each with role and text",
    "tokens": "what the request takes up: tokens.total, tokens.core …",
    "cost": "what the step cost, in USD; nothing where the price is unknown",
    "step": "the step itself: step.number, step.model …",
    "tools": "the names of the tools that the step called, in order",
    "tool": "the name of its first tool call; at a breakpoint, of the call at hand",
    "arguments": "the arguments of that call: arguments.query",
    "result": "what that call returned, as the model read it",
    "answer": "what the model said",
    "error": "what went wrong: the step's error, or that of its first failed tool call",
}

FIELDS: Mapping[str, Mapping[str, str]] = {
    "tokens": {
        "total": "all of the request, estimated",
        "system": "the instructions, with rules, files and metadata",
        "core": "the blocks of core memory",
        "tools": "the definitions of the tools",
        "messages": "the messages and tool returns",
        "summary": "the summary of evicted messages",
        "reported": "all of the request, as the provider counted it",
        "limit": "what the context window holds",
        "share": "total / limit: 0.9 is nine tenths",
    },
    "step": {
        "number": "counts from 1",
        "model": "its handle, provider/model",
        "kind": '"agent" or "summary"',
        "status": '"pending", "success", "failed" or "cancelled"',
        "stop_reason": "why the run ended with it; nothing where it went on",
        "ms": "milliseconds of the model call and the tools",
    },
}
"""The fields of the names that have a fixed set of them."""


def check_name(name: str) -> None:
    """Raises ``Impossible`` for an unknown one."""
    if name not in NAMES:
        raise Impossible(f"Unknown name `{name}`: {_instead(name, NAMES)}")


def check_field(name: str, field: str) -> None:
    """Raises ``Impossible`` for a field that ``name`` never has."""
    if name in FIELDS and field not in FIELDS[name]:
        raise Impossible(f"`{name}` has no `{field}`: {_instead(field, FIELDS[name])}")


def _instead(name: str, known: Mapping[str, str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"{f'did you mean `{close[0]}`? ' if close else ''}Known are {', '.join(known)}."
