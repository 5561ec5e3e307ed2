"""Embeddings from OpenAI or any server with ``/embeddings``, through the ``openai`` SDK. An entry of ``EMBEDDERS``."""

from collections.abc import Iterator, Sequence
from typing import Any

from agents_core.llm import catalog
from agents_core.llm.base import Endpoint
from agents_core.llm.errors import InvalidModelResponse
from agents_core.llm.providers._http import SDK, Connection
from agents_core.llm.providers._refusals import Target
from agents_core.llm.providers.openai import ADDRESS, is_openai
from agents_core.llm.providers.openai_compatible import host_of, make_client
from agents_core.llm.retry import retrying

# OpenAI takes 2,048 texts and 300,000 tokens in one request; a token may be as short as one character.
BATCH_TEXTS = 256
BATCH_CHARS = 300_000


class OpenAIEmbedder:
    """Vectors of ``dimensions`` numbers. See ``agents_core.llm.base.Embedder``."""

    lexical = False
    vector_weight = 1.5

    def __init__(self, endpoint: Endpoint, model: str, dimensions: int) -> None:
        base_url = endpoint.base_url or ADDRESS
        target = Target(host_of(base_url), base_url, "OPENAI_API_KEY", endpoint.timeout_s, model)
        self._connection = Connection(SDK("openai", make_client), endpoint, target, needs_key=is_openai(base_url))
        self.name = model
        self.dimensions = dimensions

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector a text, in order. Raises ``ModelError``, as when a vector is of another length."""
        vectors: list[list[float]] = []
        for batch in _batches(texts):
            vectors += await retrying(lambda batch=batch: self._embed(batch))  # type: ignore[misc]
        return vectors

    async def _embed(self, batch: list[str]) -> list[list[float]]:
        answer = await self._connection.post_json("/embeddings", self._payload(batch), self.name)
        vectors = _vectors(answer)
        lengths = {len(vector) for vector in vectors}
        if len(vectors) != len(batch) or lengths != {self.dimensions}:
            raise InvalidModelResponse(
                f"{self.name} gave {len(vectors)} vectors of {sorted(lengths)} numbers for {len(batch)} texts.",
                advice=f"{self.dimensions} numbers each are expected: set the dimension of this embedding model.",
            )
        return vectors

    def _payload(self, batch: list[str]) -> dict[str, Any]:
        shortened = catalog.facts(self.name).embedding_dimensions not in (None, self.dimensions)
        return {
            "model": self.name,
            "input": batch,
            "encoding_format": "float",
            **({"dimensions": self.dimensions} if shortened else {}),
        }

    async def aclose(self) -> None:
        await self._connection.aclose()


def _vectors(answer: Any) -> list[list[float]]:
    try:
        return [entry["embedding"] for entry in sorted(answer["data"], key=lambda entry: entry.get("index", 0))]
    except (TypeError, KeyError, AttributeError) as error:
        raise InvalidModelResponse(f"The embedding server's answer has no vectors ({error!r}).") from error


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """The texts in portions that a request may hold. Blank texts, which OpenAI refuses, go as a full stop."""
    batch: list[str] = []
    chars = 0
    for text in (text if text.strip() else "." for text in texts):
        if batch and (len(batch) == BATCH_TEXTS or chars + len(text) > BATCH_CHARS):
            yield batch
            batch, chars = [], 0
        batch.append(text)
        chars += len(text)
    if batch:
        yield batch
