"""Causes: the message that made an agent take a step, and so write what it wrote in it."""

from collections.abc import Iterable
from dataclasses import dataclass

from agents_core.memory.recall.turns import spoken_text
from agents_core.models import Message, Step
from agents_core.models.pipeline import Statement, run_sync


@dataclass(frozen=True, slots=True)
class Cause:
    """A message that was said to ``agent_id``, as its reader reads it. ``step``: the first step that answered it, None when none did."""

    message_id: str
    agent_id: str
    role: str
    text: str
    step: int | None


_CAUSES = """
SELECT run.id, cause.id, (SELECT min(number) FROM step WHERE run_id = cause.run_id AND kind = 'agent')
FROM run
CROSS JOIN LATERAL (
    SELECT coalesce(metadata->>'of_agent_id', run.agent_id) AS agent_id, coalesce(metadata->>'of_run_id', run.id) AS run_id
) AS origin
LEFT JOIN LATERAL (
    SELECT id FROM message WHERE run_id = origin.run_id AND step_id IS NULL AND role IN ('user', 'system') ORDER BY seq DESC LIMIT 1
) AS told ON true
LEFT JOIN LATERAL (
    SELECT id FROM message WHERE told.id IS NULL AND agent_id = origin.agent_id AND created_at <= run.created_at
        AND step_id IS NULL AND run_id IS NOT NULL AND role IN ('user', 'system')
        AND (agent_id <> run.agent_id OR conversation_id IS NOT DISTINCT FROM run.conversation_id)
    ORDER BY seq DESC LIMIT 1
) AS earlier ON true
JOIN message AS cause ON cause.id = coalesce(told.id, earlier.id)
WHERE run.id = ANY(%s)
"""


def causes(steps: Iterable[Step | None]) -> dict[str, Cause]:
    """The causes of ``steps``, by their ids, in two queries; a step whose cause was deleted has none.

    A run's cause is the last message it was sent. One that was sent none, such as an answer to a call that waited, goes on from the last
    message before it. Of an agent that tends another one's memory it is what that one was told.
    """
    runs = {step.id: step.run_id for step in steps if step is not None}
    if not runs:
        return {}
    [rows] = run_sync([Statement(_CAUSES, (list(set(runs.values())),))])
    messages = Message.objects.in_bulk([message_id for _, message_id, _ in rows])
    found = {run_id: _cause(messages[message_id], step) for run_id, message_id, step in rows}
    return {step_id: found[run_id] for step_id, run_id in runs.items() if run_id in found}


def _cause(message: Message, step: int | None) -> Cause:
    plain = "\n".join(part["text"] for part in message.content if part["type"] == "text")
    text = spoken_text(message.role, message.content, ()) or plain
    return Cause(message.id, message.agent_id, message.role, text, step)
