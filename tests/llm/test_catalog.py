"""What is known of models, and what a call costs."""

import pytest

from agents_core.llm.catalog import UNKNOWN, cost_usd, facts
from agents_core.llm.types import Usage


@pytest.mark.parametrize(
    ("model", "window"),
    [
        ("openai/gpt-4o-mini", 128_000),
        ("openai/gpt-4.1", 1_047_576),
        ("anthropic/claude-sonnet-4-20250514", 200_000),
        ("anthropic/claude-sonnet-4-5-20250929", 200_000),
        ("google_ai/gemini-2.5-pro", 1_048_576),
        ("gpt-4o-2024-08-06", 128_000),
        ("claude-haiku-4-5-20251001", 200_000),
        ("together/meta-llama/Llama-3.3-70B-Instruct-Turbo", 131_072),
    ],
)
def test_models_that_clients_name_are_known(model: str, window: int) -> None:
    known = facts(model)
    assert (known.context_window, known.source) == (window, "catalog")
    assert known.price


def test_a_newer_minor_version_is_not_taken_for_the_older() -> None:
    assert facts("claude-opus-4-5-20251101").price != facts("claude-opus-4-20250514").price
    assert facts("gpt-5.9").source == "default"
    assert facts("gpt-5-pro").price is None


def test_an_unknown_model_of_a_known_family_has_its_abilities_and_no_price() -> None:
    unheard_of = facts("claude-new-9")
    assert (unheard_of.source, unheard_of.reasoning, unheard_of.price) == ("default", "adaptive", None)


def test_an_unknown_model_has_the_documented_default() -> None:
    assert facts("nobody/knows-it") == UNKNOWN


def test_embedding_dimensions() -> None:
    assert facts("openai/text-embedding-3-small").embedding_dimensions == 1_536


def test_cost_counts_fresh_cached_and_written_input_apart() -> None:
    usage = Usage(
        input_tokens=1_000_000, output_tokens=100_000, cached_input_tokens=600_000, cache_write_tokens=300_000
    )
    expected = 0.1 * 3 + 0.6 * 0.3 + 0.3 * 3.75 + 0.1 * 15
    assert cost_usd("anthropic/claude-sonnet-4-5", usage) == pytest.approx(expected)


def test_long_requests_cost_more_from_the_first_token() -> None:
    assert cost_usd("google_ai/gemini-2.5-pro", Usage(200_000, 1_000)) == pytest.approx(0.26)
    assert cost_usd("google_ai/gemini-2.5-pro", Usage(200_001, 1_000)) == pytest.approx(0.5150025)


def test_an_unknown_price_is_not_zero() -> None:
    assert cost_usd("nobody/knows-it", Usage(10, 10)) is None
    assert cost_usd("ollama/gpt-oss-120b", Usage(10, 10)) is None
