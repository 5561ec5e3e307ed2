"""Folders of files, and an agent's: older clients call them sources (agents_core.api.urls)."""

from django.db.models import Count, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from ninja import File as FormFile
from ninja import Query, Router
from ninja.files import UploadedFile

from agents_core.actions import agents, files, folders
from agents_core.api.agent_states import EVERYTHING, state
from agents_core.api.ids import AgentId, FileId, FolderId
from agents_core.api.paging import Cursor, Sort, page
from agents_core.api.parser import clean
from agents_core.api.reply import reply
from agents_core.api.schemas.agents import AgentState
from agents_core.api.schemas.archives import PassageResponse
from agents_core.api.schemas.folders import (
    AgentFileList,
    AgentFilePage,
    AgentFileResponse,
    FileList,
    FileResponse,
    FileSize,
    FolderCreate,
    FolderFilter,
    FolderResponse,
    FolderSize,
    FoldersSize,
    FolderUpdate,
    HundredCursor,
    Upload,
    WithContent,
)
from agents_core.errors import NotFound
from agents_core.models import Agent, AgentFile, File, Folder, Passage

router = Router(tags=["folders"])
agent_router = Router(tags=["folders"])


@router.get("/", response=list[FolderResponse])
def list_folders(request: HttpRequest, query: Query[FolderFilter]) -> HttpResponse:
    rows = Folder.objects.select_related("archive")
    if query.name is not None:
        rows = rows.filter(name=query.name)
    return reply([FolderResponse.of(folder) for folder in page(rows, query, Sort(strict=True))])


@router.post("/", response=FolderResponse)
def create_folder(request: HttpRequest, body: FolderCreate) -> HttpResponse:
    return reply(FolderResponse.of(folders.create(body.fields())))


@router.get("/count", response=int)
def count_folders(request: HttpRequest) -> HttpResponse:
    return reply(Folder.objects.count())


@router.get("/metadata", response=FoldersSize)
def measure_folders(request: HttpRequest, include_detailed_per_source_metadata: bool = False) -> HttpResponse:
    """How many folders and files there are and how large they are."""
    stored = File.objects.aggregate(count=Count("id"), size=Coalesce(Sum("size_bytes"), 0))
    each = Folder.objects.prefetch_related("files").order_by("name") if include_detailed_per_source_metadata else []
    measured = [_measured(folder) for folder in each]
    return reply(
        FoldersSize(
            total_sources=Folder.objects.count(),
            total_files=stored["count"],
            total_size=int(stored["size"]),
            sources=measured,
        )
    )


def _measured(folder: Folder) -> FolderSize:
    sizes = [FileSize(file_id=one.id, file_name=one.name, file_size=one.size_bytes) for one in folder.files.all()]
    return FolderSize(
        source_id=folder.id,
        source_name=folder.name,
        file_count=len(sizes),
        total_size=sum(one.file_size for one in sizes),
        files=sizes,
    )


@router.get("/name/{folder_name}", response=str)
def find_folder(request: HttpRequest, folder_name: str) -> HttpResponse:
    folder_id = Folder.objects.filter(name=folder_name).values_list("id", flat=True).first()
    if folder_id is None:
        raise NotFound(f"There is no folder named {folder_name!r}.")
    return reply(folder_id)


@router.get("/{folder_id}", response=FolderResponse)
def retrieve_folder(request: HttpRequest, folder_id: FolderId) -> HttpResponse:
    return reply(FolderResponse.of(folders.get(folder_id)))


@router.patch("/{folder_id}", response=FolderResponse)
def modify_folder(request: HttpRequest, folder_id: FolderId, body: FolderUpdate) -> HttpResponse:
    return reply(FolderResponse.of(folders.modify(folder_id, body.changes())))


@router.delete("/{folder_id}")
def delete_folder(request: HttpRequest, folder_id: FolderId) -> HttpResponse:
    folders.delete(folder_id)
    return reply(None)


@router.get("/{folder_id}/agents", response=list[str])
def list_agents_of_folder(request: HttpRequest, folder_id: FolderId, query: Query[Cursor]) -> HttpResponse:
    folders.get(folder_id)
    return reply([agent.id for agent in page(Agent.objects.filter(folder_links__folder=folder_id), query)])


@router.get("/{folder_id}/passages", response=list[PassageResponse])
def list_passages_of_folder(request: HttpRequest, folder_id: FolderId, query: Query[HundredCursor]) -> HttpResponse:
    rows = Passage.objects.filter(archive=folders.get(folder_id).archive_id, is_deleted=False)
    names = dict(File.objects.filter(folder=folder_id).values_list("id", "name"))
    found = page(rows.defer("embedding", "indexed_text"), query)
    return reply([_of_file(passage, folder_id, names) for passage in found])


