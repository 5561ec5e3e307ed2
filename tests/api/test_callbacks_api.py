"""Callbacks: the URL that a background run was sent with is told of its end, once it takes it."""

import asyncio
import base64
import hashlib
import hmac
import time
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings

from agents_core.actions import callbacks, runs
from agents_core.api.callbacks import deliver
from agents_core.models import Run
from agents_core.queue.tasks import CALLBACK_DELAYS_S, TryAgain
from tests.api.conftest import Agents, Api
from tests.api.receiver import Receiver
from tests.queue.test_jobs import jobs

BODY = {"messages": [{"role": "user", "content": "hello"}]}


async def called_back(api: Api, run_id: str) -> Any:
    """The run, once its callback was tried."""
    async with asyncio.timeout(15):
        while (run := await api.get(f"/runs/{run_id}"))["callback_sent_at"] is None:
            await asyncio.sleep(0.02)
    return run


@pytest.mark.usefixtures("running")
async def test_the_end_of_a_run_is_told_with_its_answer_and_signed(api: Api, make_agent: Agents) -> None:
    agent = await make_agent()
    with Receiver() as receiver:
        body = {**BODY, "callback_url": receiver.url, "include_return_message_types": ["assistant_message"]}
        run = await api.post(f"/agents/{agent['id']}/messages/async", body)
        run = await called_back(api, run["id"])
    [told] = receiver.received
    assert (told.path, told.headers["content-type"]) == ("/called", "application/json")
    assert (told.json["run_id"], told.json["status"]) == (run["id"], "completed")
    assert told.json["completed_at"] == run["completed_at"]
    result = told.json["metadata"]["result"]
    assert [message["message_type"] for message in result["messages"]] == ["assistant_message"]
    assert result["stop_reason"]["stop_reason"] == "end_turn"
    assert result["usage"]["total_tokens"] > 0
    assert (run["callback_status_code"], run["callback_error"]) == (200, None)
    signed = f"{told.headers['webhook-id']}.{told.headers['webhook-timestamp']}.".encode() + told.body
    digest = hmac.new(settings.AGENTS_WEBHOOK_KEY, signed, hashlib.sha256).digest()
    assert told.headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    assert told.headers["webhook-id"] == run["id"]
    assert abs(time.time() - int(told.headers["webhook-timestamp"])) < 60


@pytest.mark.usefixtures("running")
async def test_a_receiver_that_fails_first_is_told_again(api: Api, make_agent: Agents) -> None:
    agent = await make_agent()
    with Receiver(503, 200) as receiver:
        run = await api.post(f"/agents/{agent['id']}/messages/async", {**BODY, "callback_url": receiver.url})
        failed = await called_back(api, run["id"])
        assert (failed["callback_status_code"], "503" in failed["callback_error"]) == (503, True)
        async with asyncio.timeout(15):
            while (await api.get(f"/runs/{run['id']}"))["callback_error"]:
                await asyncio.sleep(0.05)
    assert len({told.headers["webhook-id"] for told in receiver.received}) == 1
    assert [told.json["run_id"] for told in receiver.received] == [run["id"]] * 2


@pytest.mark.usefixtures("running")
async def test_a_run_that_fails_is_told_with_its_error(api: Api, make_agent: Agents) -> None:
    agent = await make_agent()
    with Receiver() as receiver:
        body = {**BODY, "callback_url": receiver.url, "override_model": "nobody/model"}
        run = await api.post(f"/agents/{agent['id']}/messages/async", body)
        await called_back(api, run["id"])
    [told] = receiver.received
    assert told.json["status"] == "failed"
    assert "nobody" in told.json["metadata"]["error"]["message"]


async def test_a_run_cancelled_before_it_began_is_told_too(api: Api, make_agent: Agents) -> None:
    agent = await make_agent()
    with Receiver() as receiver:
        run = await api.post(f"/agents/{agent['id']}/messages/async", {**BODY, "callback_url": receiver.url})
        await sync_to_async(runs.cancel)(agent["id"])
        assert ("todo", run["id"]) in await jobs()
        await deliver(run_id=run["id"])
    assert receiver.received[0].json["status"] == "cancelled"


