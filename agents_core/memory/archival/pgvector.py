"""Archival memory in PostgreSQL: exact cosine and BM25 within the archive, added up in one statement.

score = weight · cosine + bm25 / max(bm25) + 0.15 if the one person named in the query wrote it. Ranks by sum, not by
reciprocal rank, and words are joined by OR: a natural question shares few words with its answer.
"""

from collections.abc import Sequence
from typing import Any

from agents_core.memory.archival.base import CANDIDATES, ArchivalSearch, Hit, PassageDraft
from agents_core.memory.bm25 import PROBE, bm25_share, bm25_tables, cosine, named
from agents_core.memory.embedders import QueryVector, as_halfvec
from agents_core.memory.words import folded, like, phrases, query_words
from agents_core.models.pipeline import Rows, Statement, json

AUTHOR_PRIOR = 0.15


class PgvectorBackend:
    """See ``ArchivalBackend``. Every passage of the archives is looked at: ten times as many take ten times as long."""

    def insert_statements(self, drafts: Sequence[PassageDraft]) -> list[Statement]:
        given = json([_row(draft) for draft in drafts])
        archives = sorted({draft.archive_id for draft in drafts})
        return [Statement(REVISE, (archives,)), Statement(_INSERT, (given,)), Statement(INSERT_TERMS, (given,))]

    def edit_statements(self, drafts: Sequence[PassageDraft]) -> list[Statement]:
        # The revision comes first: its row lock makes two writers of one archive take turns.
        given = json([_row(draft) for draft in drafts])
        ids = [draft.id for draft in drafts]
        return [
            Statement(_REVISE_THOSE_OF, (ids,)),
            Statement(KEEP, (ids,)),
            Statement(_UPDATE, (given,)),
            Statement(DELETE_TERMS, (ids,)),
            Statement(INSERT_TERMS, (given,)),
        ]

    def delete_statements(self, passage_ids: Sequence[str]) -> list[Statement]:
        ids = list(passage_ids)
        return [
            Statement(_REVISE_THOSE_OF, (ids,)),
            Statement(MARK_DELETED, (ids,)),
            Statement(DELETE_TERMS, (ids,)),
        ]

    def search_statement(self, search: ArchivalSearch, vector: QueryVector) -> Statement:
        conditions, params = _filters(search)
        words = query_words(search.query)
        return Statement(
            _search_sql(conditions, with_vector=vector.vector is not None),
            {
                **params,
                "archives": list(search.archive_ids),
                "words": " ".join(words),
                "names": words,
                "vector": as_halfvec(vector.vector) if vector.vector is not None else None,
                "model": vector.model,
                "weight": vector.weight,
                "candidates": max(search.limit, CANDIDATES),
            },
        )

    def hits(self, search: ArchivalSearch, rows: Rows) -> list[Hit]:
        return [Hit(row[0], rank, rank <= search.limit, *row[1:]) for rank, row in enumerate(rows, start=1)]


def _row(draft: PassageDraft) -> dict[str, Any]:
    return {
        "id": draft.id,
        "archive_id": draft.archive_id,
        "text": draft.text,
        "indexed_text": draft.indexed_text,
        "words": folded(draft.indexed_text),
        "embedding": None if draft.vector is None else as_halfvec(list(draft.vector)),
        "embedding_model": draft.embedding_model,
        "author": draft.author,
        "tags": list(draft.tags),
        "metadata": dict(draft.metadata),
        "step_id": draft.step_id,
        "created_at": draft.created_at.isoformat(),
    }


_GIVEN = """jsonb_to_recordset(%s) AS given(
    id text, archive_id text, text text, indexed_text text, words text, embedding text, embedding_model text,
    author text, tags text[], metadata jsonb, step_id text, created_at timestamptz)"""

_LENGTH = """(SELECT coalesce(sum(cardinality(positions)), 0)
    FROM unnest(to_tsvector('english', given.words)) AS term(lexeme, positions, weights))"""

_INSERT = f"""
INSERT INTO passage (id, archive_id, text, indexed_text, embedding, embedding_model, length, author, tags, metadata,
                     step_id, created_at, is_deleted, since)
SELECT given.id, archive_id, text, indexed_text, given.embedding::halfvec, embedding_model, {_LENGTH}, author, tags, given.metadata,
       step_id, given.created_at, false, revision
FROM {_GIVEN} JOIN archive ON archive.id = archive_id
"""

