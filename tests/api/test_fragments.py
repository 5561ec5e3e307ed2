"""Fragments of a message that is being written: whatever a reader saw of them, the whole comes out exactly once."""

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agents_core.api.fragments import Tokens, Whole, is_echo
from agents_core.api.wire import View, expand, view_of
from agents_core.events.types import MessageDelta, StoredEvent
from tests.api.rows import MESSAGE_ID, call, stored, text, thought

AT = datetime(2026, 1, 1, tzinfo=UTC)


def delta(part: str, words: str, **more: Any) -> tuple[StoredEvent, MessageDelta]:
    event = MessageDelta(MESSAGE_ID, part, words, **more)
    return StoredEvent(1, event, "run-1", "step-1", AT), event


def deltas_of(row: dict[str, Any], cuts: int) -> list[tuple[StoredEvent, MessageDelta]]:
    """The deltas that a model would have sent for ``row``, in pieces of ``cuts`` characters."""
    found = []
    for part in row["content"]:
        value = part[part["type"]]
        found += [delta(part["type"], value[at : at + cuts]) for at in range(0, len(value), cuts)]
    for index, made in enumerate(row["tool_calls"]):
        pieces = [made["arguments"][at : at + cuts] for at in range(0, len(made["arguments"]), cuts)] or [""]
        found.append(delta("tool_call", pieces[0], index=index, call_id=made["id"], name=made["name"]))
        found += [delta("tool_call", piece, index=index) for piece in pieces[1:]]
    return found


def read(row: dict[str, Any], view: View, seen: list[tuple[StoredEvent, MessageDelta]]) -> list[dict[str, Any]]:
    reader = Tokens(view)
    fragments = [shown for each in seen for shown in reader.delta(*each)]
    return fragments + reader.committed(row)


def joined(fragments: list[dict[str, Any]]) -> dict[tuple[str, str, str], str]:
    """What a client has after concatenating: by type, otid and, for calls, the call."""
    found: dict[tuple[str, str, str], str] = {}
    for each in fragments:
        called = each.get("tool_call") or {}
        growing = called.get("arguments") or each.get("reasoning") or each.get("content") or ""
        key = (each["message_type"], each["otid"], called.get("tool_call_id", ""))
        found[key] = found.get(key, "") + growing
    return found


def whole(row: dict[str, Any], view: View) -> dict[tuple[str, str, str], str]:
    found: dict[tuple[str, str, str], str] = {}
    for each in expand(row, view):
        if each["message_type"] == "tool_call_message":
            for made in each["tool_calls"]:
                found["tool_call_message", each["otid"], made["tool_call_id"]] = made["arguments"]
        else:
            found[each["message_type"], each["otid"], ""] = each.get("reasoning") or each.get("content") or ""
    return found


words = st.text(min_size=1, max_size=30)
rows = st.builds(
    lambda thoughts, said, calls: stored(
        "assistant",
        content=[*map(thought, thoughts), *map(text, said)],
        tool_calls=[call(name, number, message=message) for number, (name, message) in enumerate(calls)],
    ),
    st.lists(words, max_size=1),
    st.lists(words, max_size=1),
    st.lists(st.tuples(st.sampled_from(["send_message", "find"]), words), max_size=3),
)


@given(rows, st.integers(1, 7), st.floats(0, 1), st.sampled_from(["memgpt_agent", "letta_v1_agent"]))
def test_any_number_of_seen_deltas_and_the_commit_make_the_whole_once(
    row: dict[str, Any], cuts: int, share: float, kind: str
) -> None:
    view = view_of(kind)
    seen = deltas_of(row, cuts)
    assert joined(read(row, view, seen[: round(len(seen) * share)])) == whole(row, view)


def test_the_words_of_the_speaking_tool_come_as_they_are_written() -> None:
    reader = Tokens(view_of("memgpt_agent"))
    arguments = json.dumps({"message": "hé\n🎈"})
    shown = []
    for at, letter in enumerate(arguments):
        more = {"call_id": "c", "name": "send_message"} if at == 0 else {}
        shown += reader.delta(*delta("tool_call", letter, **more))
    assert "".join(each["content"] for each in shown) == "hé\n🎈"
    assert {each["message_type"] for each in shown} == {"assistant_message"}


def test_a_fragment_of_a_call_is_one_object_under_both_names() -> None:
    reader = Tokens(view_of("letta_v1_agent"))
    [first] = reader.delta(*delta("tool_call", '{"a"', call_id="c", name="find"))
    [second] = reader.delta(*delta("tool_call", ": 1}"))
    assert first["tool_call"] == first["tool_calls"] == {"name": "find", "arguments": '{"a"', "tool_call_id": "c"}
    assert second["tool_call"] == {"name": None, "arguments": ": 1}", "tool_call_id": "c"}


def test_the_signature_of_reasoning_still_comes_when_its_words_are_out() -> None:
    row = stored("assistant", content=[thought("ab", signature="s")])
    rest = read(row, view_of("letta_v1_agent"), [delta("reasoning", "ab")])[1:]
    assert [(each["reasoning"], each["signature"]) for each in rest] == [("", "s")]


def test_without_fragments_a_message_comes_when_it_is_committed() -> None:
    reader = Whole(view_of("letta_v1_agent"))
    row = stored("assistant", content=[text("hello")])
    assert reader.delta(*delta("text", "hel")) == []
    assert [each["content"] for each in reader.committed(row)] == ["hello"]


def test_what_the_caller_sent_is_no_news_to_it() -> None:
    assert is_echo(stored("user", content=[text("q")], step_id=None))
    assert not is_echo(stored("user", content=[text("heartbeat")]))
