"""A step that stood after its model's answer, as it goes on: its calls as they were planned, with what people made of them since."""

from collections.abc import Mapping
from json import dumps
from typing import Any

from agents_core.llm.types import ToolCall
from agents_core.models import PauseStage, Role, ToolCallStatus, pipeline
from agents_core.models.pipeline import Statement
from agents_core.runtime.calls import PlannedCall
from agents_core.runtime.finishing import Answered
from agents_core.runtime.pausing import refused_by_person, take_back
from agents_core.runtime.persist import NewMessage
from agents_core.runtime.state import StoredMessage, Turn
from agents_core.runtime.transcript import INTERRUPTED
from agents_core.tools.base import ToolResult
from agents_core.tools.execute import read_arguments

_CALLS = "SELECT call_id, position, status, arguments, result FROM tool_call WHERE step_id = %s ORDER BY position"


async def taken_up(turn: Turn, started: float) -> Answered:
    """The answered step in which the turn stood. ``started``: when it goes on, by ``time.perf_counter``."""
    suspended = turn.suspended or {}
    message_id = suspended["message_id"]
    stored = next((message for message in turn.messages if message.id == message_id), None)
    message = stored or StoredMessage(message_id, Role.ASSISTANT, [])  # an empty answer is not stored
    rows = (await pipeline.run([Statement(_CALLS, (turn.step_id,))]))[0]
    made = {call["id"]: call for call in message.tool_calls}
    planned = [_planned(turn, made[row[0]], row, suspended) for row in rows if row[0] in made]
    return Answered(
        turn,
        NewMessage(message_id, message.role, message.content, message.tool_calls),
        planned,
        started,
        suspended["finish_reason"],
        passed=PauseStage(suspended["stage"]),
        told=suspended["stage"] == PauseStage.RESULTS or any(row[2] == ToolCallStatus.INTENDED for row in rows),
    )


def _planned(
    turn: Turn,
    call: Mapping[str, Any],
    row: tuple[str, int, str, dict[str, Any], str | None],
    suspended: Mapping[str, Any],
) -> PlannedCall:
    call_id, position, status, arguments, result = row
    changes = suspended.get("changes", {}).get(call_id, {})
    heartbeat = bool(read_arguments(call["arguments"]).get("request_heartbeat"))
    made = ToolCall(call_id, call["name"], call["arguments"])
    plan = PlannedCall(made, position, turn.tools.get(call["name"]), changes.get("arguments", arguments), heartbeat)
    if plan.arguments != arguments:
        plan.note = f"A person changed the arguments; it ran with {dumps(plan.arguments, ensure_ascii=False)}."
    take_back(plan, suspended.get("calls", {}).get(call_id, {}))
    if status == ToolCallStatus.ERROR:
        plan.refused, plan.result = True, ToolResult("error", result or "")
    elif status == ToolCallStatus.INTENDED and plan.has_effects:  # by a worker that died
        plan.result = ToolResult("error", INTERRUPTED)
    elif "refused" in changes:
        plan.ran, plan.result = None, refused_by_person(changes["refused"])
    elif plan.tool is None:
        plan.result = ToolResult("error", f"Tool not found: {plan.call.name}: it was detached meanwhile.")
    elif "result" in changes and plan.result is None and plan.ran is None and suspended["stage"] == PauseStage.ANSWER:
        plan.result = ToolResult(changes["status"], changes["result"])
    return plan