def _of_file(passage: Passage, folder_id: str, names: dict[str, str]) -> PassageResponse:
    file_id = passage.metadata["file_id"]
    about = {"source_id": folder_id, "file_id": file_id, "file_name": names.get(file_id), "tags": []}
    return PassageResponse.of(passage).model_copy(update=about)


# --- files --------------------------------------------------------------------------------------------------------


@router.post("/{folder_id}/upload", response=FileResponse)
def upload_file(
    request: HttpRequest, folder_id: FolderId, query: Query[Upload], file: FormFile[UploadedFile]
) -> HttpResponse:
    files.check_size(file.size or 0)
    name: str = clean(file.name or "")
    stored, is_new = files.upload(
        folder_id, name, file.read(), name=query.name, duplicates=query.duplicate_handling
    )  # fmt: skip
    answer = reply(FileResponse.of(stored))
    if not is_new:
        answer["X-Upload-Result"] = "skipped"
    return answer


@router.get("/{folder_id}/files", response=list[FileResponse])
def list_files(request: HttpRequest, folder_id: FolderId, query: Query[FileList]) -> HttpResponse:
    folders.get(folder_id)
    rows = File.objects.filter(folder=folder_id)
    if query.include_content:
        rows = rows.select_related("content").defer("content__upload")
    found = page(rows, query, Sort(strict=True))
    return reply([FileResponse.of(file, with_content=query.include_content) for file in found])


@router.get("/{folder_id}/files/{file_id}", response=FileResponse)
def retrieve_file(
    request: HttpRequest, folder_id: FolderId, file_id: FileId, query: Query[WithContent]
) -> HttpResponse:
    return reply(FileResponse.of(files.get(file_id, folder_id), with_content=query.include_content))


@router.delete("/{folder_id}/{file_id}")
def delete_file(request: HttpRequest, folder_id: FolderId, file_id: FileId) -> HttpResponse:
    files.delete(file_id, folder_id)
    return HttpResponse(status=204)


# --- an agent's ---------------------------------------------------------------------------------------------------


@agent_router.get("/{agent_id}/folders", response=list[FolderResponse])
def list_folders_of_agent(request: HttpRequest, agent_id: AgentId, query: Query[HundredCursor]) -> HttpResponse:
    agents.get(agent_id)
    rows = Folder.objects.select_related("archive").filter(agent_links__agent=agent_id)
    return reply([FolderResponse.of(folder) for folder in page(rows, query, Sort(strict=True))])


@agent_router.patch("/{agent_id}/folders/attach/{folder_id}", response=AgentState)
def attach_folder(request: HttpRequest, agent_id: AgentId, folder_id: FolderId) -> HttpResponse:
    return reply(state(folders.attach(agent_id, folder_id), EVERYTHING))


@agent_router.patch("/{agent_id}/folders/detach/{folder_id}", response=AgentState)
def detach_folder(request: HttpRequest, agent_id: AgentId, folder_id: FolderId) -> HttpResponse:
    return reply(state(folders.detach(agent_id, folder_id), EVERYTHING))


@agent_router.get("/{agent_id}/files", response=AgentFilePage)
def list_files_of_agent(request: HttpRequest, agent_id: AgentId, query: Query[AgentFileList]) -> HttpResponse:
    agents.get(agent_id)
    rows = AgentFile.objects.filter(agent=agent_id).select_related("file__folder")
    if query.is_open is not None:
        rows = rows.filter(is_open=query.is_open)
    wanted = query.model_copy(update={"after": query.after or query.cursor, "limit": query.limit + 1})
    found = page(rows, wanted, Sort(strict=True))
    has_more, shown = len(found) > query.limit, found[: query.limit]
    cursor = shown[-1].id if has_more else None
    return reply(
        AgentFilePage(files=[AgentFileResponse.of(link) for link in shown], next_cursor=cursor, has_more=has_more)
    )


@agent_router.patch("/{agent_id}/files/close-all", response=list[str])
def close_all_files(request: HttpRequest, agent_id: AgentId) -> HttpResponse:
    return reply(files.close_all(agent_id))


@agent_router.patch("/{agent_id}/files/{file_id}/open", response=list[str])
def open_file(request: HttpRequest, agent_id: AgentId, file_id: FileId) -> HttpResponse:
    return reply(files.open_file(agent_id, file_id))


@agent_router.patch("/{agent_id}/files/{file_id}/close")
def close_file(request: HttpRequest, agent_id: AgentId, file_id: FileId) -> HttpResponse:
    files.close_file(agent_id, file_id)
    return reply({"message": "The file is closed."})
