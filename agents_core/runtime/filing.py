"""Processing an uploaded file: its text read, cut into passages, and these embedded a few at a time, each batch for good."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from psycopg.errors import SerializationFailure

from agents_core.errors import AgentsError
from agents_core.events.publish import Publication, lock_agents
from agents_core.events.types import AgentChanged
from agents_core.memory.archival.base import AUTHOR_CHARS, PassageDraft, embedded
from agents_core.memory.archival.pgvector import PgvectorBackend
from agents_core.memory.files.apart import text_apart
from agents_core.memory.files.chunks import Chunk, chunks_of
from agents_core.memory.files.reading import Unreadable
from agents_core.memory.files.views import NOT_READ_YET, view_of
from agents_core.models import pipeline
from agents_core.models.pipeline import DATABASE_LOST, Statement
from agents_core.runtime.indexing import agent_embedder

logger = logging.getLogger(__name__)

TEXT_CHARS = 5_000_000
"""What the text of a file may have at most."""

_ATTEMPTS = 5
_BATCH = 32

_TAKE_UP = """
UPDATE file SET status = CASE WHEN chars IS NULL THEN 'parsing' ELSE 'embedding' END, error = NULL, updated_at = now()
FROM folder JOIN archive ON archive.id = archive_id
WHERE folder.id = folder_id AND file.id = %s AND status <> 'completed'
RETURNING file.id, file.name, archive_id, embedding, chars IS NOT NULL, chunks_embedded
"""
_UPLOAD = """
SELECT ensure(EXISTS (SELECT 1 FROM file_content WHERE file_id = %s), 'deleted'), (SELECT upload FROM file_content WHERE file_id = %s)
"""
_TEXT = "SELECT text FROM file_content WHERE file_id = %s"
_KEEP_TEXT = "UPDATE file_content SET text = %s WHERE file_id = %s"
_READ = """
UPDATE file SET status = 'embedding', chars = %s, chunks = %s, updated_at = now() WHERE id = %s AND status = 'parsing'
"""
_NEXT = "SELECT ensure(EXISTS (SELECT 1 FROM file WHERE id = %s AND status = 'embedding' AND chunks_embedded = %s FOR UPDATE), 'not ours')"
_EMBEDDED = "UPDATE file SET chunks_embedded = %s, updated_at = now() WHERE id = %s"
_COMPLETE = "UPDATE file SET status = 'completed', updated_at = now() WHERE id = %s AND status = 'embedding'"
_FORGET_UPLOAD = "UPDATE file_content SET upload = NULL WHERE file_id = %s"
_FAIL = "UPDATE file SET status = 'error', error = %s, updated_at = now() WHERE id = %s AND status <> 'completed'"
_CLOSE_UNREAD = """
UPDATE agent_file SET is_open = false, view = '', updated_at = now() FROM file WHERE file.id = file_id AND file_id = %s AND chars IS NULL
"""
_HOLDERS = "SELECT agent_id FROM agent_file WHERE file_id = %s"
# Whoever opened the file before its text was there has committed by then; whoever comes later finds the text.
_AFTER_OTHERS = "SELECT 1 FROM folder JOIN file ON folder_id = folder.id WHERE file.id = %s FOR UPDATE OF folder"
_WAITING = """
SELECT agent_id, start_line, per_file_view_window_char_limit FROM agent_file JOIN agent ON agent.id = agent_id
WHERE file_id = %s AND is_open AND view = %s
"""
_SHOW = """
UPDATE agent_file SET view = %s, start_line = %s, end_line = %s, updated_at = now() WHERE agent_id = %s AND file_id = %s AND is_open
"""


@dataclass(frozen=True, slots=True)
class _Work:
    file_id: str
    name: str
    archive_id: str
    embedding: str | None
    is_read: bool
    embedded: int


async def process(file_id: str, attempt: int) -> None:
    """Brings a file from where it stands to ``completed`` or ``error``; nothing is done twice when a worker died on the way.

    ``attempt`` counts the workers that took it up. A file that was deleted, or that another worker goes on with, is let go.
    """
    rows = (await pipeline.run([Statement(_TAKE_UP, (file_id,))]))[0]
    if not rows:
        return
    work = _Work(*rows[0])
    try:
        if attempt > _ATTEMPTS:
            raise Unreadable(
                f"The worker was stopped {_ATTEMPTS} times while it read this file: try again, or split it."
            )
        text = await _text(work)
        await _show(work, text)
        await _embed(work, chunks_of(text))
    except SerializationFailure:
        logger.info("The file %s was deleted, or is processed by another worker.", file_id)
    except AgentsError as error:
        await _fail(file_id, error.message)
    except DATABASE_LOST:
        raise
    except Exception:  # the border of a file: whatever trips over it is told on its row
        logger.exception("The file %s could not be processed", file_id)
        await _fail(file_id, "The processing failed; the log of the worker tells why.")


async def _text(work: _Work) -> str:
    """The text of the file, which is read first unless that was done."""
    if work.is_read:
        return str((await pipeline.run([Statement(_TEXT, (work.file_id,))]))[0][0][0])
    [[(_, upload)]] = await pipeline.run([Statement(_UPLOAD, (work.file_id, work.file_id))])
    text = pipeline.storable(await text_apart(work.name, bytes(upload)))
    if len(text) > TEXT_CHARS:
        raise Unreadable(f"The text has {len(text):,} characters; a file may have {TEXT_CHARS:,}: split it.")
    size = (len(text), len(chunks_of(text)), work.file_id)
    await pipeline.run([Statement(_READ, size), Statement(_KEEP_TEXT, (text, work.file_id))])
    return str(text)


async def _show(work: _Work, text: str) -> None:
    """Shows the text to the agents that opened the file before it was there."""
    _, waiting = await pipeline.run(
        [Statement(_AFTER_OTHERS, (work.file_id,)), Statement(_WAITING, (work.file_id, NOT_READ_YET))]
    )
    views = [(agent_id, view_of(text, start, None, limit)) for agent_id, start, limit in waiting]
    shown = [Statement(_SHOW, (view.text, view.start, view.end, agent_id, work.file_id)) for agent_id, view in views]
    await _tell(work.file_id, shown)


async def _embed(work: _Work, chunks: Sequence[Chunk]) -> None:
    chosen = await agent_embedder(work.embedding)
    backend = PgvectorBackend()
    for start in range(work.embedded, len(chunks), _BATCH):
        batch = chunks[start : start + _BATCH]
        drafts = await embedded([_draft(work, chunk) for chunk in batch], chosen)
        await pipeline.run(
            [
                Statement(_NEXT, (work.file_id, start)),
                *backend.insert_statements(drafts),
                Statement(_EMBEDDED, (start + len(batch), work.file_id)),
            ]
        )
    await _tell(work.file_id, [Statement(_COMPLETE, (work.file_id,)), Statement(_FORGET_UPLOAD, (work.file_id,))])


def _draft(work: _Work, chunk: Chunk) -> PassageDraft:
    """Filed under the file's id, so that its passages are found together."""
    facts = {"file_id": work.file_id, "line": chunk.line}
    return PassageDraft(work.archive_id, chunk.text, work.name[:AUTHOR_CHARS], [work.file_id], facts)


async def _fail(file_id: str, error: str) -> None:
    """Says on the file what went wrong, and closes it where there is nothing to see."""
    await _tell(file_id, [Statement(_FAIL, (error, file_id)), Statement(_CLOSE_UNREAD, (file_id,))])


async def _tell(file_id: str, statements: Sequence[Statement]) -> None:
    """Writes, and tells the agents that have the file."""
    holders = [agent_id for (agent_id,) in (await pipeline.run([Statement(_HOLDERS, (file_id,))]))[0]]
    told = []
    for agent_id in holders:
        publication = Publication(agent_id)
        publication.add(AgentChanged(["files"]))
        told.append(publication.statement())
    await pipeline.run([lock_agents(holders), *statements, *told])
