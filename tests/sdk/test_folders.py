"""Folders and files through letta-client 1.12.1, as an application uses them."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from letta_client import APIStatusError, ConflictError, NotFoundError

NOTES = "# Otters\n\nOtters hold hands while they sleep.\n"


@pytest.fixture
def folder(client: Any) -> Iterator[Any]:
    made = client.folders.create(name=f"Notes {time.monotonic_ns()}", embedding="local/hashing", description="Mine")
    yield made
    client.folders.delete(made.id)


def uploaded(client: Any, folder: Any, name: str = "otters.md", text: str = NOTES, **options: Any) -> Any:
    file = client.folders.files.upload(folder.id, file=(name, text.encode()), **options)
    for _ in range(200):
        file = client.folders.files.retrieve(file.id, folder_id=folder.id, include_content=True)
        if file.processing_status in ("completed", "error"):
            return file
        time.sleep(0.05)
    raise AssertionError(file.processing_status)


def test_a_folder_from_its_making_to_its_end(client: Any) -> None:
    made = client.folders.create(name=f"Brief {time.monotonic_ns()}", metadata={"a": 1})
    assert client.folders.retrieve(made.id).name == made.name
    assert made.id in [each.id for each in client.folders.list()]
    assert client.folders.update(made.id, instructions="Cite.").instructions == "Cite."
    with pytest.raises(ConflictError):
        client.with_options(max_retries=0).folders.create(name=made.name)
    client.folders.delete(made.id)
    with pytest.raises(NotFoundError):
        client.folders.retrieve(made.id)


def test_a_file_is_uploaded_processed_listed_and_deleted(client: Any, folder: Any) -> None:
    file = uploaded(client, folder)
    assert (file.processing_status, file.content, file.chunks_embedded) == ("completed", NOTES, 1)
    assert [each.id for each in client.folders.files.list(folder.id)] == [file.id]
    same = client.folders.files.upload(folder.id, file=("otters.md", b"x"), duplicate_handling="skip")
    assert same.id == file.id
    with pytest.raises(APIStatusError, match="cannot be read"):
        client.folders.files.upload(folder.id, file=("otters.png", b"x"))
    client.folders.files.delete(file.id, folder_id=folder.id)
    assert list(client.folders.files.list(folder.id)) == []


def test_an_agent_gets_a_folder_opens_and_closes_its_files(client: Any, folder: Any) -> None:
    first, second = (uploaded(client, folder, name) for name in ("a.md", "b.md"))
    agent = client.agents.create(name="Reader", model="offline/rules", max_files_open=1)
    client.agents.folders.attach(folder.id, agent_id=agent.id)
    assert [each.id for each in client.agents.folders.list(agent.id)] == [folder.id]
    assert list(client.folders.agents.list(folder.id)) == [agent.id]
    assert {"open_files", "grep_files", "semantic_search_files"} <= {t.name for t in client.agents.tools.list(agent.id)}
    [opened] = client.agents.files.list(agent.id, is_open=True)
    assert (opened.file_id, opened.start_line, opened.end_line) == (first.id, 0, 4)
    assert client.agents.files.open(second.id, agent_id=agent.id) == [f"{folder.name}/a.md"]
    client.agents.files.close(second.id, agent_id=agent.id)
    assert client.agents.files.close_all(agent.id) == []
    assert len(list(client.agents.files.list(agent.id, limit=1))) == 2
    client.agents.folders.detach(folder.id, agent_id=agent.id)
    assert list(client.agents.files.list(agent.id)) == []
    client.agents.delete(agent.id)
