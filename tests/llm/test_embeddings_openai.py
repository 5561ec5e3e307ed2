"""Embeddings over the wire."""

from collections.abc import Iterator

import pytest

from agents_core.llm.base import Endpoint
from agents_core.llm.embeddings.openai import BATCH_CHARS, BATCH_TEXTS, OpenAIEmbedder
from agents_core.llm.errors import InvalidModelResponse, ModelAuthenticationError
from tests.llm.fake_server import EMBEDDING_DIMENSIONS, FakeModelServer, Reply, refuse


@pytest.fixture
def server() -> Iterator[FakeModelServer]:
    with FakeModelServer() as fake:
        yield fake


def embedder(
    server: FakeModelServer, model: str = "some-embedder", dimensions: int = EMBEDDING_DIMENSIONS
) -> OpenAIEmbedder:
    return OpenAIEmbedder(Endpoint("a-key", server.url, timeout_s=5), model, dimensions)


async def test_vectors_come_in_the_order_of_the_texts(server: FakeModelServer) -> None:
    each = embedder(server)
    together = await each.embed(["one", "two", "three"])
    assert together == [vector for text in ("one", "two", "three") for vector in await each.embed([text])]
    assert len({tuple(vector) for vector in together}) == 3
    await each.aclose()


async def test_no_texts_ask_nobody(server: FakeModelServer) -> None:
    assert await embedder(server).embed([]) == []
    assert not server.requests


async def test_many_texts_go_in_batches(server: FakeModelServer) -> None:
    each = embedder(server)
    texts = [f"text {number}" for number in range(BATCH_TEXTS + 1)]
    assert len(await each.embed(texts)) == len(texts)
    assert [len(request.json["input"]) for request in server.requests] == [BATCH_TEXTS, 1]
    await each.aclose()


async def test_long_texts_go_in_smaller_batches(server: FakeModelServer) -> None:
    each = embedder(server)
    await each.embed(["x" * (BATCH_CHARS - 1), "y", "z"])
    assert [len(request.json["input"]) for request in server.requests] == [2, 1]
    await each.aclose()


async def test_blank_texts_which_openai_refuses_are_replaced(server: FakeModelServer) -> None:
    each = embedder(server)
    await each.embed(["", " \n", "word"])
    assert server.requests[-1].json["input"] == [".", ".", "word"]
    await each.aclose()


async def test_a_shorter_vector_is_asked_for_only_where_it_is_shorter(server: FakeModelServer) -> None:
    short = embedder(server, "text-embedding-3-small", 256)
    assert len((await short.embed(["one"]))[0]) == 256
    assert server.requests[-1].json["dimensions"] == 256
    await short.aclose()
    plain = embedder(server)
    await plain.embed(["one"])
    assert "dimensions" not in server.requests[-1].json
    await plain.aclose()


async def test_a_vector_of_another_length_is_an_error_that_names_both(
    monkeypatch: pytest.MonkeyPatch, server: FakeModelServer
) -> None:
    monkeypatch.setattr("agents_core.llm.retry.FIRST_DELAY_S", 0.001)
    wrong = embedder(server, dimensions=1_000)
    with pytest.raises(InvalidModelResponse, match=rf"\[{EMBEDDING_DIMENSIONS}\] numbers.*1000"):
        await wrong.embed(["one"])
    await wrong.aclose()


async def test_an_answer_without_vectors_is_an_error(monkeypatch: pytest.MonkeyPatch, server: FakeModelServer) -> None:
    monkeypatch.setattr("agents_core.llm.retry.FIRST_DELAY_S", 0.001)
    server.push(*[Reply(body=b'{"data": 7}')] * 3)
    each = embedder(server)
    with pytest.raises(InvalidModelResponse, match="no vectors"):
        await each.embed(["one"])
    await each.aclose()


async def test_a_transient_refusal_is_retried_and_a_wrong_key_is_not(server: FakeModelServer) -> None:
    each = embedder(server)
    server.push(refuse(500, "oops", retry_after="0"))
    assert await each.embed(["one"])
    server.push(refuse(401, "bad key"))
    with pytest.raises(ModelAuthenticationError):
        await each.embed(["one"])
    await each.aclose()


def test_it_is_known_as_an_embedder_of_meaning(server: FakeModelServer) -> None:
    each = embedder(server)
    assert (each.name, each.dimensions, each.lexical, each.vector_weight) == ("some-embedder", 8, False, 1.5)
