"""Archives and passages on the wire (contract: wire, sections 5, 15 and 16)."""

from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import Field

from agents_core.api.paging import Cursor
from agents_core.api.schemas.common import Answer, Body
from agents_core.api.schemas.configs import embedding_config
from agents_core.memory.archival.base import Hit, PassageDraft
from agents_core.models import Archive, Passage

ORGANIZATION = "org-00000000-0000-4000-8000-000000000000"


class ArchiveResponse(Answer):
    id: str
    name: str
    description: str | None
    organization_id: str = ORGANIZATION
    vector_db_provider: str = "native"
    embedding_config: dict[str, Any] | None
    metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    created_by_id: str | None = None
    last_updated_by_id: str | None = None

    @classmethod
    def of(cls, archive: Archive) -> "ArchiveResponse":
        return cls.model_construct(
            id=archive.id,
            name=archive.name,
            description=archive.description,
            embedding_config=embedding_config(archive.embedding),
            metadata=archive.metadata,
            created_at=archive.created_at,
            updated_at=archive.updated_at,
        )


class ArchiveCreate(Body):
    name: str = Field(min_length=1)
    description: str | None = None
    embedding: str | None = None
    embedding_config: dict[str, Any] | None = None


class ArchiveUpdate(Body):
    name: str | None = Field(None, min_length=1)
    description: str | None = None


class ArchiveFilter(Cursor):
    name: str | None = None
    agent_id: str | None = None


class PassageResponse(Answer):
    """``embedding`` is left out of answers: it is long, and of use only here."""

    id: str
    text: str
    embedding: list[float] | None = None
    embedding_config: dict[str, Any] | None = None
    tags: list[str]
    metadata: dict[str, Any]
    archive_id: str
    source_id: str | None = None
    file_id: str | None = None
    file_name: str | None = None
    organization_id: str = ORGANIZATION
    is_deleted: bool = False
    created_at: datetime
    updated_at: datetime | None = None
    created_by_id: str | None = None
    last_updated_by_id: str | None = None

    @classmethod
    def of(cls, passage: Passage | Hit) -> "PassageResponse":
        return cls.model_construct(
            id=passage.id,
            text=passage.text,
            tags=passage.tags,
            metadata=passage.metadata,
            archive_id=passage.archive_id,
            created_at=passage.created_at,
            updated_at=getattr(passage, "updated_at", None),
        )


class PassageCreate(Body):
    text: str = Field(min_length=1)
    tags: list[str] | None = None
    metadata: dict[str, Any] | None = None
    created_at: datetime | None = None

    def draft(self, archive_id: str) -> PassageDraft:
        return PassageDraft(
            archive_id,
            self.text,
            tags=self.tags or [],
            metadata=self.metadata or {},
            created_at=aware(self.created_at) or datetime.now(UTC),
        )


class PassageBatch(Body):
    passages: list[PassageCreate] = Field(min_length=1, max_length=1000)


class PassageUpdate(Body):
    text: str | None = Field(None, min_length=1)
    tags: list[str] | None = None
    metadata: dict[str, Any] | None = None


class PassageList(Body):
    after: str | None = None
    before: str | None = None
    limit: int = Field(100, ge=1, le=1000)
    ascending: bool = True
    search: str | None = None


class AgentPassageSearch(Body):
    query: str
    tags: list[str] | None = None
    tag_match_mode: Literal["any", "all"] = "any"
    top_k: int | None = Field(None, ge=1, le=100)
    start_datetime: datetime | None = None
    end_datetime: datetime | None = None


class PassageSearch(Body):
    query: str | None = None
    agent_id: str | None = None
    archive_id: str | None = None
    tags: list[str] | None = None
    tag_match_mode: Literal["any", "all"] = "any"
    limit: int = Field(50, ge=1, le=100)
    start_date: datetime | None = None
    end_date: datetime | None = None


def aware(moment: datetime | None) -> datetime | None:
    """``moment``; without an offset it means UTC."""
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment
