"""The closed union: every event survives the table, and one from a newer version is read as far as it is known."""

import pytest

from agents_core.events.types import (
    _BY_TYPE,
    AgentChanged,
    AnyEvent,
    BlockChanged,
    MessageDelta,
    RunEnded,
    parse,
    payload_of,
)


@pytest.mark.parametrize(
    "event",
    [
        AgentChanged(["name", "tools"]),
        RunEnded("failed", "llm_api_error"),
        MessageDelta("message-1", "tool_call", '{"a', 2, "call_1", "search"),
        BlockChanged("block-1", "human", 7, "agent"),
    ],
)
def test_an_event_is_read_as_it_was_written(event: AnyEvent) -> None:
    assert parse(event.type, payload_of(event)) == event


def test_a_field_of_a_newer_version_is_left_out() -> None:
    assert parse("run.ended", {"status": "failed", "stop_reason": "error", "novelty": 1}) == RunEnded("failed", "error")


def test_each_kind_has_a_name_of_its_own() -> None:
    assert len(_BY_TYPE) == len(set(_BY_TYPE.values())) >= 16
