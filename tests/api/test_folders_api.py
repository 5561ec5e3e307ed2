"""Folders, their files and an agent's files over HTTP."""

import asyncio
import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.api.conftest import Agents, Api

NO_FOLDER = "source-00000000-0000-4000-8000-000000000000"
NO_FILE = "file-00000000-0000-4000-8000-000000000000"
OTTERS = "# Otters\n\nOtters hold hands while they sleep.\n\n# Food\n\nThey eat fish and crabs.\n"


async def folder(api: Api, name: str = "Animals", **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = await api.post("/folders/", {"name": name, **fields})
    return made


async def uploaded(
    api: Api, folder_id: str, name: str = "otters.md", body: bytes = OTTERS.encode(), **query: str
) -> tuple[int, Any, Any]:
    path = f"/v1/folders/{folder_id}/upload"
    response = await api.client.post(path, {"file": SimpleUploadedFile(name, body)}, query_params=query or None)
    return response.status_code, json.loads(response.content), response


async def upload(api: Api, folder_id: str, *args: Any, **query: str) -> dict[str, Any]:
    status, body, _ = await uploaded(api, folder_id, *args, **query)
    assert status == 200, body
    return dict(body)


async def processed(api: Api, file: dict[str, Any]) -> dict[str, Any]:
    """The file once it is completed or has failed."""
    async with asyncio.timeout(20):
        while (found := await api.get(f"/folders/{file['folder_id']}/files/{file['id']}"))["processing_status"] in (
            "pending",
            "parsing",
            "embedding",
        ):
            await asyncio.sleep(0.05)
    return dict(found)


async def test_a_folder_is_made_found_changed_and_deleted(api: Api) -> None:
    made = await folder(api, description="All of them", instructions="Cite.", embedding="local/hashing")
    assert made["id"].startswith("source-")
    assert made["embedding_config"]["handle"] == "local/hashing"
    assert await api.get(f"/folders/{made['id']}") == made
    assert await api.get("/folders/", name="Animals") == [made]
    assert await api.get("/folders/name/Animals") == made["id"]
    assert await api.get("/folders/count") == 1
    changed = await api.patch(f"/folders/{made['id']}", {"name": "Beasts", "metadata": {"a": 1}})
    assert (changed["name"], changed["description"], changed["metadata"]) == ("Beasts", "All of them", {"a": 1})
    assert await api.delete(f"/folders/{made['id']}") is None
    assert (await api.call("GET", f"/folders/{made['id']}"))[0] == 404
    assert await api.get("/archives/") == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"name": ""}, 422),
        ({"name": "a/b"}, 422),
        ({"name": "a\nb"}, 422),
        ({"name": "x" * 201}, 422),
        ({"name": 7}, 422),
        ({"name": "a", "colour": "red"}, 422),
        ({"name": "a", "embedding": "nonsense"}, 422),
        ({"name": "Taken"}, 409),
    ],
)
async def test_a_folder_that_cannot_be_is_refused_in_words(api: Api, body: Any, status: int) -> None:
    await folder(api, "Taken")
    answered, told = await api.call("POST", "/folders/", body)
    assert (answered, isinstance(told["detail"], str)) == (status, True)


async def test_an_older_client_finds_folders_as_sources(api: Api, make_agent: Agents) -> None:
    made = await api.post("/sources/", {"name": "Old"})
    assert await api.get(f"/folders/{made['id']}") == await api.get(f"/sources/{made['id']}/") == made
    agent = await make_agent()
    state = await api.patch(f"/agents/{agent['id']}/sources/attach/{made['id']}")
    assert [source["id"] for source in state["sources"]] == [made["id"]]
    assert await api.get(f"/agents/{agent['id']}/sources") == [made]


async def test_a_file_goes_from_pending_to_completed_and_is_found_by_its_passages(api: Api, running: None) -> None:
    made = await folder(api)
    file = await upload(api, made["id"])
    assert (file["file_name"], file["file_size"], file["processing_status"]) == ("otters.md", len(OTTERS), "pending")
    file = await processed(api, file)
    assert (file["processing_status"], file["error_message"]) == ("completed", None)
    assert file["chunks_embedded"] == file["total_chunks"] == 1
    whole = await api.get(f"/folders/{made['id']}/files/{file['id']}", include_content=True)
    assert whole["content"] == OTTERS
    assert (await api.get(f"/folders/{made['id']}/files"))[0]["content"] is None
    [passage] = await api.get(f"/folders/{made['id']}/passages")
    assert (passage["text"], passage["file_id"], passage["file_name"]) == (OTTERS.strip(), file["id"], "otters.md")
    assert await api.post("/passages/search", {"query": "otters"}) == []


async def test_a_file_that_cannot_be_read_says_why(api: Api, running: None) -> None:
    made = await folder(api)
    file = await processed(api, await upload(api, made["id"], "broken.pdf", b"%PDF-1.4 nothing"))
    assert file["processing_status"] == "error"
    assert "damaged" in file["error_message"]


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [("a.png", b"x", 415), ("noending", b"x", 415), ("a.txt", b"", 422), ("x" * 201 + ".txt", b"x", 422)],
)
async def test_a_file_that_cannot_be_taken_is_refused_at_once(api: Api, name: str, body: bytes, status: int) -> None:
    made = await folder(api)
    assert (await uploaded(api, made["id"], name, body))[0] == status
    assert await api.get(f"/folders/{made['id']}/files") == []


