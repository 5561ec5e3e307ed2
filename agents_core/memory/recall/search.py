"""The search of messages: words, meaning, and what stands around a message.

score = weight · cosine + bm25 + 0.4 · the neighbours' bm25 + ⅔ weight · cosine of the three turns around it
+ 0.2 if the one person named in the question said it; each bm25 as a share of the highest. One SQL statement.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agents_core.errors import AgentsError
from agents_core.llm.base import Embedder
from agents_core.memory.archival.base import CANDIDATES
from agents_core.memory.bm25 import PROBE, bm25_share, bm25_tables, cosine, named
from agents_core.memory.embedders import QueryVector, as_halfvec, embed_query
from agents_core.memory.recall.index import index_pending
from agents_core.memory.recall.turns import spoken_text
from agents_core.memory.words import like, phrases, query_words
from agents_core.models import pipeline
from agents_core.models.pipeline import Rows, Statement

NEIGHBOURS_WEIGHT = 0.4
SPEAKER_PRIOR = 0.2
WINDOW_SHARE = 2 / 3
"""The weight of the window's cosine beside the message's own: 1.0 where that is 1.5."""

INDEXED_FIRST = 8
"""Messages whose vectors a search waits for; the words of all are there in any case."""

DEFAULT_THREAD = "default"


@dataclass(frozen=True, slots=True)
class RecallSearch:
    """What is asked for. ``start`` and ``end`` are aware and inclusive; ``limit`` are returned, after ``offset``.

    ``roles``: user and assistant, none means both. ``conversation_id``: None means every thread, ``default`` the
    messages outside conversations. Words in double quotes must stand in a hit as they are.
    """

    agent_id: str
    query: str
    roles: Sequence[str] = ()
    conversation_id: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    limit: int = 10
    offset: int = 0


@dataclass(frozen=True, slots=True)
class MessageHit:
    """A candidate; ``archival.base.Hit`` tells of what is common, and ``text`` is what was said.

    ``window``: the likeness of the three turns around it. ``neighbours``: the bm25 of the two beside it, as a share of
    the highest.
    """

    id: str
    rank: int
    returned: bool
    score: float
    cosine: float | None
    bm25: float
    prior: float
    window: float | None
    neighbours: float
    seq: int
    role: str
    text: str
    conversation_id: str | None
    created_at: datetime

    def candidate(self) -> dict[str, Any]:
        """As the record keeps it (``MemorySearch.candidates``)."""
        parts = ("id", "score", "cosine", "bm25", "prior", "window", "neighbours", "rank", "returned")
        return {name: getattr(self, name) for name in parts}


@dataclass(frozen=True, slots=True)
class SearchResult:
    """``note`` says why words alone decided, when they did; ``model`` names the embedder that took part."""

    hits: list[MessageHit]
    model: str | None
    note: str | None


async def search(search: RecallSearch, embedder: Embedder | None) -> SearchResult:
    """The best first: those returned, and more, up to ``CANDIDATES``, that explain. A blank query finds nothing.

    Never fails for the embedder's sake: then words alone decide, and the note says so.
    """
    vector = await embed_query(search.query, embedder)
    note = vector.note
    try:
        await index_pending(search.agent_id, embedder if vector.vector else None, INDEXED_FIRST)
    except AgentsError as error:
        note = f"The newest messages were searched by words only: {error.message}"
    [rows] = await pipeline.run([search_statement(search, vector)])
    return SearchResult(_hits(search, rows), vector.model, note)


def search_statement(search: RecallSearch, vector: QueryVector) -> Statement:
    """One statement that ranks, for messages that are indexed."""
    conditions, params = _filters(search)
    words = query_words(search.query)
    return Statement(
        _search_sql(conditions, _thread(search), with_vector=vector.vector is not None),
        {
            **params,
            "agent": search.agent_id,
            "conversation": search.conversation_id,
            "words": " ".join(words),
            "names": words,
            "vector": as_halfvec(vector.vector) if vector.vector is not None else None,
            "model": vector.model,
            "weight": vector.weight,
            "candidates": max(search.offset + search.limit, CANDIDATES),
        },
    )


def _hits(search: RecallSearch, rows: Rows) -> list[MessageHit]:
    returned = range(search.offset + 1, search.offset + search.limit + 1)
    return [_hit(row, rank, rank in returned) for rank, row in enumerate(rows, start=1)]


def _hit(row: tuple[Any, ...], rank: int, returned: bool) -> MessageHit:
    message_id, *scores, seq, role, content, tool_calls, conversation_id, created_at = row
    said = spoken_text(role, content, tool_calls)
    # mypy takes each starred list for one argument more than it holds.
    return MessageHit(message_id, rank, returned, *scores, seq, role, said, conversation_id, created_at)  # type: ignore[call-arg]


def _filters(search: RecallSearch) -> tuple[list[str], dict[str, Any]]:
    """What a hit must be; its neighbours need not."""
    conditions, params = ["true"], dict[str, Any]()
    if search.roles:
        conditions.append("role = ANY (%(roles)s::text[])")
        params["roles"] = list(search.roles)
    for name, operator in (("start", ">="), ("end", "<=")):
        if (moment := getattr(search, name)) is not None:
            conditions.append(f"created_at {operator} %({name})s::timestamptz")
            params[name] = moment
    if quoted := phrases(search.query):
        conditions.append(f"{SPOKEN_SQL} ILIKE ALL (%(phrases)s::text[])")
        params["phrases"] = [like(phrase) for phrase in quoted]
    return conditions, params


SPOKEN_SQL = """concat_ws(E'\\n',
    (SELECT string_agg(part->>'text', E'\\n') FROM jsonb_array_elements(content) AS part WHERE part->>'type' = 'text'),
    (SELECT string_agg(call->>'arguments', E'\\n') FROM jsonb_array_elements(tool_calls) AS call
     WHERE call->>'name' = 'send_message'))"""


def _thread(search: RecallSearch) -> str:
    if search.conversation_id is None:
        return "true"
    if search.conversation_id == DEFAULT_THREAD:
        return "conversation_id IS NULL"
    return "conversation_id = %(conversation)s"


def _search_sql(conditions: list[str], thread: str, with_vector: bool) -> str:
    own, window = (cosine("embedding"), cosine('"window"')) if with_vector else ("NULL::float8", "NULL::float8")
    return f"""
