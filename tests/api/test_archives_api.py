"""Archival memory over HTTP."""

from typing import Any

import pytest

from tests.api.conftest import Agents, Api

FACTS = ("The cat is called Minka.", "Ada was born in London.", "The car is red.")


async def filled(api: Api, make_agent: Agents) -> tuple[str, list[dict[str, Any]]]:
    agent = await make_agent()
    path = f"/agents/{agent['id']}/archival-memory"
    made = [(await api.post(path, {"text": text, "tags": [text.split()[-1].strip(".")]}))[0] for text in FACTS]
    return path, made


async def test_passages_are_stored_in_one_archive_and_listed_in_order(api: Api, make_agent: Agents) -> None:
    path, made = await filled(api, make_agent)
    assert len({passage["archive_id"] for passage in made}) == 1
    assert [each["text"] for each in await api.get(path)] == list(FACTS)
    assert [each["text"] for each in await api.get(path, ascending=False, limit=1)] == [FACTS[2]]
    assert [each["text"] for each in await api.get(path, after=made[0]["id"], limit=1)] == [FACTS[1]]
    assert [each["text"] for each in await api.get(path, ascending=False, before=made[1]["id"])] == [FACTS[0]]
    assert [each["text"] for each in await api.get(path, search="LONDON")] == [FACTS[1]]
    [archive] = await api.get("/archives/", agent_id=path.split("/")[2])
    assert archive["name"].endswith("'s Archive")


async def test_a_search_gives_the_best_first_and_is_recorded(api: Api, make_agent: Agents) -> None:
    path, made = await filled(api, make_agent)
    found = await api.get(f"{path}/search", query="what is the cat called?", top_k=1)
    assert found["count"] == 1
    assert (found["results"][0]["content"], found["results"][0]["id"]) == (FACTS[0], made[0]["id"])
    assert await api.get(f"{path}/search", query=" ") == {"results": [], "count": 0}
    assert (await api.get(f"{path}/search", query="cat car", tags=["red"]))["count"] == 1
    everywhere = await api.post("/passages/search", {"query": "born in London"})
    assert everywhere[0]["passage"]["id"] == made[1]["id"]
    assert everywhere[0]["score"] > 0
    listed = await api.post("/passages/search", {"agent_id": path.split("/")[2], "tags": ["red"]})
    assert [each["passage"]["text"] for each in listed] == [FACTS[2]]

    from agents_core.models import MemorySearch

    recorded = [search async for search in MemorySearch.objects.order_by("id")]
    assert [search.query for search in recorded] == ["what is the cat called?", "cat car"]
    assert recorded[0].candidates[0]["id"] == made[0]["id"]


async def test_a_deleted_passage_is_out_of_every_list_and_search(api: Api, make_agent: Agents) -> None:
    path, made = await filled(api, make_agent)
    assert "deleted" in (await api.delete(f"{path}/{made[0]['id']}"))["message"]
    assert [each["text"] for each in await api.get(path)] == list(FACTS[1:])
    assert (await api.get(f"{path}/search", query="Minka"))["results"] == []
    assert (await api.call("DELETE", f"{path}/{made[0]['id']}"))[0] == 404


async def test_a_passage_of_another_agent_is_not_in_reach(api: Api, make_agent: Agents) -> None:
    _, made = await filled(api, make_agent)
    other = await make_agent()
    path = f"/agents/{other['id']}/archival-memory/{made[0]['id']}"
    assert (await api.call("DELETE", path))[0] == 404
    assert (await api.call("PATCH", path, {"text": "x"}))[0] == 404


async def test_an_edited_passage_is_found_by_its_new_words(api: Api, make_agent: Agents) -> None:
    path, made = await filled(api, make_agent)
    await api.patch(f"{path}/{made[0]['id']}", {"text": "The dog is called Rex."})
    assert (await api.get(f"{path}/search", query="Rex"))["results"][0]["id"] == made[0]["id"]


async def test_an_archive_is_made_filled_shared_and_deleted(api: Api, make_agent: Agents) -> None:
    archive = await api.post("/archives/", {"name": "Shared", "description": "d"})
    path = f"/archives/{archive['id']}"
    assert (archive["vector_db_provider"], archive["embedding_config"]["embedding_dim"] > 0) == ("native", True)
    assert (await api.patch(path, {"name": "Renamed"}))["name"] == "Renamed"
    one = await api.post(f"{path}/passages", {"text": "one", "created_at": "2020-01-01T00:00:00"})
    assert one["created_at"].startswith("2020-01-01")
    batch = await api.post(f"{path}/passages/batch", {"passages": [{"text": "two"}, {"text": "three"}]})
    assert [each["text"] for each in batch] == ["two", "three"]
    agent = await make_agent()
    assert await api.patch(f"/agents/{agent['id']}/archives/attach/{archive['id']}") is None
    assert len(await api.get(f"/agents/{agent['id']}/archival-memory")) == 3
    assert [each["id"] for each in await api.get(f"{path}/agents")] == [agent["id"]]
    assert await api.delete(f"{path}/passages/{one['id']}") is None
    assert await api.patch(f"/agents/{agent['id']}/archives/detach/{archive['id']}") is None
    assert await api.delete(path) is None
    assert (await api.call("GET", path))[0] == 404


async def test_an_agent_with_two_archives_is_asked_which(api: Api, make_agent: Agents) -> None:
    agent = await make_agent()
    for name in ("a", "b"):
        archive = await api.post("/archives/", {"name": name})
        await api.patch(f"/agents/{agent['id']}/archives/attach/{archive['id']}")
    status, body = await api.call("POST", f"/agents/{agent['id']}/archival-memory", {"text": "x"})
    assert (status, "more than one archive" in body["detail"]) == (400, True)


@pytest.mark.parametrize(
    "body", [{}, {"text": ""}, {"text": "   "}, {"text": 5}, {"text": "a", "created_at": "yesterday"}]
)
async def test_a_malformed_passage_is_refused(api: Api, make_agent: Agents, body: Any) -> None:
    agent = await make_agent()
    status, answer = await api.call("POST", f"/agents/{agent['id']}/archival-memory", body)
    assert (status, isinstance(answer["detail"], str)) == (422, True)
    assert await api.get(f"/agents/{agent['id']}/archival-memory") == []
