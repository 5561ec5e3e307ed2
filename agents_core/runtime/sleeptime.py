"""Calling the agents that tend another one's memory, and what they are shown (contract: agent-loop, section 7).

They are called in the transaction that ends the run of the agent they tend, so a call is neither lost nor made twice. What was said is read
when their run begins: by then everything up to the message that it was called with is committed.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from psycopg.errors import SerializationFailure

from agents_core.events.publish import Publication, lock_agents
from agents_core.events.types import SleeptimeCalled
from agents_core.memory.recall.turns import sent_text, spoken_text
from agents_core.models import WAITING, AgentKind, Role, new_id, pipeline
from agents_core.models.pipeline import Statement, json
from agents_core.queue.requests import QueuedRun, RunOptions, queued_run
from agents_core.runtime.persist import Commit, NewMessage
from agents_core.runtime.policy import policy_of
from agents_core.runtime.speech import plain_text
from agents_core.runtime.state import Tended, Turn

MAX_STEPS = 50
RUN_TYPE = "sleeptime_agent_send_message_async"
"""The run type that clients of the contract look for in the metadata of such a run."""

_RETURN_CHARS = 2000
_CHARS_PER_TOKEN = 4
_SHARE = 0.5
"""The share of its context window that the transcript may fill, so that there is room to work."""

_ADVANCE = """
WITH advanced AS (
    UPDATE agent_group SET turns_counter = %s, updated_at = statement_timestamp()
    WHERE id = %s AND turns_counter = %s AND last_processed_seq = %s RETURNING id
)
SELECT ensure(EXISTS (SELECT 1 FROM advanced), 'group changed')
"""
_PROCESSED = """
UPDATE agent_group SET last_processed_message_id = message.id, last_processed_seq = message.seq
FROM message WHERE message.id = %s AND agent_group.id = %s
"""
_NOTE = "UPDATE run SET metadata = metadata || %s WHERE id = %s"


def call_companions(commit: Commit, turn: Turn, stop_reason: str, last_message_id: str | None) -> None:
    """Adds to the commit that ends a run what calls the agents that tend its agent's memory, when it is their turn.

    The commit fails with SerializationFailure when another run of the agent was counted meanwhile.
    """
    tended = turn.tended
    if tended is None or last_message_id is None or stop_reason == "requires_approval":
        return
    counter = next_counter(tended)
    commit.add(Statement(_ADVANCE, (counter, tended.group_id, tended.turns_counter, tended.last_processed_seq)))
    if counter:
        return
    runs = _runs(tended, turn.agent.id, last_message_id, turn.run_id)
    for run in runs:
        commit.publish_elsewhere(run.publication)
        for statement in run.statements:
            commit.add(statement)
    commit.add(Statement(_PROCESSED, (last_message_id, tended.group_id)))
    run_ids = _ids(runs)
    commit.add(Statement(_NOTE, (json({"sleeptime_run_ids": run_ids}), turn.run_id)))
    commit.emit(SleeptimeCalled(tended.group_id, run_ids))


def next_counter(tended: Tended) -> int:
    """The count of turns after one more: 0 when it is the companions' turn."""
    return (tended.turns_counter + 1) % tended.frequency if tended.frequency else 0


def _runs(tended: Tended, agent_id: str, upto: str, of_run_id: str | None) -> list[QueuedRun]:
    """A run for each companion, which is to read what came after the last one read, up to the message ``upto``."""
    transcript = {"agent_id": agent_id, "after": tended.last_processed_seq, "upto": upto}
    about = {"run_type": RUN_TYPE, "group_id": tended.group_id, "of_agent_id": agent_id, "of_run_id": of_run_id}
    return [
        queued_run(
            companion,
            (),
            new_id("run"),
            options=RunOptions(max_steps=MAX_STEPS),
            request={"transcript": transcript},
            background=True,
            metadata=about,
        )
        for companion in tended.agent_ids
    ]


def _ids(runs: Sequence[QueuedRun]) -> list[str]:
    return [str(run.publication.run_id) for run in runs]


# --- when an agent was left alone --------------------------------------------------------------------------------------

_IDLE = """
SELECT manager_id, last.id, agent_group.id, sleeptime_agent_frequency, turns_counter, last_processed_seq,
    (SELECT coalesce(json_agg(group_agent.agent_id ORDER BY group_agent.id), '[]') FROM group_agent WHERE group_id = agent_group.id)
FROM agent_group JOIN agent ON agent.id = manager_id AND enable_sleeptime
CROSS JOIN LATERAL (SELECT id, seq FROM message WHERE agent_id = manager_id ORDER BY seq DESC LIMIT 1) AS last
WHERE sleeptime_idle_s IS NOT NULL AND manager_type IN ('sleeptime', 'voice_sleeptime')
    AND last_run_completion < now() - make_interval(secs => sleeptime_idle_s) AND last.seq > last_processed_seq
    AND EXISTS (SELECT 1 FROM message WHERE agent_id = manager_id AND seq > last_processed_seq AND role = 'assistant')
    AND NOT EXISTS (SELECT 1 FROM run WHERE agent_id = manager_id AND status IN ('created', 'running', 'paused'))
"""


async def call_companions_of_idle() -> int:
    """Calls the companions of each agent that was left alone for as long as its group says, with something that they have not seen;
    gives how many agents that were. Several workers may do it at once."""
    [rows] = await pipeline.run([Statement(_IDLE)])
    return sum([await _call_idle(agent_id, upto, Tended(*tended)) for agent_id, upto, *tended in rows])