WITH {PROBE},
corpus AS MATERIALIZED (
    SELECT count(*)::float8 AS size, greatest(avg(length), 1)::float8 AS mean_length
    FROM message_vector WHERE agent_id = %(agent)s
), {bm25_tables("message_term", "message_id", "agent_id = %(agent)s")},
turns AS MATERIALIZED (
    SELECT message.id, seq, conversation_id, {" AND ".join(conditions)} AS allowed,
        CASE role WHEN 'user' THEN coalesce(message.name, 'user') ELSE (SELECT name FROM agent WHERE id = %(agent)s) || ' assistant'
        END AS speaker,
        {own} AS cosine, {window} AS around, coalesce(bm25, 0) AS bm25
    FROM message_vector JOIN message ON message.id = message_id
        LEFT JOIN ranked ON ranked.id = message_id
    WHERE message_vector.agent_id = %(agent)s AND NOT abandoned AND {thread}
),
{named("SELECT DISTINCT speaker AS person FROM turns")},
placed AS (
    SELECT *, coalesce(lag(bm25) OVER thread, 0) + coalesce(lead(bm25) OVER thread, 0) AS neighbours
    FROM turns WINDOW thread AS (PARTITION BY conversation_id ORDER BY seq)
),
best AS (
    SELECT id, seq, cosine, bm25, prior, around, {bm25_share("neighbours")} AS neighbours,
        %(weight)s::float8 * (coalesce(cosine, 0) + {WINDOW_SHARE}::float8 * coalesce(around, 0)) + {bm25_share("bm25")}
        + {NEIGHBOURS_WEIGHT}::float8 * {bm25_share("neighbours")} + prior AS score
    FROM placed CROSS JOIN LATERAL (
        SELECT CASE WHEN speaker = (SELECT person FROM named) THEN {SPEAKER_PRIOR} ELSE 0 END::float8 AS prior
    ) AS priors
    WHERE allowed AND (bm25 > 0 OR neighbours > 0 OR cosine > 0 OR around > 0)
    ORDER BY score DESC, seq DESC LIMIT %(candidates)s::int
)
SELECT best.id, score, cosine, bm25, prior, around, neighbours, best.seq, role, content, tool_calls,
    conversation_id, created_at
FROM best JOIN message USING (id) ORDER BY score DESC, best.seq DESC
"""
