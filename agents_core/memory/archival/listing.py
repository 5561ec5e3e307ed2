"""Passages in the order of their times."""

from collections.abc import Sequence
from typing import Any

from agents_core.models import pipeline
from agents_core.models.pipeline import Statement

_LISTED = """
SELECT id, text, tags, created_at, archive_id FROM passage
WHERE archive_id = ANY(%s) AND NOT is_deleted AND position(lower(%s) IN lower(text)) > 0 ORDER BY created_at {0}, id {0} LIMIT %s
"""


async def listed(archive_ids: Sequence[str], search: str, limit: int, *, ascending: bool) -> list[dict[str, Any]]:
    """{id, text, tags, created_at, archive_id} of the first or last ``limit`` that hold the text ``search``."""
    statement = Statement(_LISTED.format("ASC" if ascending else "DESC"), (list(archive_ids), search, limit))
    return [
        {"id": ref, "text": text, "tags": tags, "created_at": created_at.isoformat(), "archive_id": archive_id}
        for ref, text, tags, created_at, archive_id in (await pipeline.run([statement]))[0]
    ]