_UPDATE = f"""
UPDATE passage SET text = given.text, indexed_text = given.indexed_text, embedding = given.embedding::halfvec,
    embedding_model = given.embedding_model, length = {_LENGTH}, author = given.author, tags = given.tags,
    metadata = given.metadata, since = revision, updated_at = statement_timestamp()
FROM {_GIVEN} JOIN archive ON archive.id = archive_id
WHERE passage.id = given.id
"""

INSERT_TERMS = f"""
INSERT INTO passage_term (archive_id, lexeme, passage_id, frequency, length)
SELECT given.archive_id, term.lexeme, given.id, cardinality(term.positions),
    sum(cardinality(term.positions)) OVER (PARTITION BY given.id)
FROM {_GIVEN}, unnest(to_tsvector('english', given.words)) AS term(lexeme, positions, weights)
"""

DELETE_TERMS = "DELETE FROM passage_term WHERE passage_id = ANY (%s)"

MARK_DELETED = """
UPDATE passage SET is_deleted = true, until = revision, updated_at = statement_timestamp()
FROM archive WHERE archive.id = archive_id AND passage.id = ANY (%s) AND NOT is_deleted
RETURNING passage.id
"""

REVISE = "UPDATE archive SET revision = revision + 1 WHERE id = ANY (%s)"
_REVISE_THOSE_OF = """
UPDATE archive SET revision = revision + 1 WHERE id IN (SELECT archive_id FROM passage WHERE id = ANY (%s))
"""

# What is about to be written over: as it stood until now, or until it was deleted.
KEEP = """
INSERT INTO passage_version (passage_id, since, until, text, indexed_text, embedding, embedding_model, length, author, tags, metadata)
SELECT passage.id, since, coalesce(until, revision), text, indexed_text, passage.embedding, embedding_model, length, author, tags,
    passage.metadata
FROM passage JOIN archive ON archive.id = archive_id WHERE passage.id = ANY (%s)
"""


def _filters(search: ArchivalSearch) -> tuple[list[str], dict[str, Any]]:
    """What a hit must be. The rest of the archive still counts for the rarity of words."""
    conditions, params = ["true"], dict[str, Any]()
    if search.tags:
        conditions.append("tags && %(tags)s::text[]" if search.tag_match_mode == "any" else "tags @> %(tags)s::text[]")
        params["tags"] = list(search.tags)
    for name, operator in (("start", ">="), ("end", "<=")):
        if (moment := getattr(search, name)) is not None:
            conditions.append(f"created_at {operator} %({name})s::timestamptz")
            params[name] = moment
    if quoted := phrases(search.query):
        conditions.append("indexed_text ILIKE ALL (%(phrases)s::text[])")
        params["phrases"] = [like(phrase) for phrase in quoted]
    return conditions, params


def _search_sql(conditions: list[str], with_vector: bool) -> str:
    # OFFSET 0 keeps the scan by itself: no planner can take a vector index over all archives and lose most of the rows.
    return f"""
WITH {PROBE},
authors AS MATERIALIZED (
    SELECT author, count(*) AS passages, sum(length) AS terms
    FROM passage WHERE {_OWNED} AND NOT is_deleted GROUP BY author
),
corpus AS MATERIALIZED (
    SELECT sum(passages)::float8 AS size, greatest(sum(terms) / sum(passages), 1)::float8 AS mean_length FROM authors
), {bm25_tables("passage_term", "passage_id", _OWNED)},
{named("SELECT author AS person FROM authors WHERE author IS NOT NULL")},
scanned AS NOT MATERIALIZED (
    SELECT id, author, created_at, {cosine("embedding") if with_vector else "NULL::float8"} AS cosine
    FROM passage WHERE {_OWNED} AND NOT is_deleted AND {" AND ".join(conditions)} OFFSET 0
),
best AS (
    SELECT id, cosine, coalesce(bm25, 0) AS bm25, prior,
        %(weight)s::float8 * coalesce(cosine, 0) + {bm25_share("bm25")} + prior AS score
    FROM scanned LEFT JOIN ranked USING (id) CROSS JOIN LATERAL (
        SELECT CASE WHEN author = (SELECT person FROM named) THEN {AUTHOR_PRIOR} ELSE 0 END::float8 AS prior
    ) AS priors
    WHERE bm25 > 0 OR cosine > 0
    ORDER BY score DESC, created_at DESC, id LIMIT %(candidates)s::int
)
SELECT best.id, score, cosine, bm25, prior, archive_id, text, author, tags, metadata, created_at
FROM best JOIN passage USING (id) ORDER BY score DESC, passage.created_at DESC, id
"""


_OWNED = "archive_id = ANY (%(archives)s::text[])"