async def an_ended_run(api: Api, make_agent: Agents, url: str) -> Run:
    agent = await make_agent()
    run = await api.post(f"/agents/{agent['id']}/messages/async", {**BODY, "callback_url": url})
    await sync_to_async(runs.cancel)(agent["id"])
    return await Run.objects.aget(pk=run["id"])


async def test_what_was_taken_is_not_told_twice(api: Api, make_agent: Agents) -> None:
    with Receiver() as receiver:
        run = await an_ended_run(api, make_agent, receiver.url)
        for _ in range(2):
            await deliver(run_id=run.id)
    assert len(receiver.received) == 1


@pytest.mark.parametrize("status", [301, 302, 404, 500])
async def test_anything_but_2xx_is_a_failure_and_no_redirect_is_followed(
    api: Api, make_agent: Agents, status: int
) -> None:
    with Receiver(status) as receiver:
        run = await an_ended_run(api, make_agent, receiver.url)
        with pytest.raises(callbacks.CallbackFailed, match=str(status)):
            await deliver(run_id=run.id)
    assert [told.path for told in receiver.received] == ["/called"]
    run = await Run.objects.aget(pk=run.id)
    assert (run.callback_status_code, str(status) in (run.callback_error or "")) == (status, True)


async def test_a_receiver_that_is_too_slow_has_failed(
    api: Api, make_agent: Agents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callbacks, "TIMEOUT_S", 0.3)
    with Receiver(delay_s=1.5) as receiver:
        run = await an_ended_run(api, make_agent, receiver.url)
        with pytest.raises(callbacks.CallbackFailed, match="No answer within"):
            await deliver(run_id=run.id)
    assert (await Run.objects.aget(pk=run.id)).callback_status_code is None


async def test_a_receiver_that_is_not_there_has_failed(api: Api, make_agent: Agents) -> None:
    with Receiver() as receiver:
        url = receiver.url
    run = await an_ended_run(api, make_agent, url)
    with pytest.raises(callbacks.CallbackFailed):
        await deliver(run_id=run.id)
    assert "Connect" in ((await Run.objects.aget(pk=run.id)).callback_error or "")


async def test_a_run_that_was_deleted_is_told_of_no_more(api: Api) -> None:
    await deliver(run_id="run-00000000-0000-4000-8000-000000000000")


async def test_a_run_without_an_address_has_no_callback(api: Api, make_agent: Agents) -> None:
    agent = await make_agent()
    run = await api.post(f"/agents/{agent['id']}/messages/async", BODY)
    before = await jobs()
    await sync_to_async(runs.cancel)(agent["id"])
    assert await jobs() == before
    assert run["callback_url"] is None


@pytest.mark.parametrize(
    "url", ["ftp://a/b", "file:///etc/passwd", "http://", "a.example/x", "http://a b/", "http://[x"]
)
async def test_an_address_that_cannot_be_called_is_refused(api: Api, make_agent: Agents, url: str) -> None:
    agent = await make_agent()
    status, body = await api.call("POST", f"/agents/{agent['id']}/messages/async", {**BODY, "callback_url": url})
    assert (status, "address to call back" in body["detail"]) == (422, True)
    assert await api.get("/runs/") == []


def test_a_callback_is_tried_over_minutes_and_then_given_up() -> None:
    class Job:
        attempts = 0

    strategy, tried = TryAgain(CALLBACK_DELAYS_S), 0
    while strategy.get_retry_decision(exception=callbacks.CallbackFailed("No."), job=Job) is not None:
        tried += 1
        Job.attempts += 1
    assert tried == len(CALLBACK_DELAYS_S)
    assert 120 < sum(CALLBACK_DELAYS_S) < 3600
