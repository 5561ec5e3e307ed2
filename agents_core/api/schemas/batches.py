"""Batches on the wire (contract: wire, section 8)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from agents_core.actions.batches import status_of
from agents_core.api.ids import AgentId
from agents_core.api.paging import Cursor
from agents_core.api.schemas.common import Answer, Body
from agents_core.api.schemas.messages import SendRequest
from agents_core.models import Batch


class BatchItem(SendRequest):
    agent_id: AgentId


class BatchCreate(Body):
    requests: list[BatchItem]
    callback_url: str | None = None


class BatchResponse(Answer):
    id: str
    status: str
    job_type: str = "batch"
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None
    metadata: dict[str, Any]
    callback_url: str | None
    callback_sent_at: datetime | None
    callback_status_code: int | None
    callback_error: str | None
    background: bool = True
    agent_id: str | None = None
    stop_reason: str | None = None
    ttft_ns: int | None = None
    total_duration_ns: int | None = None
    created_by_id: str | None = None
    last_updated_by_id: str | None = None

    @classmethod
    def of(cls, batch: Batch, runs: Sequence[tuple[str, str]]) -> "BatchResponse":
        """``runs``: their ids and statuses."""
        stored = {name: getattr(batch, name) for name in _STORED}
        counts: dict[str, int] = {}
        for _, status in runs:
            counts[status] = counts.get(status, 0) + 1
        metadata = {"run_ids": [run_id for run_id, _ in runs], "runs": counts}
        return cls.model_construct(**stored, status=status_of(batch, [status for _, status in runs]), metadata=metadata)


_STORED = (
    "id",
    "created_at",
    "updated_at",
    "completed_at",
    "callback_url",
    "callback_sent_at",
    "callback_status_code",
    "callback_error",
)


class BatchCursor(Cursor):
    limit: int = Field(100, ge=1, le=1000)


class BatchMessageCursor(BatchCursor):
    agent_id: str | None = None
