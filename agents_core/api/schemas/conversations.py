"""Conversations on the wire (contract: wire, section 13)."""

from datetime import datetime
from typing import Any, Literal

from agents_core.api.paging import Cursor
from agents_core.api.schemas.common import Answer, Body
from agents_core.models import Conversation


class ConversationResponse(Answer):
    id: str
    agent_id: str
    summary: str | None
    in_context_message_ids: list[str] | None
    isolated_block_ids: list[str]
    model: str | None
    model_settings: dict[str, Any] | None
    last_message_at: datetime | None
    archived: bool = False
    archived_at: datetime | None = None
    description: str | None = None
    context_window_limit: int | None = None
    created_at: datetime
    updated_at: datetime
    created_by_id: str | None = None
    last_updated_by_id: str | None = None

    @classmethod
    def of(cls, conversation: Conversation, message_ids: list[str] | None) -> "ConversationResponse":
        names = ("id", "agent_id", "summary", "model", "model_settings", "last_message_at", "created_at", "updated_at")
        stored = {name: getattr(conversation, name) for name in names}
        return cls.model_construct(**stored, in_context_message_ids=message_ids, isolated_block_ids=[])


class ConversationUpdate(Body):
    summary: str | None = None
    model: str | None = None
    model_settings: dict[str, Any] | None = None


class ConversationCreate(ConversationUpdate):
    isolated_block_labels: list[str] | None = None


class ConversationFilter(Cursor):
    agent_id: str | None = None
    summary_search: str | None = None
    archive_status: Literal["unarchived", "archived", "all"] | None = None