async def test_a_file_over_the_limit_is_refused(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from agents_core.actions import files

    monkeypatch.setattr(files, "LIMIT_BYTES", 10)
    assert (await uploaded(api, (await folder(api))["id"]))[0] == 413


async def test_a_request_without_a_file_is_refused(api: Api) -> None:
    made = await folder(api)
    assert (await api.call("POST", f"/folders/{made['id']}/upload", {"file": "text"}))[0] == 422


async def test_a_second_file_of_one_name_is_handled_as_asked(api: Api) -> None:
    made = await folder(api)
    first = await upload(api, made["id"])
    assert (await upload(api, made["id"]))["file_name"] == "otters_(1).md"
    assert (await upload(api, made["id"]))["file_name"] == "otters_(2).md"
    _, skipped, response = await uploaded(api, made["id"], duplicate_handling="skip")
    assert (skipped["id"], response["X-Upload-Result"]) == (first["id"], "skipped")
    assert (await uploaded(api, made["id"], duplicate_handling="error"))[0] == 409
    replaced = await upload(api, made["id"], duplicate_handling="replace")
    assert replaced["file_name"] == "otters.md"
    assert (await api.call("GET", f"/folders/{made['id']}/files/{first['id']}"))[0] == 404
    assert (await upload(api, made["id"], name="../seals.md"))["file_name"] == "seals.md"
    assert (await uploaded(api, made["id"], duplicate_handling="merge"))[0] == 422


async def test_a_deleted_file_leaves_nothing_to_be_found(api: Api, running: None) -> None:
    made = await folder(api)
    kept, gone = await upload(api, made["id"]), await upload(api, made["id"], "seals.md", b"Seals sing.")
    await processed(api, kept)
    await processed(api, gone)
    status, body = await api.call("DELETE", f"/folders/{made['id']}/{gone['id']}")
    assert (status, body) == (204, None)
    assert [file["id"] for file in await api.get(f"/folders/{made['id']}/files")] == [kept["id"]]
    assert {passage["file_id"] for passage in await api.get(f"/folders/{made['id']}/passages")} == {kept["id"]}


async def test_lists_of_files_go_on_from_a_cursor(api: Api, make_agent: Agents) -> None:
    made = await folder(api)
    ids = [(await upload(api, made["id"], f"{n}.txt", b"text"))["id"] for n in range(3)]
    path = f"/folders/{made['id']}/files"
    assert [file["id"] for file in await api.get(path, limit=2)] == ids[:0:-1]
    assert [file["id"] for file in await api.get(path, after=ids[1])] == ids[:1]
    agent = await make_agent(folder_ids=[made["id"]])
    path = f"/agents/{agent['id']}/files"
    first = await api.get(path, limit=2)
    assert first["has_more"]
    last = await api.get(path, limit=2, cursor=first["next_cursor"])
    assert (last["has_more"], last["next_cursor"]) == (False, None)
    assert sorted(file["file_id"] for file in [*first["files"], *last["files"]]) == sorted(ids)


# --- agents -------------------------------------------------------------------------------------------------------


def tools_of(state: dict[str, Any]) -> set[str]:
    return {tool["name"] for tool in state["tools"]} & {"open_files", "grep_files", "semantic_search_files"}


async def test_a_folder_brings_its_tools_and_opens_its_files_and_takes_them_away_again(
    api: Api, make_agent: Agents, running: None
) -> None:
    agent, made, other = await make_agent(max_files_open=2), await folder(api), await folder(api, "Other")
    for name in ("a.md", "b.md", "c.md"):
        await processed(api, await upload(api, made["id"], name))
    path = f"/agents/{agent['id']}"
    state = await api.patch(f"{path}/folders/attach/{made['id']}")
    assert len(tools_of(state)) == 3
    assert await api.patch(f"{path}/folders/attach/{made['id']}") == state | {"updated_at": state["updated_at"]}
    opened = (await api.get(f"{path}/files", is_open=True))["files"]
    assert sorted(file["file_name"] for file in opened) == ["Animals/a.md", "Animals/b.md"]
    assert opened[0]["visible_content"].startswith("[Lines 1 to 8 of 8]\n1→ # Otters")
    assert await api.get(f"/folders/{made['id']}/agents") == [agent["id"]]
    await api.patch(f"{path}/folders/attach/{other['id']}")
    assert len(tools_of(await api.patch(f"{path}/folders/detach/{made['id']}"))) == 3
    assert (await api.get(f"{path}/files"))["files"] == []
    assert not tools_of(await api.patch(f"{path}/folders/detach/{other['id']}"))
    assert (await api.call("PATCH", f"{path}/folders/detach/{other['id']}"))[0] == 404


async def test_opening_one_too_many_closes_the_one_longest_unused(api: Api, make_agent: Agents, running: None) -> None:
    made = await folder(api)
    files = [await processed(api, await upload(api, made["id"], f"{name}.md")) for name in "abc"]
    agent = await make_agent(max_files_open=2, folder_ids=[made["id"]])
    path = f"/agents/{agent['id']}/files"
    a, b, c = (file["id"] for file in files)
    assert await api.patch(f"{path}/{c}/open") == ["Animals/a.md"]
    assert await api.patch(f"{path}/{b}/open") == []
    assert await api.patch(f"{path}/{a}/open") == ["Animals/c.md"]
    assert "message" in await api.patch(f"{path}/{a}/close")
    assert await api.patch(f"{path}/close-all") == ["Animals/b.md"]
    assert await api.patch(f"{path}/close-all") == []


async def test_a_file_added_later_is_every_holders(api: Api, make_agent: Agents, running: None) -> None:
    made = await folder(api)
    agent = await make_agent(folder_ids=[made["id"]])
    file = await upload(api, made["id"])
    await processed(api, file)
    [link] = (await api.get(f"/agents/{agent['id']}/files"))["files"]
    assert link["is_open"]
    assert "hold hands" in link["visible_content"]
    overview = await api.get(f"/agents/{agent['id']}/context")
    assert "hold hands" in overview["directories"]
    assert overview["num_tokens_directories"] > 0


async def test_an_agents_folders_are_replaced_as_a_whole(api: Api, make_agent: Agents) -> None:
    first, second = await folder(api, "First"), await folder(api, "Second")
    agent = await make_agent(source_ids=[first["id"]])
    state = await api.patch(f"/agents/{agent['id']}", {"folder_ids": [second["id"]]})
    assert [source["name"] for source in state["sources"]] == ["Second"]
    assert (await api.get(f"/agents/{agent['id']}"))["sources"] == []
    assert len((await api.get(f"/agents/{agent['id']}", include=["agent.sources"]))["sources"]) == 1


async def test_an_agent_that_is_deleted_leaves_its_folders_and_the_other_way_round(
    api: Api, make_agent: Agents, running: None
) -> None:
    made = await folder(api)
    file = await processed(api, await upload(api, made["id"]))
    first, second = await make_agent(folder_ids=[made["id"]]), await make_agent(folder_ids=[made["id"]])
    await api.delete(f"/agents/{first['id']}")
    assert await api.get(f"/folders/{made['id']}/files/{file['id']}")
    await api.delete(f"/folders/{made['id']}")
    state = await api.get(f"/agents/{second['id']}", include=["agent.tools", "agent.sources"])
    assert (tools_of(state), state["sources"]) == (set(), [])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/folders/{nofolder}", 404),
        ("GET", "/folders/source-1", 422),
        ("GET", "/folders/name/nobody", 404),
        ("DELETE", "/folders/{nofolder}", 404),
        ("GET", "/folders/{nofolder}/files", 404),
        ("GET", "/folders/{folder}/files/{nofile}", 404),
        ("GET", "/folders/{other}/files/{file}", 404),
        ("DELETE", "/folders/{other}/{file}", 404),
        ("GET", "/folders/{nofolder}/passages", 404),
        ("GET", "/folders/{nofolder}/agents", 404),
        ("PATCH", "/agents/{agent}/folders/attach/{nofolder}", 404),
        ("PATCH", "/agents/{agent}/files/{file}/open", 404),
        ("PATCH", "/agents/{agent}/files/{file}/close", 404),
        ("PATCH", "/agents/agent-00000000-0000-4000-8000-000000000000/files/close-all", 404),
        ("GET", "/agents/agent-00000000-0000-4000-8000-000000000000/files", 404),
        ("GET", "/agents/agent-00000000-0000-4000-8000-000000000000/folders", 404),
    ],
)
async def test_what_is_not_there_or_not_ones_own_is_not_found(
    api: Api, make_agent: Agents, method: str, path: str, status: int
) -> None:
    made, other, agent = await folder(api), await folder(api, "Other"), await make_agent()
    file = await upload(api, made["id"])
    ids = {"folder": made["id"], "other": other["id"], "file": file["id"], "agent": agent["id"]}
    answered, body = await api.call(method, path.format(**ids, nofolder=NO_FOLDER, nofile=NO_FILE))
    assert (answered, isinstance(body["detail"], str)) == (status, True)


async def test_folders_and_files_are_counted_and_measured(api: Api) -> None:
    nothing = {"total_sources": 0, "total_files": 0, "total_size": 0, "sources": []}
    assert await api.get("/folders/metadata") == nothing
    made = await folder(api)
    file = await upload(api, made["id"])
    whole = await api.get("/folders/metadata")
    assert (whole["total_sources"], whole["total_files"], whole["sources"]) == (1, 1, [])
    [each] = (await api.get("/sources/metadata", include_detailed_per_source_metadata=True))["sources"]
    assert (each["source_name"], each["file_count"], each["total_size"]) == ("Animals", 1, whole["total_size"])
    size = {"file_id": file["id"], "file_name": file["file_name"], "file_size": file["file_size"]}
    assert (each["files"], file["file_size"]) == ([size], whole["total_size"])
