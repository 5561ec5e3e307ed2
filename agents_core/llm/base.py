"""The two interfaces of this floor: a model provider and an embedder. No Django here."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from agents_core.llm.types import Check, ModelInfo, ModelRequest, StreamItem
from agents_core.registry import Registry


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a provider is and how to enter. ``base_url`` None means the provider's own address.

    ``timeout_s`` is the longest silence allowed, before the first byte and between two: a long answer may take longer.
    """

    api_key: str | None = None
    base_url: str | None = None
    timeout_s: float = 120.0


class Provider(Protocol):
    """One connection to a model provider; kept open and shared by all agents of a worker.

    Constructed with an ``Endpoint``. ``stream`` yields ``Sent`` first, then any ``Retrying``, then deltas, then exactly
    one ``Finished``. It raises a subclass of ``agents_core.llm.errors.ModelError``; after the first delta nothing is
    retried.
    """

    def stream(self, request: ModelRequest) -> AsyncGenerator[StreamItem, None]: ...

    async def list_models(self) -> list[ModelInfo]: ...

    async def check(self) -> Check: ...

    async def aclose(self) -> None: ...


class Embedder(Protocol):
    """Texts to vectors. ``lexical`` is true when likeness means shared words only, not meaning.

    ``vector_weight`` is the weight of this embedder's cosine beside BM25 in a hybrid search (1.5 suits MiniLM).
    """

    name: str
    dimensions: int
    lexical: bool
    vector_weight: float

    async def embed(self, texts: Sequence[str]) -> list[list[float]]: ...

    async def aclose(self) -> None: ...


PROVIDERS = Registry(
    "model provider",
    {
        "anthropic": "agents_core.llm.providers.anthropic:AnthropicProvider",
        "openai": "agents_core.llm.providers.openai:OpenAIProvider",
        "openai_compatible": "agents_core.llm.providers.openai_compatible:OpenAICompatibleProvider",
        "offline": "agents_core.llm.providers.offline:OfflineProvider",
        "scripted": "agents_core.llm.providers.scripted:ScriptedProvider",
    },
)

EMBEDDERS = Registry(
    "embedder",
    {
        "openai": "agents_core.llm.embeddings.openai:OpenAIEmbedder",
        "minilm": "agents_core.llm.embeddings.minilm:MiniLMEmbedder",
        "hashing": "agents_core.llm.embeddings.hashing:HashingEmbedder",
    },
)
