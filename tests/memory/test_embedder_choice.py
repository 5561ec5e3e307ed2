import pytest

from agents_core.errors import InvalidInput, NotFound
from agents_core.llm.base import Endpoint
from agents_core.llm.embeddings.hashing import HashingEmbedder
from agents_core.memory.embedders import HASHING, default_handle, embed_query, embedder
from tests.memory.world import TopicEmbedder


def test_a_handle_gives_the_same_embedder_each_time() -> None:
    assert isinstance(embedder(HASHING), HashingEmbedder)
    assert embedder(HASHING) is embedder(HASHING)


def test_a_provider_embedder_goes_to_its_endpoint_with_the_dimensions_of_its_model() -> None:
    made = embedder("openai/text-embedding-3-small", Endpoint("key", "http://127.0.0.1:1/v1"))
    assert (made.name, made.dimensions, made.lexical) == ("text-embedding-3-small", 1536, False)


@pytest.mark.parametrize("handle", ["", "hashing", "openai/", "ollama/some-unknown-model"])
def test_a_handle_that_names_no_embedder_is_refused(handle: str) -> None:
    with pytest.raises(InvalidInput):
        embedder(handle)


def test_an_unknown_local_embedder_is_refused_with_the_known_ones() -> None:
    with pytest.raises(NotFound, match="hashing, minilm"):
        embedder("local/none")


def test_dimensions_make_an_unknown_model_usable() -> None:
    assert embedder("ollama/some-unknown-model", Endpoint("", "http://127.0.0.1:1/v1"), 96).dimensions == 96


def test_the_default_is_known_at_once() -> None:
    assert default_handle() in {HASHING, "local/minilm"}


async def test_a_query_vector_names_its_model_and_weight(topics: TopicEmbedder) -> None:
    vector = await embed_query("a dog", topics)
    assert (vector.vector, vector.model, vector.weight, vector.note) == ([1, 0, 0], "topics", 1.5, None)


async def test_a_blank_query_is_not_embedded(topics: TopicEmbedder) -> None:
    assert (await embed_query(" ", topics)).vector is None
    assert topics.calls == []


async def test_no_embedder_is_told_in_the_note() -> None:
    assert "No embedding model is set" in str((await embed_query("a dog", None)).note)
