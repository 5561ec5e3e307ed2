"""What servers are known to send, beyond what the contract's script covers."""

import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agents_core.llm.providers import _chat
from agents_core.llm.providers._chat import ChatReader
from agents_core.llm.providers._messages import MessagesReader
from agents_core.llm.providers._responses import ResponsesReader
from agents_core.llm.providers._sse import EventReader, ServerEvent
from agents_core.llm.providers._wire import Answer, Delta, Reader
from agents_core.llm.types import ChatMessage, ModelRequest, Reasoning, ReasoningDelta, Text, ToolCall

STREAM = 'event: a\ndata: {"x": "Grüße 🌍"}\r\n\r\n: a comment\nid: 7\ndata: one\ndata: two\n\ndata:three'.encode()


def read(reader: Reader, *payloads: dict[str, Any]) -> tuple[list[Delta], Answer]:
    deltas = [delta for payload in payloads for delta in reader.read(ServerEvent(json.dumps(payload).encode()))]
    answer = reader.answer()
    assert answer
    return deltas, answer


def chunk(*, finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"choices": [{"delta": delta, "finish_reason": finish}]}


def events(chunks: Iterable[bytes]) -> list[ServerEvent]:
    reader = EventReader()
    return [*(event for piece in chunks for event in reader.feed(piece)), *reader.end()]


@given(st.lists(st.integers(0, len(STREAM))))
def test_events_are_the_same_wherever_the_bytes_are_split(cuts: list[int]) -> None:
    bounds = [0, *sorted(cuts), len(STREAM)]
    split = [STREAM[start:end] for start, end in pairwise(bounds)]
    expected = [ServerEvent('{"x": "Grüße 🌍"}'.encode(), "a"), ServerEvent(b"one\ntwo"), ServerEvent(b"three")]
    assert events(split) == expected


# --- chat completions --------------------------------------------------------------------------------------------


def test_calls_without_index_are_told_apart_by_their_ids() -> None:
    """Gemini's compatible endpoint sends each call whole, and no index."""
    call = {"type": "function", "function": {"name": "look", "arguments": '{"at":1}'}}
    _, answer = read(
        ChatReader(), chunk(tool_calls=[{**call, "id": "a"}]), chunk(tool_calls=[{**call, "id": "b"}], finish="stop")
    )
    assert [call.id for call in answer.message.tool_calls] == ["a", "b"]
    assert answer.finish_reason == "tool_calls"


def test_calls_that_all_have_index_0_are_told_apart_by_their_ids() -> None:
    def call(call_id: str) -> dict[str, Any]:
        return {"index": 0, "id": call_id, "function": {"name": "look", "arguments": "{}"}}

    _, answer = read(ChatReader(), chunk(tool_calls=[call("a")]), chunk(tool_calls=[call("b")], finish="stop"))
    assert [call.id for call in answer.message.tool_calls] == ["a", "b"]


def test_calls_without_ids_get_ids_of_their_own() -> None:
    call = {"function": {"name": "look", "arguments": "{}"}}
    deltas, answer = read(ChatReader(), chunk(tool_calls=[call]), chunk(tool_calls=[call], finish="stop"))
    ids = [call.id for call in answer.message.tool_calls]
    assert len(set(ids)) == 2
    assert all(ids)
    assert [delta.index for delta in deltas if not isinstance(delta, ReasoningDelta) and hasattr(delta, "index")] == [
        0,
        1,
    ]


def test_an_id_repeated_with_each_piece_is_one_call() -> None:
    def piece(text: str) -> dict[str, Any]:
        return chunk(tool_calls=[{"index": 0, "id": "a", "function": {"name": "look", "arguments": text}}])

    _, answer = read(ChatReader(), piece('{"at"'), piece(":1}"), chunk(finish="tool_calls"))
    assert answer.message.tool_calls == (ToolCall("a", "look", '{"at":1}'),)


def test_arguments_sent_as_an_object_become_their_text() -> None:
    call = {"index": 0, "id": "a", "function": {"name": "look", "arguments": {"at": 1}}}
    _, answer = read(ChatReader(), chunk(tool_calls=[call], finish="stop"))
    assert json.loads(answer.message.tool_calls[0].arguments) == {"at": 1}


def test_both_names_of_a_models_thinking_are_known() -> None:
    for name in ("reasoning_content", "reasoning"):
        deltas, answer = read(ChatReader(), chunk(**{name: "hm"}), chunk(content="Yes", finish="stop"))
        assert deltas[0] == ReasoningDelta("hm")
        assert answer.message.parts == (Reasoning("hm"), Text("Yes"))


