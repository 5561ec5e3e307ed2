"""Running one call: what the model wrote becomes arguments, and whatever comes of it becomes a result."""

from zoneinfo import ZoneInfo

import pytest

from agents_core.memory.render import BlockFacts
from agents_core.sandbox.base import SandboxOutcome
from agents_core.tools.base import BlockState, ToolContext
from agents_core.tools.execute import as_text, cut_text, own_arguments, read_arguments, result_of, run_builtin


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ('{"a": 1}', {"a": 1}),
        ("", {}),
        ("  \n", {}),
        ('{"a": 1}{"a": 2}', {"a": 1}),
        ('{"a": 1} and more', {"a": 1}),
        ('{"a": ', {}),
        ("[1, 2]", {}),
        ('"text"', {}),
        ("null", {}),
        ("[" * 100_000, {}),
        ('{"a": "x\\u0000y"}', {"a": "xy"}),
        ('{"a": NaN, "b": -Infinity, "c": 1e999}', {"a": None, "b": None, "c": None}),
        ('{"a": "\\ud83d\\ude00 \\ud83d"}', {"a": "😀 ?"}),
        ("1" * 5000, {}),
    ],
)
def test_what_a_model_wrote_becomes_arguments_that_can_be_stored(text: str, arguments: dict[str, object]) -> None:
    assert read_arguments(text) == arguments


def test_what_is_the_loops_never_reaches_the_tool() -> None:
    assert own_arguments({"request_heartbeat": True, "thinking": "x", "inner_thoughts": "y", "city": "Paris"}) == {
        "city": "Paris"
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [("plain", "plain"), (None, "None"), ({"é": [1]}, '{"é": [1]}'), (3.5, "3.5"), (True, "true"), ([], "[]")],
)
def test_a_value_becomes_what_the_agent_reads(value: object, text: str) -> None:
    assert as_text(value) == text


def test_a_text_over_the_limit_is_cut_and_says_so() -> None:
    assert cut_text("x" * 10, 10) == "x" * 10
    assert cut_text("x" * 1001, 10) == "xxxxxxxxxx… [cut: 1,001 characters, this tool returns at most 10]"


class NoMemory:
    """These tools ask no memory."""


def context(value: str = "Ada.", *, read_only: bool = False, limit: int = 50) -> ToolContext:
    block = BlockState(BlockFacts("block-1", "human", value, limit, None, read_only), 3)
    return ToolContext("agent-1", "step-1", "call-1", ZoneInfo("UTC"), {"human": block}, NoMemory(), None)  # type: ignore[arg-type]


async def test_a_write_is_noted_for_the_commit_and_seen_by_the_next_call() -> None:
    ctx = context()
    for content in ("One.", "Two."):
        result = await run_builtin("core_memory_append", {"label": "human", "content": content}, ctx, 50_000)
        assert result.status == "success"
    assert [(edit.replaces, edit.changes["value"]) for edit in ctx.edits] == [
        (3, "Ada.\nOne."),
        (4, "Ada.\nOne.\nTwo."),
    ]
    assert (ctx.blocks["human"].value, ctx.blocks["human"].version) == ("Ada.\nOne.\nTwo.", 5)


async def test_a_write_that_changes_nothing_makes_no_version() -> None:
    ctx = context("Ada.")
    same = {"label": "human", "old_content": "Ada", "new_content": "Ada"}
    assert (await run_builtin("core_memory_replace", same, ctx, 50_000)).status == "success"
    assert ctx.edits == []


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("core_memory_append", {"label": "nobody", "content": "x"}, "There is no memory block labelled 'nobody'. Blocks: human."),
        ("core_memory_append", {"label": "human"}, "missing content. It takes: label, content."),
        ("core_memory_append", {"label": "human", "content": "x", "extra": 1}, "unknown extra"),
        ("core_memory_append", {"label": "human", "content": "x" * 60}, "Exceeds 50 character limit (requested 65)"),
        ("core_memory_append", {"label": ["human"], "content": "x"}, "Error executing function core_memory_append"),
        ("core_memory_replace", {"label": "human", "old_content": "Bob", "new_content": ""}, "Error executing function"),
        ("conversation_search_date", {"start_date": "yesterday", "end_date": "2026-01-01"}, "'yesterday' is not a date"),
        ("memory_insert", {"label": "human", "new_string": "x", "insert_line": "first"}, "Error executing function"),
    ],
)  # fmt: skip
async def test_what_goes_wrong_is_told_in_words_and_changes_nothing(
    name: str, arguments: dict[str, object], told: str
) -> None:
    ctx = context()
    result = await run_builtin(name, arguments, ctx, 50_000)
    assert (result.status, ctx.edits, ctx.blocks["human"].value) == ("error", [], "Ada.")
    assert told in result.text
    assert len(result.text) <= 1000


async def test_a_block_that_is_read_only_stays_as_it_is() -> None:
    ctx = context(read_only=True)
    result = await run_builtin("core_memory_append", {"label": "human", "content": "x"}, ctx, 50_000)
    assert result.status == "error"
    assert "read-only" in result.text
    assert ctx.edits == []


async def test_a_long_result_is_cut_to_the_tools_limit() -> None:
    result = await run_builtin("core_memory_append", {"label": "human", "content": "y" * 30}, context(), 10)
    assert result.text.startswith("Ada.\nyyyyy… [cut:")


def test_an_outcome_of_the_sandbox_is_told_without_what_cannot_be_stored() -> None:
    outcome = SandboxOutcome("ok", value="x\x00y", stdout="a\x00b", stderr="\ud83d")
    result = result_of("odd", outcome, 50_000)
    assert (result.status, result.text, result.stdout, result.stderr) == ("success", "xy", "ab", "?")


def test_a_tool_that_failed_in_the_sandbox_keeps_its_traceback_beside_the_words() -> None:
    outcome = SandboxOutcome("error", error="ValueError: no", stderr="warned", traceback="Traceback …")
    result = result_of("odd", outcome, 50_000)
    assert (result.status, result.text) == ("error", "Error executing function odd: ValueError: no")
    assert result.stderr == "warned\nTraceback …"
