"""Scheduled messages over HTTP."""

import time
from typing import Any

import pytest

from tests.api.conftest import Agents, Api

MESSAGES = [{"role": "user", "content": "Wake up"}]
CRON = {"type": "recurring", "cron_expression": "0 9 * * *"}


def in_ms(seconds: float) -> int:
    return round((time.time() + seconds) * 1000)


async def test_a_schedule_from_its_making_to_its_end(api: Api, make_agent: Agents) -> None:
    path = f"/agents/{(await make_agent())['id']}/schedule"
    at = in_ms(3600)
    made = await api.post(
        path,
        {
            "messages": MESSAGES,
            "schedule": {"scheduled_at": at},
            "max_steps": 5.0,
            "callback_url": "http://a.example/x",
            "include_return_message_types": ["assistant_message"],
        },
    )
    shown = await api.get(f"{path}/{made['id']}")
    assert shown["schedule"] == {"type": "one-time", "scheduled_at": at}
    assert shown["next_scheduled_time"] == made["next_scheduled_at"]
    message = shown["message"]
    assert (message["max_steps"], message["callback_url"]) == (5, "http://a.example/x")
    assert message["include_return_message_types"] == ["assistant_message"]
    [said] = message["messages"]
    assert (said["type"], said["role"], said["content"]) == ("message", "user", "Wake up")
    assert (await api.get(path))["scheduled_messages"] == [shown]
    assert await api.delete(f"{path}/{made['id']}") == {"success": True}
    assert (await api.call("GET", f"{path}/{made['id']}"))[0] == 404
    assert (await api.call("DELETE", f"{path}/{made['id']}"))[0] == 404


async def test_schedules_are_listed_page_by_page(api: Api, make_agent: Agents) -> None:
    path = f"/agents/{(await make_agent())['id']}/schedule"
    made = [(await api.post(path, {"messages": MESSAGES, "schedule": CRON}))["id"] for _ in range(3)]
    first = await api.get(path, limit="2")
    assert ([each["id"] for each in first["scheduled_messages"]], first["has_next_page"]) == (made[:2], True)
    rest = await api.get(path, limit="2", after=made[1])
    assert ([each["id"] for each in rest["scheduled_messages"]], rest["has_next_page"]) == (made[2:], False)
    assert rest["scheduled_messages"][0]["schedule"] == CRON


@pytest.mark.parametrize("at", [lambda: in_ms(60), lambda: in_ms(60) / 1000, lambda: "2099-01-01T00:00:00Z"])
async def test_a_time_is_milliseconds_seconds_or_iso(api: Api, make_agent: Agents, at: Any) -> None:
    path = f"/agents/{(await make_agent())['id']}/schedule"
    made = await api.post(path, {"messages": MESSAGES, "schedule": {"type": "one-time", "scheduled_at": at()}})
    assert made["next_scheduled_at"] > "2026"


@pytest.mark.parametrize(
    "change",
    [
        {"messages": []},
        {"messages": [{"role": "user", "content": ""}]},
        {"schedule": {"type": "recurring", "cron_expression": "often"}},
        {"schedule": {"scheduled_at": 5}},
        {"schedule": {"scheduled_at": 1e300}},
        {"schedule": {"scheduled_at": "soon"}},
        {"schedule": {}},
        {"callback_url": "ftp://x"},
        {"max_steps": 0},
    ],
)
async def test_what_cannot_be_scheduled_is_refused(api: Api, make_agent: Agents, change: dict[str, Any]) -> None:
    path = f"/agents/{(await make_agent())['id']}/schedule"
    assert (await api.call("POST", path, {"messages": MESSAGES, "schedule": CRON, **change}))[0] == 422
    assert (await api.get(path))["scheduled_messages"] == []


async def test_a_schedule_of_nobody_is_404(api: Api) -> None:
    path = "/agents/agent-00000000-0000-4000-8000-000000000000/schedule"
    assert (await api.call("GET", path))[0] == 404
    assert (await api.call("POST", path, {"messages": MESSAGES, "schedule": CRON}))[0] == 404