def test_an_end_mark_is_enough_and_a_finish_reason_too() -> None:
    reader = ChatReader()
    list(reader.read(ServerEvent(json.dumps(chunk(content="Yes")).encode())))
    assert reader.answer() is None
    list(reader.read(ServerEvent(b"[DONE]")))
    assert reader.answer()


def test_nulls_are_as_good_as_nothing() -> None:
    odd = {"choices": None, "usage": None}
    _, answer = read(
        ChatReader(), odd, chunk(content=None, tool_calls=None, role=None), chunk(content="Yes", finish="stop")
    )
    assert answer.message.text == "Yes"


def test_a_refusal_is_text_and_a_reason() -> None:
    _, answer = read(ChatReader(), chunk(refusal="I will not."), chunk(finish="stop"))
    assert (answer.message.text, answer.finish_reason) == ("I will not.", "refused")


def test_geminis_thought_signature_goes_back_with_its_call() -> None:
    extra = {"google": {"thought_signature": "c2ln"}}
    call = {"index": 0, "id": "a", "extra_content": extra, "function": {"name": "look", "arguments": "{}"}}
    _, answer = read(ChatReader(), chunk(tool_calls=[call], finish="stop"))
    request = ModelRequest("gemini-3-pro-preview", "", (ChatMessage("user", (Text("Hi"),)), answer.message))
    sent = json.loads(_chat.encode(request).body)["messages"][1]
    assert sent["tool_calls"][0]["extra_content"] == extra
    assert sent["content"] is None


# --- Responses ---------------------------------------------------------------------------------------------------


def test_arguments_that_come_only_whole() -> None:
    item = {"type": "function_call", "call_id": "a", "name": "look"}
    _, answer = read(
        ResponsesReader(),
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, "arguments": ""}},
        {"type": "response.output_item.done", "output_index": 0, "item": {**item, "arguments": '{"at":1}'}},
        {"type": "response.completed", "response": {}},
    )
    assert answer.message.tool_calls == (ToolCall("a", "look", '{"at":1}'),)


def test_parts_of_a_reasoning_summary_are_set_apart() -> None:
    def delta(text: str) -> dict[str, Any]:
        return {"type": "response.reasoning_summary_text.delta", "delta": text}

    _, answer = read(
        ResponsesReader(),
        {"type": "response.reasoning_summary_part.added", "summary_index": 0},
        delta("First."),
        {"type": "response.reasoning_summary_part.added", "summary_index": 1},
        delta("Second."),
        {"type": "response.completed", "response": {}},
    )
    assert answer.message.parts == (Reasoning("First.\n\nSecond."),)


# --- Messages ----------------------------------------------------------------------------------------------------


def block(index: int, **content: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": content}


END = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}}


def test_each_block_of_thinking_keeps_its_own_signature() -> None:
    def thought(index: int, text: str, signature: str) -> list[dict[str, Any]]:
        deltas = ({"type": "thinking_delta", "thinking": text}, {"type": "signature_delta", "signature": signature})
        return [
            block(index, type="thinking", thinking="", signature=""),
            *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
            {"type": "content_block_stop", "index": index},
        ]

    redacted = block(2, type="redacted_thinking", data="sealed")
    _, answer = read(MessagesReader(), *thought(0, "one", "s1"), *thought(1, "two", "s2"), redacted, END)
    assert answer.message.parts == (
        Reasoning("one", "s1"),
        Reasoning("two", "s2"),
        Reasoning("", "sealed", redacted=True),
    )


def test_thinking_that_is_only_signed_is_kept() -> None:
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "s"}}
    stop = {"type": "content_block_stop", "index": 0}
    _, answer = read(MessagesReader(), block(0, type="thinking", thinking=""), delta, stop, END)
    assert answer.message.parts == (Reasoning("", "s"),)


def test_anthropics_whole_prompt_is_what_it_read_wrote_and_cached() -> None:
    usage = {"input_tokens": 5, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 20, "output_tokens": 1}
    _, answer = read(MessagesReader(), {"type": "message_start", "message": {"usage": usage}}, END)
    assert answer.usage.input_tokens == 125
    assert (answer.usage.cached_input_tokens, answer.usage.cache_write_tokens, answer.usage.output_tokens) == (
        100,
        20,
        5,
    )
