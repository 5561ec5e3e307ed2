"""Whether the books balance: what was acknowledged is there, once, and nothing is left half done."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg

from agents_core.embedded.place import Place
from tests.chaos.people import Acknowledged

_MUST_BE_EMPTY = {
    "a run that has not ended": "SELECT id FROM run WHERE status IN ('created', 'running', 'paused')",
    "a pause that nobody ended": "SELECT id FROM pause WHERE resolved_at IS NULL",
    "a run that stood and is not let go": "SELECT id FROM run WHERE suspended IS NOT NULL",
    "a run that ended without a reason": "SELECT id FROM run WHERE stop_reason IS NULL",
    "a step that is open": "SELECT id FROM step WHERE status = 'pending'",
    "a tool call whose outcome nobody wrote": "SELECT id FROM tool_call WHERE status IN ('intended', 'held', 'awaiting', 'paused')",
    "a job that is left": "SELECT id FROM procrastinate_jobs",
    "a message that no event told of": """
        SELECT message.id FROM message LEFT JOIN event ON event.agent_id = message.agent_id AND event.seq = message.seq
            AND event.type = 'message.created' AND event.payload ->> 'message_id' = message.id
        WHERE event.seq IS NULL""",
    "a stream whose last number is not its agent's": """
        SELECT agent.id FROM agent WHERE event_seq <> (SELECT max(seq) FROM event WHERE agent_id = agent.id)""",
    "a gap in a stream": """
        SELECT agent_id, seq FROM (SELECT agent_id, seq, lead(seq) OVER (PARTITION BY agent_id ORDER BY seq) AS next FROM event) AS e
        WHERE next <> seq + 1 AND (SELECT min(created_at) FROM event) > now() - interval '4 min' -- deltas go later""",
    "a run told of as ended more than once, or never": """
        SELECT run.id FROM run LEFT JOIN event ON run_id = run.id AND type = 'run.ended' GROUP BY run.id HAVING count(seq) <> 1""",
    "a block whose versions have a gap, or whose last is not what it holds": """
        SELECT block.id FROM block JOIN block_version AS v ON block_id = block.id GROUP BY block.id
        HAVING count(*) <> block.version OR max(v.version) <> block.version
            OR (array_agg(v.value ORDER BY v.version DESC))[1] <> block.value""",
    "a memory write that was done twice": """
        SELECT step_id, tool_call_id FROM block_version WHERE tool_call_id IS NOT NULL
        GROUP BY step_id, tool_call_id, block_id HAVING count(*) > 1""",
    "a tool call that is answered more than once, or not at all": """
        SELECT message.id, call ->> 'id' FROM message CROSS JOIN LATERAL jsonb_array_elements(tool_calls) AS call
        WHERE (SELECT count(*) FROM message AS answer CROSS JOIN LATERAL jsonb_array_elements(answer.tool_returns) AS returned
            WHERE answer.agent_id = message.agent_id AND returned ->> 'tool_call_id' = call ->> 'id') <> 1""",
    "a passage that was stored twice": """
        SELECT text FROM passage WHERE NOT is_deleted GROUP BY archive_id, text HAVING count(*) > 1""",
    "an insertion that was acknowledged to the agent and is not there": """
        SELECT tool_call.id FROM tool_call WHERE name = 'archival_memory_insert' AND tool_call.status = 'ok'
            AND NOT EXISTS (SELECT 1 FROM passage WHERE passage.step_id = tool_call.step_id)""",
}


def problems(home: Path, acknowledged: Sequence[Acknowledged]) -> list[str]:
    """What is lost, doubled or stuck in the database of ``home``, in words."""
    with psycopg.connect(**Place(home).connection()) as connection:
        found = [
            f"{what}: {row}" for what, sql in _MUST_BE_EMPTY.items() for row in connection.execute(sql).fetchmany(5)
        ]
        return [*found, *_lost(connection, acknowledged)]


def _lost(connection: psycopg.Connection[Any], acknowledged: Sequence[Acknowledged]) -> Iterator[str]:
    rows = connection.execute(
        "SELECT run_id, content::text FROM message WHERE role = 'user' AND step_id IS NULL"
    ).fetchall()
    said: dict[str, list[str]] = {}
    for run_id, content in rows:
        said.setdefault(run_id, []).append(content.lower())
    for each in acknowledged:
        times = sum(each.token in content for content in said.get(each.run_id, []))
        if times != 1:
            yield f"an acknowledged message is there {times} times: {each}"


def tally(home: Path) -> dict[str, int]:
    """How much there is of what."""
    with psycopg.connect(**Place(home).connection()) as connection:
        by_status = connection.execute("SELECT 'runs ' || status, count(*) FROM run GROUP BY 1 ORDER BY 1").fetchall()
        tables = ("message", "event", "step", "tool_call", "block_version", "passage", "pause")
        counts = [(table, connection.execute(f"SELECT count(*) FROM {table}").fetchone()) for table in tables]
    return dict(by_status) | {table: row[0] for table, row in counts if row}
