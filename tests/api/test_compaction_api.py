"""Compaction over the API: asked for, shown in answers and histories, listed, and set up field by field."""

import json
from typing import Any

import pytest

from tests.api.conftest import Agents, Api

Running = pytest.mark.usefixtures("running")


async def talk(api: Api, agent: dict[str, Any], *texts: str, path: str = "", **more: Any) -> Any:
    answer = None
    for text in texts:
        answer = await api.post(path or f"/agents/{agent['id']}/messages", {"input": text, "streaming": False, **more})
    return answer


@Running
async def test_a_thread_is_compacted_on_request_and_the_numbers_are_those_of_its_context(
    api: Api, make_agent: Agents
) -> None:
    agent = await make_agent()
    await talk(api, agent, "My name is Ada.", "I live in Lisbon.", "I like chess.")
    before = (await api.get(f"/agents/{agent['id']}"))["message_ids"]
    told = await api.post(f"/agents/{agent['id']}/summarize", {"compaction_settings": {"mode": "all"}})
    after = (await api.get(f"/agents/{agent['id']}"))["message_ids"]
    assert (told["num_messages_before"], told["num_messages_after"]) == (len(before), len(after)) == (7, 2)
    assert after[0] == before[0]
    assert "Lisbon" in told["summary"]
    assert not told["summary"].startswith("The following")
    run = (await api.get("/runs/", agent_id=agent["id"]))[0]
    assert (run["status"], run["stop_reason"]) == ("completed", "end_turn")
    [step] = await api.get(f"/runs/{run['id']}/steps")
    assert step["status"] == "success"


@Running
async def test_settings_of_a_request_count_once_and_only_what_is_named_changes(api: Api, make_agent: Agents) -> None:
    agent = await make_agent(compaction_settings={"sliding_window_percentage": 0.5})
    await talk(api, agent, *(f"Message {n}." for n in range(6)))
    told = await api.post(f"/agents/{agent['id']}/summarize")
    assert (told["num_messages_before"], told["num_messages_after"]) == (13, 8)
    settings = (await api.get(f"/agents/{agent['id']}"))["compaction_settings"]
    assert (settings["mode"], settings["sliding_window_percentage"]) == ("sliding_window", 0.5)


@Running
async def test_where_nothing_would_shrink_the_request_is_refused_and_nothing_changes(
    api: Api, make_agent: Agents
) -> None:
    agent = await make_agent()
    for _ in range(2):
        status, body = await api.call("POST", f"/agents/{agent['id']}/summarize")
        assert (status, "too few messages" in body["detail"]) == (400, True)
    await talk(api, agent, "Hello")
    await api.post(f"/agents/{agent['id']}/summarize", {"compaction_settings": {"mode": "all"}})
    ids = (await api.get(f"/agents/{agent['id']}"))["message_ids"]
    status, _ = await api.call("POST", f"/agents/{agent['id']}/summarize", {"compaction_settings": {"mode": "all"}})
    assert status == 400
    assert (await api.get(f"/agents/{agent['id']}"))["message_ids"] == ids


@Running
async def test_a_conversation_is_compacted_alone(api: Api, make_agent: Agents) -> None:
    agent = await make_agent()
    conversation = await api.post(f"/conversations/?agent_id={agent['id']}", {})
    path = f"/conversations/{conversation['id']}"
    await talk(api, agent, "One.", "Two.", "Three.", path=f"{path}/messages")
    await talk(api, agent, "Elsewhere.")
    own = (await api.get(f"/agents/{agent['id']}"))["message_ids"]
    told = await api.post(f"{path}/compact", {"compaction_settings": {"mode": "all"}})
    assert told["num_messages_after"] == len((await api.get(path))["in_context_message_ids"]) == 2
    assert (await api.get(f"/agents/{agent['id']}"))["message_ids"] == own
    listed = await api.get(f"/agents/{agent['id']}/compactions", conversation_id=conversation["id"])
    assert [each["conversation_id"] for each in listed] == [conversation["id"]]
    assert await api.get(f"/agents/{agent['id']}/compactions", conversation_id="default") == []
    body = {"agent_id": agent["id"], "compaction_settings": {"mode": "all"}}
    assert (await api.post("/conversations/default/compact", body))["num_messages_after"] == 2


@Running
async def test_the_record_of_a_compaction_tells_who_left_and_what_came(api: Api, make_agent: Agents) -> None:
    agent = await make_agent()
    await talk(api, agent, "My number is 4711.", "Never call me at night.")
    before = (await api.get(f"/agents/{agent['id']}"))["message_ids"]
    await api.post(f"/agents/{agent['id']}/summarize", {"compaction_settings": {"mode": "all"}})
    [record] = await api.get(f"/agents/{agent['id']}/compactions")
    assert record["message_ids"] == before[1:]
    assert record["summary_id"] == (await api.get(f"/agents/{agent['id']}"))["message_ids"][1]
    told = (record["trigger"], record["mode"], record["generation"], record["summarised_by"])
    assert told == ("requested", "all", 1, "offline/rules")
    assert "4711" in record["summary"]
    assert (await api.call("GET", f"/agents/{agent['id']}/compactions", after="x"))[0] == 422


