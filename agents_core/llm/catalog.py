"""What is known of common models: context window in tokens, output limit, price in USD per million tokens, abilities.

From the providers' own pages (platform.claude.com, developers.openai.com, ai.google.dev, console.groq.com,
together.ai) as they stood in November 2026. What a provider tells of its limits itself goes first, see
``ModelInfo.context_window_source``.
"""

import re
from dataclasses import dataclass, replace
from typing import Literal

from agents_core.llm.types import Usage

ReasoningControl = Literal["none", "effort", "budget", "adaptive"]
Source = Literal["catalog", "default"]

SELF_HOSTED = ("ollama", "vllm", "lmstudio")
LOCAL_PROVIDERS = (*SELF_HOSTED, "offline")


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens.

    When a request has more than ``long_from_tokens`` of input, all of its input costs ``long_input`` times as much and
    its output ``long_output`` times.
    """

    input: float
    cached_input: float
    cache_write: float
    output: float
    long_from_tokens: int | None = None
    long_input: float = 2.0
    long_output: float = 1.5


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """``reasoning`` says how thinking is asked for: OpenAI's effort, Anthropic's budget in tokens or adaptive thinking.

    ``sampling`` is false for models that refuse a temperature. ``source`` is "default" when the name itself is unknown
    and the values come from its family or from ``UNKNOWN``; such a model has no price.
    """

    context_window: int
    max_output_tokens: int
    price: Price | None = None
    tools: bool = True
    images: bool = False
    reasoning: ReasoningControl = "none"
    sampling: bool = True
    embedding_dimensions: int | None = None
    source: Source = "catalog"


UNKNOWN = ModelFacts(context_window=32_768, max_output_tokens=4_096, source="default")


def _openai(
    window: int,
    output: int,
    prices: tuple[float, float, float] | None,
    *,
    long: bool = False,
    write: float = 1.0,
    reasons: bool = True,
    images: bool = True,
) -> ModelFacts:
    price = prices and Price(prices[0], prices[1], prices[0] * write, prices[2], 272_000 if long else None)
    control: ReasoningControl = "effort" if reasons else "none"
    return ModelFacts(window, output, price, images=images, reasoning=control, sampling=not reasons)


def _claude(
    window: int, output: int, prices: tuple[float, float], reasoning: ReasoningControl, cached: float = 0.1
) -> ModelFacts:
    price = Price(prices[0], prices[0] * cached, prices[0] * 1.25, prices[1])
    return ModelFacts(window, output, price, images=True, reasoning=reasoning, sampling=False)


def _gemini(output: int, prices: tuple[float, float, float], *, long: bool = False, reasons: bool = True) -> ModelFacts:
    price = Price(prices[0], prices[1], prices[0], prices[2], 200_000 if long else None)
    return ModelFacts(1_048_576, output, price, images=True, reasoning="effort" if reasons else "none")


def _open(window: int, output: int, prices: tuple[float, float], reasoning: ReasoningControl = "none") -> ModelFacts:
    return ModelFacts(window, output, Price(prices[0], prices[0], prices[0], prices[1]), reasoning=reasoning)


def _embedding(dimensions: int, price: float, window: int = 8_191) -> ModelFacts:
    return ModelFacts(window, 0, Price(price, price, price, 0.0), tools=False, embedding_dimensions=dimensions)


M = 1_050_000
_MODELS: dict[str, ModelFacts] = {
    # OpenAI
    "gpt-3.5-turbo": _openai(16_385, 4_096, (0.5, 0.5, 1.5), reasons=False, images=False),
    "gpt-4": _openai(8_192, 8_192, (30, 30, 60), reasons=False, images=False),
    "gpt-4-turbo": _openai(128_000, 4_096, (10, 10, 30), reasons=False),
    "gpt-4o": _openai(128_000, 16_384, (2.5, 1.25, 10), reasons=False),
    "gpt-4o-mini": _openai(128_000, 16_384, (0.15, 0.075, 0.6), reasons=False),
    "gpt-4.1": _openai(1_047_576, 32_768, (2, 0.5, 8), reasons=False),
    "gpt-4.1-mini": _openai(1_047_576, 32_768, (0.4, 0.1, 1.6), reasons=False),
    "gpt-4.1-nano": _openai(1_047_576, 32_768, (0.1, 0.025, 0.4), reasons=False),
    "o1": _openai(200_000, 100_000, (15, 7.5, 60)),
    "o3": _openai(200_000, 100_000, (2, 0.5, 8)),
    "o3-mini": _openai(200_000, 100_000, (1.1, 0.55, 4.4), images=False),
    "o4-mini": _openai(200_000, 100_000, (1.1, 0.275, 4.4)),
    "gpt-5": _openai(400_000, 128_000, (1.25, 0.125, 10)),
    "gpt-5-mini": _openai(400_000, 128_000, (0.25, 0.025, 2)),
    "gpt-5-nano": _openai(400_000, 128_000, (0.05, 0.005, 0.4)),
    "gpt-5.1": _openai(400_000, 128_000, (1.25, 0.125, 10)),
    "gpt-5.2": _openai(400_000, 128_000, (1.75, 0.175, 14)),
    "gpt-5.4": _openai(M, 128_000, (2.5, 0.25, 15), long=True),
    "gpt-5.4-mini": _openai(400_000, 128_000, (0.75, 0.075, 4.5)),
    "gpt-5.4-nano": _openai(400_000, 128_000, (0.2, 0.02, 1.25)),
    "gpt-5.5": _openai(M, 128_000, (5, 0.5, 30), long=True),
    "gpt-5.6-sol": _openai(M, 128_000, (4, 0.4, 20), long=True, write=1.25),
    "gpt-5.6-terra": _openai(M, 128_000, (2, 0.2, 12), long=True, write=1.25),
    "gpt-5.6-luna": _openai(M, 128_000, (0.2, 0.02, 1.2), long=True, write=1.25),
    "gpt-6-astra": _openai(M, 128_000, (10, 1, 50), long=True, write=1.25),
    "gpt-6-sol": _openai(M, 128_000, (2, 0.2, 10), long=True, write=1.25),
    "gpt-6-luna": _openai(M, 128_000, (0.1, 0.01, 0.5), long=True, write=1.25),
    "gpt-6.1-sol": _openai(M, 128_000, (2, 0.1, 10), long=True, write=1.25),
    "gpt-6.2-sol": _openai(M, 128_000, (2, 0.1, 10), long=True, write=1.25),
    "text-embedding-3-small": _embedding(1_536, 0.02),
    "text-embedding-3-large": _embedding(3_072, 0.13),
    "text-embedding-ada-002": _embedding(1_536, 0.1),
    # Anthropic
    "claude-3-haiku": _claude(200_000, 4_096, (0.25, 1.25), "none", cached=0.12),
    "claude-3-opus": _claude(200_000, 4_096, (15, 75), "none"),
    "claude-3-5-haiku": _claude(200_000, 8_192, (0.8, 4), "none"),
    "claude-3-5-sonnet": _claude(200_000, 8_192, (3, 15), "none"),
    "claude-3-7-sonnet": _claude(200_000, 64_000, (3, 15), "budget"),
    "claude-sonnet-4": _claude(200_000, 64_000, (3, 15), "budget"),
    "claude-opus-4": _claude(200_000, 32_000, (15, 75), "budget"),
    "claude-opus-4-1": _claude(200_000, 32_000, (15, 75), "budget"),
    "claude-haiku-4-5": _claude(200_000, 64_000, (1, 5), "budget"),
    "claude-sonnet-4-5": _claude(200_000, 64_000, (3, 15), "budget"),
    "claude-opus-4-5": _claude(200_000, 64_000, (5, 25), "budget"),
    "claude-sonnet-4-6": _claude(1_000_000, 64_000, (3, 15), "adaptive"),
    "claude-opus-4-6": _claude(1_000_000, 128_000, (5, 25), "adaptive"),
    "claude-opus-4-7": _claude(1_000_000, 128_000, (5, 25), "adaptive"),
    "claude-opus-4-8": _claude(1_000_000, 128_000, (5, 25), "adaptive"),
    "claude-sonnet-5": _claude(1_000_000, 128_000, (2, 10), "adaptive"),
    "claude-opus-5": _claude(1_000_000, 128_000, (5, 25), "adaptive"),
    "claude-fable-5": _claude(1_000_000, 128_000, (10, 50), "adaptive"),
    "claude-fable-5-1": _claude(1_000_000, 128_000, (10, 50), "adaptive", cached=0.025),
    "claude-haiku-5-5": replace(
        _claude(1_000_000, 128_000, (0.1, 0.5), "adaptive"),
        price=Price(0.1, 0.01, 0.125, 0.5, long_from_tokens=100_000, long_input=5, long_output=5),
    ),
    "claude-sonnet-5-5": _claude(1_000_000, 128_000, (2, 10), "adaptive", cached=0.05),
    "claude-opus-5-5": _claude(1_000_000, 128_000, (4, 20), "adaptive", cached=0.05),
    # Gemini
    "gemini-2.0-flash": _gemini(8_192, (0.1, 0.025, 0.4), reasons=False),
    "gemini-2.5-flash-lite": _gemini(65_536, (0.1, 0.01, 0.4)),
    "gemini-2.5-flash": _gemini(65_536, (0.3, 0.03, 2.5)),
    "gemini-2.5-pro": _gemini(65_536, (1.25, 0.125, 10), long=True),
    "gemini-3-flash-preview": _gemini(65_536, (0.5, 0.05, 3)),
    "gemini-3-pro-preview": _gemini(65_536, (2, 0.2, 12), long=True),
    # Groq
    "llama-3.1-8b-instant": _open(131_072, 131_072, (0.05, 0.08)),
    "llama-3.3-70b-versatile": _open(131_072, 32_768, (0.59, 0.79)),
    "qwen3-32b": _open(131_072, 40_960, (0.29, 0.59)),
    # Built in
    "rules": ModelFacts(32_000, 4_096),
    "rules-8k": ModelFacts(8_000, 4_096),
    # Groq and Together, at one price
    "gpt-oss-120b": _open(131_072, 65_536, (0.15, 0.6), "effort"),
    "kimi-k2-instruct-0905": _open(262_144, 16_384, (1, 3)),
    # Together
    "llama-3.3-70b-instruct-turbo": _open(131_072, 32_768, (0.88, 0.88)),
    "deepseek-v3.1": _open(131_072, 32_768, (0.6, 1.7)),
    "qwen3-coder-480b-a35b-instruct-fp8": _open(262_144, 65_536, (2, 2)),
}

# Names not in the list, by how they begin; the longest goes first. No price: it would be a guess.
_FAMILIES: dict[str, ModelFacts] = {
    "gpt-3": _openai(16_385, 4_096, None, reasons=False, images=False),
    "gpt-4": _openai(128_000, 16_384, None, reasons=False),
    "gpt-": _openai(128_000, 32_768, None),
    "gpt-oss": ModelFacts(131_072, 32_768, reasoning="effort"),
    "o1": _openai(200_000, 100_000, None),
    "o3": _openai(200_000, 100_000, None),
    "o4": _openai(200_000, 100_000, None),
    "text-embedding": ModelFacts(8_191, 0, tools=False),
    "claude-": replace(_claude(200_000, 64_000, (0, 0), "adaptive"), price=None),
    "gemini-": replace(_gemini(65_536, (0, 0, 0)), price=None),
}

# A date or a moving name after a known one is the same model: -2024-07-18, -20250514, -0905, -latest, -preview-05-06.
_SAME_MODEL = re.compile(r"[-@](\d{4}-\d{2}-\d{2}|\d{8}|\d{4}|latest|preview(-\d{2}-\d{2})?)")


def facts(model: str) -> ModelFacts:
    """What is known of ``model``, a handle or a provider's own name for it; at worst ``UNKNOWN``."""
    name = model.rsplit("/", 1)[-1].lower()
    if known := _MODELS.get(name) or _MODELS.get(_SAME_MODEL.sub("", name)):
        return known
    families = sorted((prefix for prefix in _FAMILIES if name.startswith(prefix)), key=len)
    return replace(_FAMILIES[families[-1]], source="default") if families else UNKNOWN


def cost_usd(model: str, usage: Usage) -> float | None:
    """What a call cost in USD at the provider's list price; None when no price is known, never 0.

    ``model`` should be a handle: models of a local provider have no price, whatever their name.
    """
    price = facts(model).price
    if price is None or model.partition("/")[0] in LOCAL_PROVIDERS:
        return None
    fresh = usage.input_tokens - usage.cached_input_tokens - usage.cache_write_tokens
    inputs = (
        max(fresh, 0) * price.input
        + usage.cached_input_tokens * price.cached_input
        + usage.cache_write_tokens * price.cache_write
    )
    outputs = usage.output_tokens * price.output
    if price.long_from_tokens is not None and usage.input_tokens > price.long_from_tokens:
        inputs, outputs = inputs * price.long_input, outputs * price.long_output
    return (inputs + outputs) / 1_000_000
