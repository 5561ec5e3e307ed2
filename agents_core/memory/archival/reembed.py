"""The vectors of an archive made anew, after its embedder changed or while it was away."""

from agents_core.llm.base import Embedder
from agents_core.memory.embedders import as_halfvec
from agents_core.models import pipeline
from agents_core.models.pipeline import Statement, json

BATCH_PASSAGES = 64


async def reembed(archive_id: str, embedder: Embedder) -> int:
    """Embed every passage whose vector is absent or of another model; gives how many were written.

    Batch by batch, each committed by itself: interrupted, it goes on where it was. A passage that is edited meanwhile
    is left to its editor. Raises what the embedder raises.
    """
    written, after = 0, ""
    while rows := (await pipeline.run([Statement(_STALE, (archive_id, embedder.name, after, BATCH_PASSAGES))]))[0]:
        vectors = await embedder.embed([indexed_text for _, indexed_text in rows])
        given = [
            {"id": passage_id, "indexed_text": indexed_text, "embedding": as_halfvec(vector)}
            for (passage_id, indexed_text), vector in zip(rows, vectors, strict=True)
        ]
        [done] = await pipeline.run([Statement(_WRITE, (embedder.name, json(given)))])
        written, after = written + len(done), rows[-1][0]
    return written


_STALE = """
SELECT id, indexed_text FROM passage
WHERE archive_id = %s AND NOT is_deleted AND embedding_model IS DISTINCT FROM %s AND id > %s ORDER BY id LIMIT %s
"""

_WRITE = """
UPDATE passage SET embedding = given.embedding::halfvec, embedding_model = %s, updated_at = statement_timestamp()
FROM jsonb_to_recordset(%s) AS given(id text, indexed_text text, embedding text)
WHERE passage.id = given.id AND passage.indexed_text = given.indexed_text
RETURNING passage.id
"""
