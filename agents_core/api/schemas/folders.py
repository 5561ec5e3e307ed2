"""Folders, their files, and an agent's files on the wire (contract: wire, section 17). A folder is an older client's source."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from agents_core.actions.files import Duplicates
from agents_core.api.paging import AscendingCursor, Cursor, Limit
from agents_core.api.schemas.archives import ORGANIZATION
from agents_core.api.schemas.common import Answer, Body, StrictBody
from agents_core.api.schemas.configs import embedding_config
from agents_core.models import AgentFile, File, Folder


class FolderResponse(Answer):
    id: str
    name: str
    description: str | None
    instructions: str | None
    metadata: dict[str, Any]
    embedding_config: dict[str, Any] | None
    organization_id: str = ORGANIZATION
    vector_db_provider: str = "native"
    created_at: datetime
    updated_at: datetime
    created_by_id: str | None = None
    last_updated_by_id: str | None = None

    @classmethod
    def of(cls, folder: Folder) -> "FolderResponse":
        """``folder.archive`` is read."""
        own = ("id", "name", "description", "instructions", "metadata", "created_at", "updated_at")
        config = embedding_config(folder.archive.embedding)
        return cls.model_construct(**{name: getattr(folder, name) for name in own}, embedding_config=config)


class FileSize(Answer):
    file_id: str
    file_name: str
    file_size: int


class FolderSize(Answer):
    source_id: str
    source_name: str
    file_count: int
    total_size: int
    files: list[FileSize]


class FoldersSize(Answer):
    """Sizes are bytes of the files as they were uploaded; ``sources`` is empty unless each is asked for."""

    total_sources: int
    total_files: int
    total_size: int
    sources: list[FolderSize]


class FolderCreate(StrictBody):
    name: str
    description: str | None = None
    instructions: str | None = None
    metadata: dict[str, Any] | None = None
    embedding: str | None = None
    embedding_config: dict[str, Any] | None = None
    embedding_chunk_size: int | None = None

    def fields(self) -> dict[str, object]:
        """What a folder is made from. How long a passage is does not depend on what was asked for."""
        own = {name: value for name, value in self.given().items() if not name.startswith("embedding")}
        handle = self.embedding or (self.embedding_config or {}).get("handle")
        return {**own, "embedding": handle}


class FolderUpdate(StrictBody):
    name: str | None = None
    description: str | None = None
    instructions: str | None = None
    metadata: dict[str, Any] | None = None
    embedding_config: dict[str, Any] | None = None

    def changes(self) -> dict[str, object]:
        """The embedder stays: other vectors would not be like those that are there."""
        return {name: value for name, value in self.given().items() if name != "embedding_config"}


class FolderFilter(AscendingCursor):
    name: str | None = None


class FileResponse(Answer):
    id: str
    source_id: str
    folder_id: str
    file_name: str
    original_file_name: str
    file_path: str | None = None
    file_type: str
    file_size: int
    file_creation_date: str | None = None
    file_last_modified_date: str | None = None
    processing_status: str
    error_message: str | None
    total_chunks: int | None
    chunks_embedded: int
    content: str | None = None
    organization_id: str = ORGANIZATION
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, file: File, *, with_content: bool = False) -> "FileResponse":
        return cls.model_construct(
            id=file.id,
            source_id=file.folder_id,
            folder_id=file.folder_id,
            file_name=file.name,
            original_file_name=file.original_name,
            file_type=file.media_type,
            file_size=file.size_bytes,
            processing_status=file.status,
            error_message=file.error,
            total_chunks=file.chunks,
            chunks_embedded=file.chunks_embedded,
            content=file.content.text if with_content else None,
            created_at=file.created_at,
            updated_at=file.updated_at,
        )


class FileList(Cursor):
    limit: Limit = 1000
    include_content: bool = False


class WithContent(Body):
    include_content: bool = False


class Upload(Body):
    duplicate_handling: Duplicates = "suffix"
    name: str | None = Field(None, min_length=1)


class AgentFileResponse(Answer):
    id: str
    file_id: str
    file_name: str
    folder_id: str
    folder_name: str
    is_open: bool
    last_accessed_at: datetime | None
    visible_content: str | None
    start_line: int | None
    end_line: int | None

    @classmethod
    def of(cls, link: AgentFile) -> "AgentFileResponse":
        folder = link.file.folder
        return cls.model_construct(
            id=link.id,
            file_id=link.file_id,
            file_name=f"{folder.name}/{link.file.name}",
            folder_id=folder.id,
            folder_name=folder.name,
            is_open=link.is_open,
            last_accessed_at=link.last_accessed_at,
            visible_content=link.view if link.is_open else None,
            start_line=link.start_line if link.is_open else None,
            end_line=link.end_line if link.is_open else None,
        )


class AgentFileList(Cursor):
    limit: Limit = 100
    cursor: str | None = None
    is_open: bool | None = None
    order: Literal["asc", "desc"] = "desc"


class AgentFilePage(Answer):
    files: list[AgentFileResponse]
    next_cursor: str | None
    has_more: bool


class HundredCursor(Cursor):
    limit: Limit = 100
