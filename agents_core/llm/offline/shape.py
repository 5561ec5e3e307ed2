"""A decision as the agent's kind wants it: by send_message, with heartbeats, with a forced tool, or as JSON."""

import json
from typing import Any

from agents_core.llm.offline import schema
from agents_core.llm.offline.edits import EDITORS
from agents_core.llm.offline.turn import FINISH_TOOLS, MESSAGE_TOOL, Call, Move, Turn
from agents_core.llm.types import ToolSpec

_THOUGHTS = ("thinking", "inner_thoughts")
_HEARTBEAT = "request_heartbeat"


def shaped(turn: Turn, move: Move) -> Move:
    """The move that goes out: calls the request allows, or the text in the form it asks for."""
    forced = turn.tools.get(turn.request.tool_choice)
    if forced:
        return _calling(turn, move, [_forced_call(turn, move, forced)])
    allowed = [call for call in move.calls if call[0] in turn.tools]
    if allowed:
        kept = allowed if turn.request.parallel_tool_calls else allowed[:1]
        return _calling(turn, move, kept, again=True)
    return _ending(turn, Move(move.why, _formatted(turn, move.text)))


def _forced_call(turn: Turn, move: Move, tool: ToolSpec) -> Call:
    planned = next((call for call in move.calls if call[0] == tool.name), None)
    if planned:
        return planned
    if tool.name == MESSAGE_TOOL:
        return MESSAGE_TOOL, {"message": _formatted(turn, move.text) or "One moment."}
    return tool.name, _filled(turn, tool)


def _ending(turn: Turn, move: Move) -> Move:
    text = move.text or "Done."
    for finish in FINISH_TOOLS:
        if finish in turn.tools and not turn.called(finish):
            return _calling(turn, move, [(finish, {})])
    if MESSAGE_TOOL in turn.tools and (not turn.called(MESSAGE_TOOL) or turn.request.tool_choice == "required"):
        return _calling(turn, move, [(MESSAGE_TOOL, {"message": text})])
    if turn.tools and turn.request.tool_choice == "required":
        # Rather one that was not called yet, and no memory is written over with what was said.
        tool = min(turn.tools.values(), key=lambda tool: (tool.name in EDITORS, turn.called(tool.name) is not None))
        return _calling(turn, move, [(tool.name, _filled(turn, tool))])
    return Move(move.why, text)


def _filled(turn: Turn, tool: ToolSpec) -> dict[str, Any]:
    known = schema.properties(tool.parameters)
    needed = [name for name in schema.required(tool.parameters) if name in known]
    value = schema.filled(tool.parameters, turn.said or "hello")
    return {name: value[name] for name in needed if isinstance(value, dict) and name in value}


def _calling(turn: Turn, move: Move, calls: list[Call], *, again: bool = False) -> Move:
    return Move(move.why, calls=tuple((name, _completed(turn, name, given, move.why, again)) for name, given in calls))


def _completed(turn: Turn, name: str, given: dict[str, Any], why: str, again: bool) -> dict[str, Any]:
    """With the arguments that the agent loop adds to tools: a thought at the front, a heartbeat at the end."""
    known = schema.properties(turn.tools[name].parameters)
    thoughts = {thought: why for thought in _THOUGHTS if thought in known}
    heartbeat = {_HEARTBEAT: again} if _HEARTBEAT in known else {}
    return {**thoughts, **{key: value for key, value in given.items() if key not in _THOUGHTS}, **heartbeat}


# --- JSON answers ---------------------------------------------------------------------------------


def _formatted(turn: Turn, text: str) -> str:
    wanted = turn.request.response_format or {}
    match wanted.get("type"):
        case "json_object":
            return json.dumps({"answer": text}, ensure_ascii=False)
        case "json_schema":
            inner = wanted.get("json_schema")
            form = inner.get("schema", {}) if isinstance(inner, dict) else {}
            return json.dumps(schema.filled(form, text), ensure_ascii=False)
        case _:
            return text
