"""Files in the IDE: folders made, filled, looked into, given to agents."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from lxml import html

from agents_core.actions import agents, files, folders
from agents_core.actions.new_agent import NewAgent
from agents_core.models import Agent, AgentFile, File, Folder
from agents_core.runtime.filing import process
from tests.running import finish

pytestmark = pytest.mark.django_db(transaction=True)

STRANGE_IDS = ("source-none", "☃", "x" * 3000, "a%00b")


@pytest.fixture
def client() -> Client:
    return Client(headers={"HX-Request": "true"})


@pytest.fixture
def folder(builtin_tools: None) -> Folder:
    return folders.create({"name": "Animals", "description": "Of the sea", "embedding": "local/hashing"})


def filed(folder: Folder, name: str = "otters.md", body: bytes = b"Otters hold hands.", ready: bool = True) -> File:
    file, _ = files.upload(folder.id, name, body)
    if ready:
        finish(process(file.id, 1))
    file.refresh_from_db()
    return file


def page(client: Client, address: str, status: int = 200) -> Any:
    answer = client.get(address)
    assert answer.status_code == status
    return html.document_fromstring(answer.content)


def words(node: Any) -> str:
    return " ".join(node.text_content().split())


def test_the_list_tells_of_each_folder_how_it_stands(client: Client, folder: Folder) -> None:
    folders.create({"name": "Empty"})
    filed(folder, ready=False)
    rows = [words(row) for row in page(client, "/folders").xpath("//tbody/tr")]
    assert rows[0].startswith("AnimalsOf the sea 1 1 in work 0")
    assert rows[1].startswith("Empty 0 empty 0")
    finish(process(File.objects.get().id, 1))
    filed(folder, "bad.pdf", b"nothing")
    assert "1 failed" in words(page(client, "/folders?q=sea").get_element_by_id("folder-list"))
    assert "Nothing found" in words(page(client, "/folders?q=moon").get_element_by_id("folder-list"))


def test_a_folder_is_made_changed_and_deleted(client: Client, builtin_tools: None) -> None:
    answer = client.post("/folders/new", {"name": "Papers", "description": "Mine"})
    made = Folder.objects.get()
    assert answer["HX-Redirect"] == f"/folders/{made.id}"
    client.post(f"/folders/{made.id}/save", {"name": "Letters", "instructions": "Cite."})
    made.refresh_from_db()
    assert (made.name, made.description, made.instructions) == ("Letters", "", "Cite.")
    assert client.post(f"/folders/{made.id}/delete")["HX-Redirect"] == "/folders"
    assert not Folder.objects.exists()


@pytest.mark.parametrize("name", ["", "a/b", "x" * 201, "Animals"])
def test_a_name_that_cannot_be_is_told_as_a_toast(client: Client, folder: Folder, name: str) -> None:
    answer = client.post("/folders/new", {"name": name})
    assert answer.status_code >= 400
    assert "toast" in answer["HX-Trigger"]
    assert Folder.objects.count() == 1


def test_files_are_uploaded_side_by_side_and_a_refused_one_keeps_none_away(client: Client, folder: Folder) -> None:
    given = [SimpleUploadedFile("a.md", b"One."), SimpleUploadedFile("b.png", b"x"), SimpleUploadedFile("c.md", b"")]
    answer = client.post(f"/folders/{folder.id}/upload", {"files": given})
    assert [words(row)[:4] for row in html.fragment_fromstring(answer.content.decode()).xpath(".//tbody/tr")] == [
        "a.md"
    ]
    assert "b.png" in answer["HX-Trigger"]
    assert "The file is empty" in answer["HX-Trigger"]
    assert client.post(f"/folders/{folder.id}/upload").status_code == 422


def test_the_table_asks_for_itself_until_all_is_processed(client: Client, folder: Folder) -> None:
    file = filed(folder, ready=False)
    table = page(client, f"/folders/{folder.id}").get_element_by_id("folder-files")
    assert (table.get("hx-get"), table.get("hx-trigger")) == (f"/folders/{folder.id}/files", "every 1s")
    assert "queued" in words(table)
    File.objects.filter(id=file.id).update(status="embedding", chunks=10, chunks_embedded=4)
    answer = client.get(f"/folders/{folder.id}/files")
    assert answer.status_code == 200
    [bar] = html.fragment_fromstring(answer.content.decode()).xpath(".//progress")
    assert (bar.get("value"), bar.get("max")) == ("4", "10")
    File.objects.filter(id=file.id).update(status="completed")
    answer = client.get(f"/folders/{folder.id}/files")
    assert answer.status_code == 286
    assert b"hx-trigger" not in answer.content


def test_a_failed_file_says_why_and_can_be_tried_again(client: Client, folder: Folder) -> None:
    file = filed(folder, "bad.pdf", b"nothing")
    table = page(client, f"/folders/{folder.id}").get_element_by_id("folder-files")
    assert "The PDF is damaged" in words(table)
    answer = client.post(f"/folders/{folder.id}/files/{file.id}/retry")
    assert "queued" in answer.content.decode()
    assert client.post(f"/folders/{folder.id}/files/{file.id}/retry").status_code == 409
    client.post(f"/folders/{folder.id}/files/{file.id}/delete")
    assert not File.objects.exists()


def test_a_file_shows_its_text_and_its_passages_part_by_part(client: Client, folder: Folder) -> None:
    text = "".join(f"Line {n} <b>of many</b>\n" for n in range(4000))
    file = filed(folder, "long.md", text.encode())
    address = f"/folders/{folder.id}?file={file.id}"
    shown = page(client, address)
    assert "Line 0 <b>of many</b>" in shown.get_element_by_id("col-aside").text_content()
    [later] = shown.xpath("//a[text()='Go on']/@href")
    assert "Line 3999" in page(client, f"/folders/{folder.id}{later}").get_element_by_id("col-aside").text_content()
    passages = page(client, f"{address}&view=passages").xpath("//article")
    assert "from line 1" in words(passages[0])
    assert "Line 0" in words(passages[0])
    for odd in ("&at=99999999", "&at=-1", "&at=x", "&view=nonsense"):
        page(client, address + odd)


def test_a_folder_is_given_to_an_agent_and_taken_again(client: Client, folder: Folder) -> None:
    filed(folder)
    agent = agents.create(NewAgent(name="Reader", model="offline/rules"))
    answer = client.post(f"/folders/{folder.id}/agents/{agent.id}/attach")
    assert "attached" in answer.content.decode()
    aside = page(client, f"/agents/{agent.id}?aside=files").get_element_by_id("panel-files")
    assert "Animals/otters.md" in words(aside)
    assert "1→ Otters hold hands." in words(aside)
    file = File.objects.get()
    assert client.post(f"/agents/{agent.id}/files/{file.id}/close").status_code == 204
    assert not AgentFile.objects.get().is_open
    assert client.post(f"/agents/{agent.id}/files/{file.id}/open").status_code == 204
    assert AgentFile.objects.get().is_open
    client.post(f"/folders/{folder.id}/agents/{agent.id}/detach")
    assert client.post(f"/agents/{agent.id}/folders", {"folder": folder.id}).status_code == 204
    assert AgentFile.objects.count() == 1
    assert client.post(f"/agents/{agent.id}/folders").status_code == 422
    assert client.post(f"/folders/{folder.id}/agents/{agent.id}/steal").status_code == 404


@pytest.mark.parametrize("strange", STRANGE_IDS)
def test_strange_ids_are_not_found(client: Client, folder: Folder, strange: str) -> None:
    file, agent = filed(folder), agents.create(NewAgent(name="Reader", model="offline/rules"))
    page(client, f"/folders/{folder.id}?file={strange}&before={strange}")
    assert client.get(f"/folders/{strange}").status_code == 404
    for address in (
        f"/folders/{folder.id}/files/{strange}/delete",
        f"/folders/{strange}/files/{file.id}/delete",
        f"/folders/{folder.id}/files/{strange}/retry",
        f"/folders/{strange}/delete",
        f"/folders/{folder.id}/agents/{strange}/attach",
        f"/folders/{strange}/agents/{agent.id}/attach",
        f"/agents/{agent.id}/files/{strange}/open",
    ):
        assert client.post(address).status_code == 404, address
    assert File.objects.count() == 1
    assert Agent.objects.count() == 1
