"""What a person or a client may do with the files of folders. Each is one transaction with its events and its job."""

import mimetypes
from pathlib import PurePath
from typing import Literal

from django.db import transaction

from agents_core.actions import folders
from agents_core.actions.agents import locked
from agents_core.errors import Conflict, InvalidInput, NotFound, Refused
from agents_core.events.publish import publish
from agents_core.events.types import AgentChanged
from agents_core.memory.files.opening import Opened, close_statement, names, open_statements
from agents_core.memory.files.reading import check_format
from agents_core.memory.files.views import view_of
from agents_core.models import Agent, AgentFile, File, FileContent, FileStatus, Folder
from agents_core.models.pipeline import Statement, run_sync
from agents_core.queue.tasks import defer_file

LIMIT_BYTES = 50 * 2**20
"""What an uploaded file may have."""

_LONGEST_NAME = 200
_DELETE_PASSAGES = (
    "DELETE FROM passage_term WHERE passage_id IN (SELECT id FROM passage WHERE archive_id = %s AND tags @> ARRAY[%s])",
    "DELETE FROM passage WHERE archive_id = %s AND tags @> ARRAY[%s]",
)

Duplicates = Literal["skip", "error", "suffix", "replace"]


class FileTooLarge(Refused):
    code = "file_too_large"
    http_status = 413


def get(file_id: str, folder_id: str) -> File:
    """The file of that folder; its content is read when it is asked for. Raises ``NotFound``."""
    files = File.objects.select_related("content").defer("content__upload", "content__text")
    file = files.filter(pk=file_id, folder=folder_id).first()
    if file is None:
        raise NotFound(f"There is no file {file_id} in this folder.")
    return file


def checked_name(name: str) -> str:
    """The last part of ``name``. Raises ``InvalidInput`` without one, ``UnknownFormat`` for a format that is not read here."""
    last = PurePath(name.replace("\\", "/")).name.strip()
    if not last or len(last) > _LONGEST_NAME or not last.isprintable():
        raise InvalidInput(f"A file's name has 1 to {_LONGEST_NAME} characters on one line.")
    check_format(last)
    return last


def check_size(size: int) -> None:
    """Raises ``InvalidInput`` for an empty file, ``FileTooLarge``."""
    if not size:
        raise InvalidInput("The file is empty.")
    if size > LIMIT_BYTES:
        raise FileTooLarge(f"The file has {size / 2**20:.1f} MB; {LIMIT_BYTES // 2**20} MB are possible: split it.")


def upload(
    folder_id: str, original_name: str, body: bytes, *, name: str | None = None, duplicates: Duplicates = "suffix"
) -> tuple[File, bool]:
    """Stores a file and queues its processing; gives it, and whether it is new: with "skip" the one of the same name is given instead.

    ``name`` is what it is called here, else ``original_name``. Raises ``NotFound`` without the folder, ``UnknownFormat``,
    ``InvalidInput``, ``FileTooLarge``, and with "error" ``Conflict`` for a name that is taken.
    """
    check_size(len(body))
    called = checked_name(name or original_name)
    with transaction.atomic():
        folder = folders.locked_folder(folder_id)
        same = File.objects.filter(folder=folder, name=called).first()
        if same and duplicates == "skip":
            return same, False
        if same and duplicates == "error":
            raise Conflict(f"There is a file named {called!r} in this folder already.")
        if same and duplicates == "replace":
            _delete(same, folder)
        elif same:
            called = _free_name(folder, called)
        return _store(folder, called, original_name, body), True


def _free_name(folder: Folder, name: str) -> str:
    path = PurePath(name)
    taken = set(File.objects.filter(folder=folder, name__startswith=path.stem).values_list("name", flat=True))
    number = 1
    while (free := f"{path.stem}_({number}){path.suffix}") in taken:
        number += 1
    return free


def _store(folder: Folder, name: str, original_name: str, body: bytes) -> File:
    media_type = mimetypes.guess_type(name)[0] or "text/plain"
    file = File.objects.create(
        folder=folder, name=name, original_name=original_name[-_LONGEST_NAME:], media_type=media_type, size_bytes=len(body)
    )  # fmt: skip
    file.content = FileContent.objects.create(file=file, upload=body)
    for agent_id in folders.lock_holders(folder.id):
        folders.give_files(Agent.objects.get(pk=agent_id), [file])
        publish(agent_id, AgentChanged(["files"]))
    run_sync([defer_file(file.id)])
    return file


def retry(file_id: str, folder_id: str) -> File:
    """Queues the processing of a file that failed, which goes on where it was. Raises ``NotFound``, ``Conflict``."""
    with transaction.atomic():
        folders.locked_folder(folder_id)
        file = get(file_id, folder_id)
        if file.status != FileStatus.ERROR:
            raise Conflict(f"{file.name} is {file.status}: only what failed can be tried again.")
        file.status, file.error = FileStatus.PENDING, None
        file.save(update_fields=["status", "error"])
        run_sync([defer_file(file.id)])
        folders.tell_holders(folder_id, "files")
    return file


def delete(file_id: str, folder_id: str) -> None:
    """Deletes the file with its passages, also for the agents that have it open. Raises ``NotFound``."""
    with transaction.atomic():
        folder = folders.locked_folder(folder_id)
        _delete(get(file_id, folder_id), folder)


def _delete(file: File, folder: Folder) -> None:
    folders.tell_holders(folder.id, "files")
    run_sync(Statement(sql, (folder.archive_id, file.id)) for sql in _DELETE_PASSAGES)
    file.delete()


# --- what an agent has open ---------------------------------------------------------------------------------------


def open_file(agent_id: str, file_id: str) -> list[str]:
    """Opens the file from its beginning; gives the names of the files that were closed for it.

    Raises ``NotFound``, and ``Refused`` for a file that could not be read.
    """
    with transaction.atomic():
        agent = locked(agent_id)
        link = _link(agent_id, file_id)
        if link.file.status == FileStatus.ERROR and link.file.content.text is None:
            raise Refused(f"{link.file.name} could not be read: {link.file.error}")
        view = view_of(link.file.content.text, 0, None, agent.per_file_view_window_char_limit)
        closed = names(run_sync(open_statements(agent_id, [Opened(file_id, view)]))[-1])
        publish(agent_id, AgentChanged(["files"]))
    return closed


def close_file(agent_id: str, file_id: str) -> None:
    """Closes the file; nothing happens when it is not open. Raises ``NotFound``."""
    with transaction.atomic():
        locked(agent_id)
        _link(agent_id, file_id)
        if run_sync([close_statement(agent_id, file_id)])[0]:
            publish(agent_id, AgentChanged(["files"]))


def close_all(agent_id: str) -> list[str]:
    """Closes all files of the agent; gives the names of those that were open. Raises ``NotFound``."""
    with transaction.atomic():
        locked(agent_id)
        closed = names(run_sync([close_statement(agent_id)])[0])
        if closed:
            publish(agent_id, AgentChanged(["files"]))
    return closed


def _link(agent_id: str, file_id: str) -> AgentFile:
    links = AgentFile.objects.select_related("file__content").defer("file__content__upload")
    link = links.filter(agent=agent_id, file=file_id).first()
    if link is None:
        raise NotFound(f"The agent has no file {file_id}: attach its folder first.")
    return link