async def _call_idle(agent_id: str, upto: str, tended: Tended) -> bool:
    runs = _runs(tended, agent_id, upto, None)
    told = Publication(agent_id)
    told.add(SleeptimeCalled(tended.group_id, _ids(runs)))
    statements = [
        lock_agents([agent_id, *tended.agent_ids]),
        Statement(_ADVANCE, (tended.turns_counter, tended.group_id, tended.turns_counter, tended.last_processed_seq)),
        Statement(_PROCESSED, (upto, tended.group_id)),
        told.statement(),
        *(statement for run in runs for statement in run.all),
    ]
    try:
        await pipeline.run(statements)
    except SerializationFailure:  # Another worker was first, or the agent was spoken to.
        return False
    return True


# --- what they are shown -----------------------------------------------------------------------------------------------

_SAID = """
SELECT role, content, tool_calls, tool_returns FROM message WHERE agent_id = %s AND seq > %s AND NOT abandoned
    AND seq <= coalesce((SELECT seq FROM message WHERE id = %s), (SELECT event_seq FROM agent WHERE id = %s)) ORDER BY seq
"""
_TENDED = "SELECT name, agent_type FROM agent WHERE id = %s"
_READ = "UPDATE run SET request = (request - 'transcript') || %s WHERE id = %s"

_REMINDER = """\
<system-reminder>
You are a sleep-time agent: you work in the background on the memory of another agent, {name}. You are not that agent, \
this is no message to you, and nobody waits for an answer. Below stands what was said in its conversations since last \
time. Bring the memory that you share with it up to date, then finish.
</system-reminder>

<transcript>
{lines}
</transcript>"""
_LEFT_OUT = "(… {count} earlier lines do not fit here and are left out)"


async def read_transcript(turn: Turn) -> None:
    """Puts what was said to the agent that this one tends before it, as a message that the turn's first step answers."""
    asked = turn.request["transcript"]
    of_agent = asked["agent_id"]
    said, agent = await pipeline.run(
        [
            Statement(_SAID, (of_agent, asked["after"], asked["upto"], of_agent)),
            Statement(_TENDED, (of_agent,)),
        ]
    )
    name, agent_type = agent[0] if agent else ("?", AgentKind.V1)
    lines = transcript_lines(said, agent_type)
    numbered = turn.agent.agent_type == AgentKind.VOICE_SLEEPTIME
    shown = _fitting(lines, round(turn.agent.context_window * _SHARE * _CHARS_PER_TOKEN), numbered)
    text = _REMINDER.format(name=name, lines="\n".join(shown))
    message = NewMessage(
        new_id("message"), Role.USER, [{"type": "text", "text": text}], sender_id=of_agent, position=WAITING
    )
    kept = {"transcript_lines": lines} if numbered else {}
    commit = Commit(turn.agent.id, turn.conversation_id, turn.run_id, attempt=turn.attempt)
    commit.message(message)
    commit.add(Statement(_READ, (json(kept), turn.run_id)))
    await commit.run()
    turn.messages.append(message.stored())
    turn.request = {name: value for name, value in turn.request.items() if name != "transcript"} | kept


def _fitting(lines: Sequence[str], room: int, numbered: bool) -> list[str]:
    """The last lines that have at most ``room`` characters together, with a word of what is left out."""
    shown: list[str] = []
    for number, line in reversed(list(enumerate(lines))):
        text = f"{number}. {line}" if numbered else line
        room -= len(text) + 1
        if room < 0 and shown:
            return [_LEFT_OUT.format(count=number + 1), *shown]
        shown.insert(0, text[: max(room + len(text) + 1, 0)])
    return shown


def transcript_lines(rows: Sequence[tuple[Any, ...]], agent_type: str) -> list[str]:
    """Messages as lines of a transcript; ``rows`` are (role, content, tool calls, tool returns)."""
    text_is_thought = policy_of(agent_type).heartbeats
    return [line for row in rows for line in _lines(*row, text_is_thought=text_is_thought)]


def _lines(role: str, content: Any, tool_calls: Any, tool_returns: Any, *, text_is_thought: bool) -> Iterator[str]:
    match role:
        case Role.USER:
            if words := spoken_text(role, content, ()):
                yield f"user: {words}"
        case Role.ASSISTANT:
            yield from _assistant_lines(content, tool_calls, text_is_thought=text_is_thought)
        case Role.TOOL:
            for answer in tool_returns:
                if answer["name"] != "send_message" and answer["value"] not in ("", "None"):
                    yield f"assistant: Tool call returned {answer['value'][:_RETURN_CHARS]}"


def _assistant_lines(content: Any, tool_calls: Any, *, text_is_thought: bool) -> Iterator[str]:
    thoughts = [part["reasoning"] for part in content if part["type"] == "reasoning" and part.get("reasoning")]
    words = plain_text(content).strip()
    if words and text_is_thought:
        thoughts.append(words)
    for thought in thoughts:
        yield f"assistant: <thinking>{thought}</thinking>"
    if words and not text_is_thought:
        yield f"assistant: {words}"
    for call in tool_calls:
        sent = sent_text(call) if call["name"] == "send_message" else ""
        yield f"assistant: {sent}" if sent else f"assistant: Calling tool {call['name']}"
