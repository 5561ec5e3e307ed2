"""How a tool is offered to an agent of a kind: with the arguments that are the loop's, and the format that its words must have."""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from agents_core.llm.types import ChatMessage, Text, ToolCall, ToolSpec
from agents_core.runtime.state import AgentFacts, ToolFacts
from agents_core.tools import rules
from agents_core.tools.execute import read_arguments

THINKING = "thinking"
"""The argument that holds the agent's thoughts (contract: agent-loop, section 2, "Inner thoughts")."""

_HEARTBEAT = {
    "type": "boolean",
    "description": "True when you want to be called again at once with the result; false ends your turn.",
}
_THINKING = {
    "type": "string",
    "description": "What you think before you make this call, in a few words. Nobody else sees it.",
}
_SPEAKING, _WORDS = "send_message", "message"


def offered_as(agent: AgentFacts, tool: ToolFacts) -> ToolSpec:
    """The tool as the agent's model sees it."""
    parameters = tool.parameters
    if agent.policy.heartbeats:
        if tool.name == _SPEAKING and (schema := _answer_schema(agent.answer_format)):
            parameters = _with_property(parameters, _WORDS, schema)
        if tool.name not in agent.policy.exit_tools and not rules.ends_turn(agent.tool_rules, tool.name):
            parameters = _required(_with_property(parameters, "request_heartbeat", _HEARTBEAT), "request_heartbeat")
    if agent.thinks_in_arguments:
        parameters = _first(parameters, THINKING, _THINKING)
    return ToolSpec(tool.name, tool.description or "", parameters)


def _answer_schema(answer_format: dict[str, Any] | None) -> dict[str, Any] | None:
    """The schema of what is said, for a JSON format."""
    if answer_format is None:
        return None
    given = (answer_format.get("json_schema") or {}).get("schema")
    return given or {"type": "object", "description": "The answer as a JSON object.", "additionalProperties": True}


def _with_property(parameters: dict[str, Any], name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {**parameters, "properties": {**parameters.get("properties", {}), name: schema}}


def _required(parameters: dict[str, Any], name: str) -> dict[str, Any]:
    return {**parameters, "required": [*parameters.get("required", []), name]}


def _first(parameters: dict[str, Any], name: str, schema: dict[str, Any]) -> dict[str, Any]:
    properties = {name: schema, **parameters.get("properties", {})}
    return {**parameters, "properties": properties, "required": [name, *parameters.get("required", [])]}


# --- thoughts in arguments -----------------------------------------------------------------------------------------


def without_thoughts(answer: ChatMessage) -> ChatMessage:
    """``answer`` with the thoughts of its calls as its text, unless it has a text."""
    parted = [_parted(call) for call in answer.tool_calls]
    thoughts = _joined(thought for thought, _ in parted)
    parts = answer.parts if answer.text.strip() or not thoughts else (*answer.parts, Text(thoughts))
    return replace(answer, parts=parts, tool_calls=tuple(call for _, call in parted))


def _parted(call: ToolCall) -> tuple[str, ToolCall]:
    arguments = read_arguments(call.arguments)
    if THINKING not in arguments:
        return "", call
    thought = str(arguments.pop(THINKING))
    return thought, replace(call, arguments=json.dumps(arguments, ensure_ascii=False))


def with_thoughts(message: ChatMessage) -> ChatMessage:
    """An earlier answer as its model wrote it: what it thought stands in its first call again."""
    thoughts = message.text
    if message.role != "assistant" or not message.tool_calls or not thoughts.strip():
        return message
    first, *others = message.tool_calls
    arguments = json.dumps({THINKING: thoughts, **read_arguments(first.arguments)}, ensure_ascii=False)
    parts = tuple(part for part in message.parts if not isinstance(part, Text))
    return replace(message, parts=parts, tool_calls=(replace(first, arguments=arguments), *others))


def _joined(texts: Iterable[str]) -> str:
    return "\n".join(text for text in texts if text.strip())
