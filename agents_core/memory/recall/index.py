"""Messages made findable, lazily: first their words, at once; then their vectors, when an embedder answers.

``Message.indexed`` is false until both are done; a row of ``MessageVector`` says that the words are in. Every write is
repeatable and loses to whoever was first, so any number of processes may index one agent at once. No model is called
inside a transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from agents_core.llm.base import Embedder
from agents_core.memory.archival.base import indexed_text
from agents_core.memory.embedders import as_halfvec
from agents_core.memory.recall.turns import spoken_text
from agents_core.memory.words import folded, storable
from agents_core.models import pipeline
from agents_core.models.pipeline import Statement, json

WORDS_BATCH = 500
WINDOW_CHARS = 1_500
"""Of each turn in a window: small models read some 256 tokens, and the three turns should share them."""

TURN_COLUMNS = """message.id, message.role, message.content, message.tool_calls, message.created_at,
    CASE message.role WHEN 'user' THEN coalesce(message.name, 'User') ELSE agent.name END"""


async def index_pending(agent_id: str, embedder: Embedder | None, limit: int = 64) -> int:
    """Index what is not yet; gives how many messages were finished, at most ``limit``: call again until it is 0.

    All words come first, then the vectors of the oldest ``limit`` messages. Without an embedder words are all. Raises
    what the embedder raises; the words are in by then, and the messages stay pending.
    """
    await index_words(agent_id)
    if embedder is None:
        [done] = await pipeline.run([Statement(_FINISH_WORDS, (agent_id, limit))])
        return len(done)
    return await _index_vectors(agent_id, embedder, limit)


async def pending_agents() -> list[str]:
    """The agents that have messages to index."""
    [rows] = await pipeline.run(
        [Statement("SELECT DISTINCT agent_id FROM message WHERE NOT indexed ORDER BY agent_id")]
    )
    return [agent_id for (agent_id,) in rows]


async def index_words(agent_id: str) -> int:
    """Make the words of all pending messages findable; gives how many were looked at."""
    looked_at, seq = 0, -1
    while rows := (await pipeline.run([Statement(_WITHOUT_WORDS, (agent_id, seq, WORDS_BATCH))]))[0]:
        turns = [_turn(row[:-1]) for row in rows]
        given = json([{"id": turn.id, "words": folded(turn.indexed_text)} for turn in turns if turn.text])
        silent = [turn.id for turn in turns if not turn.text]
        await pipeline.run([Statement(_FINISH, (silent,)), Statement(_INSERT_WORDS, (given, agent_id, agent_id))])
        looked_at, seq = looked_at + len(rows), rows[-1][-1]
    return looked_at


async def reindex(agent_id: str, model: str) -> int:
    """Make pending again what has vectors of another model than ``model`` (an embedder's name); gives how many."""
    [rows] = await pipeline.run([Statement(_MARK_STALE, (agent_id, model))])
    return len(rows)


@dataclass(slots=True)
class _Turn:
    id: str
    text: str
    indexed_text: str
    conversation_id: str | None = None
    pending: bool = False
    around: list[str] = field(default_factory=list)


def _turn(row: tuple[Any, ...]) -> _Turn:
    message_id, role, content, tool_calls, created_at, speaker = row[:6]
    text = storable(spoken_text(role, content, tool_calls))
    return _Turn(message_id, text, indexed_text(text, created_at, speaker), *row[6:])


async def _index_vectors(agent_id: str, embedder: Embedder, limit: int) -> int:
    [rows] = await pipeline.run([Statement(_TURNS_TO_EMBED, {"agent": agent_id, "limit": limit})])
    turns = _with_windows([_turn(row) for row in rows])
    if not turns:
        return 0
    pending = [turn for turn in turns if turn.pending]
    vectors = await embedder.embed([turn.indexed_text for turn in pending] + ["\n".join(turn.around) for turn in turns])
    own = {turn.id: as_halfvec(vector) for turn, vector in zip(pending, vectors, strict=False)}
    windows = [as_halfvec(vector) for vector in vectors[len(pending) :]]
    given = [
        {"id": turn.id, "own": own.get(turn.id), "window": window} for turn, window in zip(turns, windows, strict=True)
    ]
    done = await pipeline.run(
        [
            Statement(_WRITE_VECTORS, {"given": json(given), "model": embedder.name}),
            Statement(_FINISH, ([turn.id for turn in pending],)),
        ]
    )
    return len(done[1])


def _with_windows(turns: Sequence[_Turn]) -> list[_Turn]:
    """The pending turns and those just before one, each with the texts around it: before, own, after."""
    threads: dict[str | None, list[_Turn]] = {}
    for turn in turns:
        threads.setdefault(turn.conversation_id, []).append(turn)
    chosen = []
    for thread in threads.values():
        for at, turn in enumerate(thread):
            if turn.pending or (at + 1 < len(thread) and thread[at + 1].pending):
                turn.around = [near.indexed_text[:WINDOW_CHARS] for near in thread[max(at - 1, 0) : at + 2]]
                chosen.append(turn)
    return chosen


_TURNS = (
    "FROM message JOIN message_vector ON message_id = message.id WHERE message.agent_id = %(agent)s AND NOT abandoned"
)

_WITHOUT_WORDS = f"""
SELECT {TURN_COLUMNS}, message.seq FROM message JOIN agent ON agent.id = message.agent_id
WHERE message.agent_id = %s AND message.seq > %s AND NOT message.indexed
    AND NOT EXISTS (SELECT FROM message_vector WHERE message_id = message.id)
ORDER BY message.seq LIMIT %s
"""

_INSERT_WORDS = """
WITH given AS (SELECT * FROM jsonb_to_recordset(%s) AS given(id text, words text)),
terms AS MATERIALIZED (
    SELECT given.id, term.lexeme, cardinality(term.positions) AS frequency,
        sum(cardinality(term.positions)) OVER (PARTITION BY given.id) AS length
    FROM given CROSS JOIN unnest(to_tsvector('english', given.words)) AS term(lexeme, positions, weights)
),
first AS (
    INSERT INTO message_vector (message_id, agent_id, length)
    SELECT id, %s, coalesce((SELECT max(length) FROM terms WHERE terms.id = given.id), 0) FROM given ORDER BY id
    ON CONFLICT (message_id) DO NOTHING
    RETURNING message_id
)
INSERT INTO message_term (agent_id, lexeme, message_id, frequency, length)
SELECT %s, lexeme, id, frequency, length FROM terms JOIN first ON message_id = id
"""

# The pending turns, oldest first, each with the two before it and the one after it in its thread.
_TURNS_TO_EMBED = f"""
WITH pending AS MATERIALIZED (
    SELECT message.id, conversation_id, seq FROM message JOIN message_vector ON message_id = message.id
    WHERE message.agent_id = %(agent)s AND NOT indexed ORDER BY seq LIMIT %(limit)s
),
near AS (
    SELECT id FROM pending
    UNION
    SELECT nearby.id FROM pending CROSS JOIN LATERAL (
        (SELECT message.id {_TURNS} AND seq < pending.seq
            AND conversation_id IS NOT DISTINCT FROM pending.conversation_id ORDER BY seq DESC LIMIT 2)
        UNION ALL
        (SELECT message.id {_TURNS} AND seq > pending.seq
            AND conversation_id IS NOT DISTINCT FROM pending.conversation_id ORDER BY seq LIMIT 1)
    ) AS nearby
)
SELECT {TURN_COLUMNS}, message.conversation_id, pending.id IS NOT NULL
FROM near JOIN message ON message.id = near.id JOIN agent ON agent.id = message.agent_id
    LEFT JOIN pending ON pending.id = message.id
ORDER BY message.seq
"""

_WRITE_VECTORS = """
UPDATE message_vector SET "window" = given."window"::halfvec,
    embedding = coalesce(given.own::halfvec, embedding), embedding_model = %(model)s
FROM (SELECT * FROM jsonb_to_recordset(%(given)s) AS given(id text, own text, "window" text)) AS given
WHERE message_id = given.id AND (given.own IS NOT NULL OR embedding_model = %(model)s)
"""

# A skipped row is locked by another writer, and stays pending: waiting for it could end in a deadlock.
_FINISH = """
UPDATE message SET indexed = true
WHERE id IN (SELECT id FROM message WHERE id = ANY (%s) FOR UPDATE SKIP LOCKED) RETURNING id
"""

_FINISH_WORDS = """
UPDATE message SET indexed = true
WHERE id IN (
    SELECT id FROM message WHERE agent_id = %s AND NOT indexed AND EXISTS (
        SELECT FROM message_vector WHERE message_id = message.id
    ) ORDER BY seq LIMIT %s FOR UPDATE SKIP LOCKED
) RETURNING id
"""


_MARK_STALE = """
UPDATE message SET indexed = false FROM message_vector
WHERE message_id = message.id AND message.agent_id = %s AND indexed AND embedding_model IS DISTINCT FROM %s
RETURNING message.id
"""
