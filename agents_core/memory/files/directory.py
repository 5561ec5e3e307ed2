"""What an agent's prompt shows of its folders, read in one piece."""

from dataclasses import dataclass
from typing import Any

DIRECTORY_SQL = """
(SELECT json_build_array(agent.max_files_open, agent.per_file_view_window_char_limit, json_agg(json_build_array(
    folder.id, folder.name, folder.description, folder.instructions, (
        SELECT coalesce(json_agg(json_build_array(file.id, file.name, is_open, view) ORDER BY file.name, file.id), '[]')
        FROM agent_file JOIN file ON file.id = file_id WHERE agent_file.agent_id = agent.id AND file.folder_id = folder.id
    )) ORDER BY agent_folder.id))
FROM agent_folder JOIN folder ON folder.id = folder_id WHERE agent_folder.agent_id = agent.id HAVING count(*) > 0)
"""
"""An expression beside a row of ``agent``: NULL for an agent without folders, else what ``directory_of`` reads."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """``view`` is what is seen of an open file, None of a closed one."""

    id: str
    name: str
    view: str | None


@dataclass(frozen=True, slots=True)
class FolderFacts:
    id: str
    name: str
    description: str | None
    instructions: str | None
    files: list[FileFacts]


@dataclass(frozen=True, slots=True)
class Directory:
    """``max_open``: how many files may be open at once; ``view_chars``: what is seen of each at most."""

    max_open: int
    view_chars: int
    folders: list[FolderFacts]

    @property
    def open_count(self) -> int:
        return sum(file.view is not None for folder in self.folders for file in folder.files)


def directory_of(value: list[Any] | None) -> Directory | None:
    """The value of ``DIRECTORY_SQL``."""
    if value is None:
        return None
    max_open, view_chars, folders = value
    return Directory(max_open, view_chars, [_folder(*folder) for folder in folders])


def _folder(
    folder_id: str, name: str, description: str | None, instructions: str | None, files: list[Any]
) -> FolderFacts:
    facts = [
        FileFacts(file_id, f"{name}/{file_name}", view if is_open else None)
        for file_id, file_name, is_open, view in files
    ]
    return FolderFacts(folder_id, name, description, instructions, facts)
