"""Counts without a network."""

import gzip
import hashlib

import pytest

from agents_core.llm import tokens
from agents_core.llm.types import ChatMessage, Image, Reasoning, Text, ToolCall, ToolSpec


@pytest.fixture(autouse=True, scope="module")
def loaded() -> None:
    tokens.load()


def test_the_vendored_ranks_are_the_ones_tiktoken_expects() -> None:
    ranks = gzip.decompress(tokens._RANKS.read_bytes())
    assert hashlib.sha256(ranks).hexdigest() == "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("hello world", 2),
        ("Hello, world!", 4),
        ("antidisestablishmentarianism", 6),
        ("1234567", 3),
        ("<|endoftext|>", 7),
    ],
)
def test_counts_are_those_of_o200k(text: str, expected: int) -> None:
    assert tokens.count(text) == expected


def test_before_the_ranks_are_loaded_four_bytes_count_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_encoding", None)
    monkeypatch.setattr(tokens, "warm", lambda: None)
    assert not tokens.is_exact()
    assert tokens.count("é" * 10) == 5
    assert tokens.count("\ud800abc") == 1


def test_the_ranks_are_loaded_only_once() -> None:
    before = tokens._encoding
    tokens.warm()
    tokens.load()
    assert tokens._encoding is before


@pytest.mark.parametrize("unit", [" ", "a", "\n", "漢", " \t", "\u0301"])
def test_an_endless_run_is_counted_and_breaks_nothing(unit: str) -> None:
    assert tokens.count(unit * 1_000_000) > 1_000


def test_a_long_text_counts_as_the_sum_of_its_lines() -> None:
    line = "The quick brown fox jumps over the lazy dog.\n"
    assert tokens.count(line * 2_000) == 2_000 * tokens.count(line)


def test_the_cache_is_bounded_and_returns_the_same_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_CACHED_TEXTS", 3)
    texts = [f"{number} " * 100 for number in range(10)]
    first = [tokens.count(text) for text in texts]
    assert [tokens.count(text) for text in texts] == first
    assert len(tokens._cache) <= 4_096


def test_a_message_counts_its_text_its_thinking_its_calls_and_a_fixed_price_for_images() -> None:
    call = ToolCall("call_1", "roll_dice", '{"sides": 6}')
    bare = ChatMessage("assistant")
    full = ChatMessage("assistant", (Text("hello world"), Reasoning("hello"), Image("image/png", "AAAA")), (call,))
    extra = 2 + 1 + tokens.IMAGE_TOKENS + tokens.count(call.name) + tokens.count(call.arguments) + tokens.CALL_TOKENS
    assert tokens.count_message(full) == tokens.count_message(bare) + extra


def test_tools_count_their_schema() -> None:
    small = ToolSpec("roll_dice", "Roll a die.", {"type": "object", "properties": {}})
    large = ToolSpec("roll_dice", "Roll a die.", {"type": "object", "properties": {"sides": {"type": "integer"}}})
    assert tokens.count_tools([]) == 0
    assert tokens.count_tools([small, large]) > 2 * tokens.count_tools([small])


def test_the_first_reply_sets_the_ratio_and_later_ones_move_it() -> None:
    first = tokens.updated_ratio(1.0, 0, 100, 120)
    assert first == pytest.approx(1.2)
    assert tokens.updated_ratio(first, 1, 100, 100) == pytest.approx(1.1)


def test_the_ratio_follows_a_lasting_change() -> None:
    ratio = 1.0
    for samples in range(100, 150):
        ratio = tokens.updated_ratio(ratio, samples, 100, 200)
    assert ratio == pytest.approx(2.0, abs=0.02)


@pytest.mark.parametrize(("estimated", "reported"), [(0, 10), (10, 0), (0, 0)])
def test_a_reply_that_reports_nothing_leaves_the_ratio(estimated: int, reported: int) -> None:
    assert tokens.updated_ratio(1.3, 4, estimated, reported) == 1.3
    assert tokens.updated_ratio(0.0, 0, estimated, reported) == 1.0
