"""Batches over HTTP: many requests at once, each a run."""

import asyncio
from typing import Any

import pytest

from agents_core.models import pipeline
from agents_core.queue.tasks import end_batches
from tests.api.conftest import Agents, Api
from tests.api.receiver import Receiver
from tests.queue.test_jobs import jobs

PATH = "/messages/batches"


def asked(agent: dict[str, Any], content: str = "hello", **more: Any) -> dict[str, Any]:
    return {"agent_id": agent["id"], "messages": [{"role": "user", "content": content}], **more}


async def ended(api: Api, batch_id: str) -> Any:
    async with asyncio.timeout(20):
        while (batch := await api.get(f"{PATH}/{batch_id}"))["completed_at"] is None:
            await pipeline.run([end_batches()])
            await asyncio.sleep(0.05)
    return batch


@pytest.mark.usefixtures("running")
async def test_each_request_of_a_batch_is_answered_and_its_end_told_once(api: Api, make_agent: Agents) -> None:
    one, other = await make_agent(), await make_agent()
    with Receiver() as receiver:
        requests = [asked(one), asked(other), asked(one, "hello again")]
        batch = await api.post(PATH, {"requests": requests, "callback_url": receiver.url})
        assert (batch["job_type"], batch["id"].startswith("job-")) == ("batch", True)
        done = await ended(api, batch["id"])
        async with asyncio.timeout(10):
            while (await api.get(f"{PATH}/{batch['id']}"))["callback_sent_at"] is None:
                await asyncio.sleep(0.05)
    assert (done["status"], done["metadata"]["runs"]) == ("completed", {"completed": 3})
    [told] = receiver.received
    assert (told.json["job_id"], told.json["status"]) == (batch["id"], "completed")
    assert [each["run_id"] for each in told.json["metadata"]["runs"]] == done["metadata"]["run_ids"]
    found = (await api.get(f"{PATH}/{batch['id']}/messages", order="asc"))["messages"]
    assert [each["role"] for each in found].count("user") == 3
    assert {each["agent_id"] for each in found} == {one["id"], other["id"]}
    own = (await api.get(f"{PATH}/{batch['id']}/messages", agent_id=other["id"]))["messages"]
    assert {each["agent_id"] for each in own} == {other["id"]}
    assert [each["id"] for each in await api.get(PATH)] == [batch["id"]]


async def test_messages_of_a_batch_are_paged_without_a_gap(api: Api, make_agent: Agents) -> None:
    agents = [await make_agent() for _ in range(3)]
    batch = await api.post(PATH, {"requests": [asked(agent, str(n)) for n in range(2) for agent in agents]})
    for order in ("asc", "desc"):
        whole = [each["id"] for each in (await api.get(f"{PATH}/{batch['id']}/messages", order=order))["messages"]]
        paged: list[str] = []
        while True:
            after = {"after": paged[-1]} if paged else {}
            found = await api.get(f"{PATH}/{batch['id']}/messages", order=order, limit=2, **after)
            if not found["messages"]:
                break
            paged += [each["id"] for each in found["messages"]]
        assert (len(whole), paged) == (6, whole)


async def test_a_batch_is_sent_whole_or_not_at_all(api: Api, make_agent: Agents) -> None:
    agent = await make_agent()
    nobody = {"id": "agent-00000000-0000-4000-8000-000000000000"}
    status, body = await api.call("POST", PATH, {"requests": [asked(agent), asked(nobody)]})
    assert (status, nobody["id"] in body["detail"]) == (404, True)
    for requests in ([], [asked(agent), asked(agent, "")]):
        assert (await api.call("POST", PATH, {"requests": requests}))[0] == 422
    assert (await api.call("POST", PATH, {"requests": [asked(agent)], "callback_url": "ftp://x"}))[0] == 422
    assert await api.get("/runs/") == []
    assert await api.get(PATH) == []
    assert await jobs() == []


async def test_a_batch_is_cancelled_with_its_runs(api: Api, make_agent: Agents) -> None:
    agent = await make_agent()
    batch = await api.post(PATH, {"requests": [asked(agent)] * 3})
    beside = await api.post(f"/agents/{agent['id']}/messages/async", {"input": "Not of the batch"})
    assert batch["status"] == "created"
    assert await api.patch(f"{PATH}/{batch['id']}/cancel") is None
    done = await ended(api, batch["id"])
    assert (done["status"], done["metadata"]["runs"]) == ("cancelled", {"cancelled": 3})
    assert (await api.get(f"/runs/{beside['id']}"))["status"] == "created"
    assert await api.patch(f"{PATH}/{batch['id']}/cancel") is None


async def test_a_batch_whose_agents_are_gone_ends(api: Api, make_agent: Agents) -> None:
    agent = await make_agent()
    batch = await api.post(PATH, {"requests": [asked(agent)]})
    await api.delete(f"/agents/{agent['id']}")
    assert (await ended(api, batch["id"]))["status"] == "completed"


async def test_many_workers_end_a_batch_once(api: Api, make_agent: Agents) -> None:
    agent = await make_agent()
    batch = await api.post(PATH, {"requests": [asked(agent)], "callback_url": "http://127.0.0.1:1/"})
    await api.patch(f"{PATH}/{batch['id']}/cancel")
    before = len(await jobs())
    await asyncio.gather(*(pipeline.run([end_batches()]) for _ in range(8)))
    assert len(await jobs()) == before + 1


async def test_a_batch_nobody_knows_is_404(api: Api) -> None:
    path = f"{PATH}/job-00000000-0000-4000-8000-000000000000"
    for method, address in (("GET", path), ("GET", f"{path}/messages"), ("PATCH", f"{path}/cancel")):
        assert (await api.call(method, address))[0] == 404
