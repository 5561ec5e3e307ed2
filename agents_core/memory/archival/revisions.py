"""An archive as it was at any of its revisions: copied, or brought back.

All of it is for the caller's transaction on Django's connection.
"""

from collections.abc import Mapping

from agents_core.memory.archival.pgvector import DELETE_TERMS, INSERT_TERMS, KEEP, MARK_DELETED, REVISE
from agents_core.memory.words import folded
from agents_core.models.pipeline import Statement, json, run_sync

_COLUMNS = "text, indexed_text, embedding, embedding_model, length, author, tags, metadata"


def _columns_of(table: str) -> str:
    return ", ".join(f"{table}.{name}" for name in _COLUMNS.split(", "))


_AS_OF = f"""
SELECT id, {_COLUMNS}, step_id, created_at FROM passage
WHERE archive_id = %(archive)s AND since <= %(revision)s AND (NOT is_deleted OR until > %(revision)s)
UNION ALL
SELECT passage.id, {_columns_of("version")}, step_id, created_at
FROM passage JOIN passage_version AS version ON passage_id = passage.id
WHERE archive_id = %(archive)s AND version.since <= %(revision)s AND version.until > %(revision)s
"""

_NOW = f"SELECT id, {_COLUMNS}, step_id, created_at FROM passage WHERE archive_id = %(archive)s AND NOT is_deleted"


def count(archive_id: str, revision: int) -> int:
    """How many passages the archive held at ``revision``."""
    params = {"archive": archive_id, "revision": revision}
    [[(passages,)]] = run_sync([Statement(f"SELECT count(*) FROM ({_AS_OF}) AS passage", params)])
    return int(passages)


def copy(archive_id: str, revision: int, owner: str) -> str:
    """A new archive with copies of the passages that this one held at ``revision``, vectors and words with them; gives its id, which is
    ``copy_id(owner, …)`` of the original's as theirs are."""
    params = {"archive": archive_id, "revision": revision, "owner": owner}
    [[(copied,)], *_] = run_sync(Statement(sql, params) for sql in (_COPY, _COPY_PASSAGES, _COPY_TERMS))
    _index(copied)
    return str(copied)


_COPY = """
INSERT INTO archive (id, name, description, embedding, metadata)
SELECT copy_id(%(owner)s, id), name, description, embedding, metadata FROM archive WHERE id = %(archive)s RETURNING id
"""
_COPY_PASSAGES = f"""
INSERT INTO passage (id, archive_id, {_COLUMNS}, created_at, is_deleted)
SELECT copy_id(%(owner)s, id), copy_id(%(owner)s, %(archive)s), {_COLUMNS}, created_at, false FROM ({_AS_OF}) AS passage
"""
_COPY_TERMS = """
INSERT INTO passage_term (archive_id, lexeme, passage_id, frequency, length)
SELECT copy_id(%(owner)s, %(archive)s), lexeme, copy_id(%(owner)s, passage.id), frequency, term.length
FROM passage JOIN passage_term AS term ON passage_id = passage.id
WHERE passage.archive_id = %(archive)s AND since <= %(revision)s AND NOT is_deleted
"""


def restore(archive_id: str, revision: int) -> int:
    """Brings the archive back to what it held at ``revision``, as a new revision; gives how many passages that changed."""
    return _bring(archive_id, _AS_OF, {"archive": archive_id, "revision": revision})


def take_over(archive_id: str, other_id: str, owner: str) -> int:
    """Brings the archive to what another one holds, a copy of it made for ``owner``; gives how many passages that changed. A passage that
    is there and in the copy stays the same one, whatever it says now."""
    params = {"archive": other_id, "original": archive_id, "owner": owner}
    return _bring(archive_id, _ORIGINALS, params)


_ORIGINALS = f"""
SELECT coalesce(original.id, copy_id(%(original)s, own.id)) AS id, {_columns_of("own")}, NULL::text AS step_id, own.created_at
FROM ({_NOW}) AS own LEFT JOIN passage AS original
    ON original.archive_id = %(original)s AND copy_id(%(owner)s, original.id) = own.id
"""


def _bring(archive_id: str, wanted: str, params: Mapping[str, object]) -> int:
    run_sync([Statement(REVISE, ([archive_id],))])
    params = {**params, "held": archive_id}
    rewritten, gone = (
        [passage_id for (passage_id,) in rows]
        for rows in run_sync([Statement(sql.format(wanted=wanted), params) for sql in (_REWRITTEN, _GONE)])
    )
    changed = Statement(_REWRITE.format(wanted=wanted), {**params, "ids": rewritten})
    added = Statement(_ADD.format(wanted=wanted), params)
    [*_, new] = run_sync(
        [
            Statement(KEEP, (rewritten,)),
            changed,
            Statement(MARK_DELETED, (gone,)),
            Statement(DELETE_TERMS, ([*rewritten, *gone],)),
            added,
        ]
    )
    _index(archive_id)
    return len(rewritten) + len(gone) + len(new)


_REWRITTEN = """
SELECT id FROM ({wanted}) AS wanted JOIN passage USING (id)
WHERE is_deleted OR (passage.text, passage.author, passage.tags, passage.metadata)
    IS DISTINCT FROM (wanted.text, wanted.author, wanted.tags, wanted.metadata)
"""
_GONE = """
SELECT id FROM passage WHERE archive_id = %(held)s AND NOT is_deleted AND id NOT IN (SELECT id FROM ({wanted}) AS wanted)
"""
_REWRITE = f"""
UPDATE passage SET ({_COLUMNS}) = ROW({_columns_of("wanted")}),
    is_deleted = false, since = revision, until = NULL, updated_at = statement_timestamp()
FROM ({{wanted}}) AS wanted, archive
WHERE passage.id = wanted.id AND passage.id = ANY (%(ids)s) AND archive.id = %(held)s
"""
_ADD = f"""
INSERT INTO passage (id, archive_id, {_COLUMNS}, created_at, is_deleted, since)
SELECT wanted.id, %(held)s, {_columns_of("wanted")}, wanted.created_at, false, revision
FROM ({{wanted}}) AS wanted, archive
WHERE archive.id = %(held)s AND NOT EXISTS (SELECT FROM passage WHERE passage.id = wanted.id) RETURNING id
"""


def _index(archive_id: str) -> None:
    """Makes the words findable of passages that are not."""
    [rows] = run_sync([Statement(_WITHOUT_TERMS, (archive_id,))])
    given = [{"id": passage_id, "archive_id": archive_id, "words": folded(text)} for passage_id, text in rows]
    if given:
        run_sync([Statement(INSERT_TERMS, (json(given),))])


_WITHOUT_TERMS = """
SELECT id, indexed_text FROM passage WHERE archive_id = %s AND NOT is_deleted AND length > 0
    AND NOT EXISTS (SELECT FROM passage_term WHERE passage_id = passage.id)
"""
