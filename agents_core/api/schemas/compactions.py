"""Compactions on the wire. The list is this product's own; the answer is the contract's (wire, section 13)."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import StringConstraints

from agents_core.api.paging import Cursor
from agents_core.api.schemas.common import Answer
from agents_core.api.wire import summary_text
from agents_core.models import Eviction


class CompactionAnswer(Answer):
    summary: str
    num_messages_before: int
    num_messages_after: int


class CompactionRecord(Answer):
    """See ``agents_core.models.Eviction``."""

    id: str
    agent_id: str
    conversation_id: str | None
    run_id: str | None
    step_id: str | None
    trigger: str
    mode: str
    message_ids: list[str]
    summary_id: str | None
    summary: str | None
    summarised_by: str
    generation: int
    first_seq: int | None
    last_seq: int | None
    tokens_before: int
    tokens_after: int
    messages_before: int
    messages_after: int
    retention: float | None
    kept_verbatim: list[str]
    unsupported: list[str]
    created_at: datetime

    @classmethod
    def of(cls, eviction: Eviction) -> Self:
        own = [name for name in cls.model_fields if name not in ("id", "summary")]
        stored = {name: getattr(eviction, name) for name in own}
        text = summary_text(eviction.summary.content) if eviction.summary else None
        return cls.model_construct(**stored, id=str(eviction.pk), summary=text)


Number = Annotated[str, StringConstraints(pattern=r"^\d{1,18}$")]


class CompactionFilter(Cursor):
    before: Number | None = None
    after: Number | None = None
    order_by: Literal["created_at"] = "created_at"
    conversation_id: str | None = None
