"""What one stored message becomes on the wire."""

import json
from typing import Any
from uuid import UUID

import pytest

from agents_core.api.wire import derived_otid, expand, shown_messages, view_of
from tests.api.rows import MESSAGE_ID, call, returned, stored, text, thought

V1 = view_of("letta_v1_agent")
MEMGPT = view_of("memgpt_agent")


def kinds(row: dict[str, Any], view: Any) -> list[str]:
    return [shown["message_type"] for shown in expand(row, view)]


def test_an_assistants_text_is_an_assistant_message_for_v1_and_reasoning_for_kinds_that_speak_by_a_tool() -> None:
    row = stored("assistant", content=[text("hello")])
    [v1], [memgpt] = expand(row, V1), expand(row, MEMGPT)
    assert (v1["message_type"], v1["content"]) == ("assistant_message", "hello")
    assert (memgpt["message_type"], memgpt["reasoning"], memgpt["source"]) == (
        "reasoning_message",
        "hello",
        "non_reasoner_model",
    )


def test_send_message_is_shown_as_what_was_said_and_its_return_is_not_shown() -> None:
    said = stored("assistant", content=[text("think")], tool_calls=[call("send_message", message="hi 🎈")])
    answer = stored("tool", tool_returns=[returned("send_message", "Sent message successfully.")])
    shown = shown_messages([said, answer], MEMGPT)
    assert [each["message_type"] for each in shown] == ["reasoning_message", "assistant_message"]
    assert shown[1]["content"] == "hi 🎈"


def test_send_message_is_an_ordinary_call_when_the_caller_wants_none_of_that() -> None:
    row = stored("assistant", tool_calls=[call("send_message", message="hi")])
    assert kinds(row, view_of("memgpt_agent", use_assistant_message=False)) == ["tool_call_message"]
    assert kinds(row, V1) == ["tool_call_message"]


def test_another_speaking_tool_and_argument_can_be_named() -> None:
    row = stored("assistant", tool_calls=[call("say", words="hi")])
    [shown] = expand(row, view_of("memgpt_agent", tool="say", argument="words"))
    assert (shown["message_type"], shown["content"]) == ("assistant_message", "hi")


def test_all_calls_of_a_turn_come_as_one_message_with_the_first_repeated() -> None:
    [shown] = expand(stored("assistant", tool_calls=[call("a", 1, x=1), call("b", 2)]), V1)
    assert [each["name"] for each in shown["tool_calls"]] == ["a", "b"]
    assert shown["tool_call"] == {"name": "a", "arguments": '{"x": 1}', "tool_call_id": "call_1"}


def test_a_spoken_call_among_others_keeps_its_place() -> None:
    row = stored("assistant", tool_calls=[call("a", 1), call("send_message", 2, message="hi"), call("b", 3)])
    shown = expand(row, MEMGPT)
    assert [each["message_type"] for each in shown] == ["tool_call_message", "assistant_message"]
    assert [each["name"] for each in shown[0]["tool_calls"]] == ["a", "b"]


def test_all_returns_of_a_turn_come_as_one_message_with_the_first_mirrored() -> None:
    row = stored("tool", tool_returns=[returned("a", "1"), returned("b", "no", 2, "error")])
    [shown] = expand(row, V1)
    assert (shown["tool_return"], shown["status"], shown["tool_call_id"]) == ("1", "success", "call_1")
    assert [each["status"] for each in shown["tool_returns"]] == ["success", "error"]
    assert shown["tool_returns"][0]["type"] == "tool"
    assert "type" not in shown


def test_neighbouring_reasoning_is_joined_and_redacted_reasoning_hidden() -> None:
    content = [thought("a"), thought("b", signature="s"), thought("", redacted=True, signature="x"), text("done")]
    shown = expand(stored("assistant", content=content), V1)
    assert [each["message_type"] for each in shown] == [
        "reasoning_message",
        "hidden_reasoning_message",
        "assistant_message",
    ]
    assert (shown[0]["reasoning"], shown[0]["signature"], shown[0]["source"]) == ("ab", "s", "reasoner_model")
    assert (shown[1]["state"], shown[1]["hidden_reasoning"]) == ("redacted", "x")


def test_parts_share_the_id_and_differ_by_an_otid_made_of_its_first_bits_and_their_place() -> None:
    shown = expand(stored("assistant", content=[thought("a"), text("b")], tool_calls=[call("c")]), V1)
    assert {each["id"] for each in shown} == {MESSAGE_ID}
    numbers = [UUID(each["otid"]).int for each in shown]
    assert [number & 0x7F for number in numbers] == [0, 1, 2]
    assert {number >> 7 for number in numbers} == {UUID(MESSAGE_ID.removeprefix("message-")).int >> 7}


def test_a_persons_own_otid_is_kept() -> None:
    [shown] = expand(stored("user", content=[text("hi")], otid="mine"), V1)
    assert (shown["otid"], shown["content"]) == ("mine", "hi")
    assert derived_otid(MESSAGE_ID, 1).startswith("0f0e0d0c")


def test_dates_have_seconds_and_an_offset_and_absent_fields_are_null() -> None:
    [shown] = expand(stored("system", content=[text("s")]), V1)
    assert shown["date"] == "2026-01-01T10:00:00+00:00"
    assert all(shown[name] is None for name in ("name", "sender_id", "is_err", "seq_id"))


def test_an_image_is_shown_as_base64_beside_the_text() -> None:
    image = {"type": "image", "media_type": "image/png", "data": "QUJD"}
    [shown] = expand(stored("user", content=[text("see"), image]), V1)
    assert [part["type"] for part in shown["content"]] == ["text", "image"]
    assert shown["content"][1]["source"] == {
        "type": "base64",
        "media_type": "image/png",
        "data": "QUJD",
        "detail": None,
    }


def test_a_summary_is_a_packed_user_message() -> None:
    [shown] = expand(stored("summary", content=[text("they met")]), V1)
    packed = json.loads(shown["content"])
    assert packed["type"] == "system_alert"
    assert "The following is a summary of the previous messages" in packed["message"]


@pytest.mark.parametrize(("arguments", "said"), [("", ""), ("[1]", ""), ('{"message": 5}', "5"), ("{}", "")])
def test_malformed_arguments_of_the_speaking_tool_never_fail(arguments: str, said: str) -> None:
    row = stored("assistant", tool_calls=[{"id": "c", "name": "send_message", "arguments": arguments}])
    assert [each["content"] for each in expand(row, MEMGPT)] == [said]


def test_only_the_kinds_asked_for_are_shown() -> None:
    view = view_of("letta_v1_agent", kinds=["assistant_message"])
    rows = [stored("user", content=[text("q")]), stored("assistant", content=[thought("t"), text("a")])]
    assert [each["content"] for each in shown_messages(rows, view)] == ["a"]