@Running
async def test_a_compaction_is_an_event_and_a_summary_for_who_asks_and_a_packed_message_for_others(
    api: Api, make_agent: Agents
) -> None:
    long = "The harbour master wrote down every ship that came in on that day. " * 40
    for asks in (True, False):
        agent = await make_agent(context_window_limit=4000, include_base_tools=False)
        shown: list[dict[str, Any]] = []
        while not any(each["message_type"] in ("summary_message", "user_message") for each in shown):
            shown = (await talk(api, agent, long, include_compaction_messages=asks))["messages"]
        kinds = [each["message_type"] for each in shown]
        if not asks:
            assert "summary_message" not in kinds
            packed = json.loads(shown[kinds.index("user_message")]["content"])
            assert packed["type"] == "system_alert"
            assert packed["message"].count("The following is a summary of the previous messages") == 1
            continue
        event, summary = shown[kinds.index("event_message")], shown[kinds.index("summary_message")]
        assert kinds.index("summary_message") == kinds.index("event_message") + 1
        assert (event["event_type"], event["event_data"]["trigger"]) == ("compaction", "threshold")
        stats = summary["compaction_stats"]
        assert stats["context_tokens_after"] < stats["context_tokens_before"] <= stats["context_window"] == 4000
        assert stats["messages_count_after"] < stats["messages_count_before"]
        listed = await api.get(f"/agents/{agent['id']}/messages")
        assert "summary_message" not in {each["message_type"] for each in listed}


async def test_settings_are_merged_by_field_and_another_mode_brings_its_own_prompt(
    api: Api, make_agent: Agents
) -> None:
    agent = await make_agent(compaction_settings={"prompt": "Keep names.", "clip_chars": 900})

    async def patched(**settings: Any) -> Any:
        return (await api.patch(f"/agents/{agent['id']}", {"compaction_settings": settings}))["compaction_settings"]

    kept = await patched(sliding_window_percentage=0.4)
    assert (kept["prompt"], kept["clip_chars"], kept["sliding_window_percentage"]) == ("Keep names.", 900, 0.4)
    assert (await patched(mode="sliding_window"))["prompt"] == "Keep names."
    other = await patched(mode="all")
    assert (other["mode"], other["prompt"], other["clip_chars"]) == ("all", None, 900)
    assert (await patched(mode="self_compact_all", prompt="Mine."))["prompt"] == "Mine."
    assert (await patched(clip_chars=None))["clip_chars"] is None


async def test_a_new_agent_shows_the_defaults_of_its_compaction(make_agent: Agents) -> None:
    assert (await make_agent())["compaction_settings"] == {
        "mode": "sliding_window",
        "model": None,
        "model_settings": {},
        "prompt": None,
        "prompt_acknowledgement": False,
        "clip_chars": 50_000,
        "sliding_window_percentage": 0.3,
        "recompile": "immediate",
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mode", "sometimes"),
        ("recompile", "never"),
        ("sliding_window_percentage", 1),
        ("sliding_window_percentage", "much"),
        ("clip_chars", 0),
        ("prompt", 3),
        ("model_settings", []),
    ],
)
async def test_a_setting_that_cannot_be_is_refused_by_name(api: Api, make_agent: Agents, name: str, value: Any) -> None:
    agent = await make_agent()
    for method, path, body in (
        ("PATCH", f"/agents/{agent['id']}", {"compaction_settings": {name: value}}),
        ("POST", "/agents/", {"model": "offline/rules", "compaction_settings": {name: value}}),
        ("POST", f"/agents/{agent['id']}/summarize", {"compaction_settings": {name: value}}),
    ):
        status, answer = await api.call(method, path, body)
        assert (status, f"compaction_settings.{name}" in answer["detail"]) == (422, True), path


async def test_resetting_may_bring_back_the_opening_of_the_kind(api: Api, make_agent: Agents) -> None:
    body = {"add_default_initial_messages": True}
    for kind, roles in (("letta_v1_agent", []), ("memgpt_agent", ["assistant_message", "user_message"])):
        agent = await make_agent(agent_type=kind)
        path = f"/agents/{agent['id']}"
        assert len((await api.patch(f"{path}/reset-messages", {}))["message_ids"]) == 1
        ids = (await api.patch(f"{path}/reset-messages", body))["message_ids"]
        assert ids[0] == agent["message_ids"][0]
        shown = [each for each in await api.get(f"{path}/messages", order="asc") if each["id"] in ids[1:]]
        assert [each["message_type"] for each in shown] == roles
