"""Context windows as each kind of server tells them, and which wire a provider chooses."""

from collections.abc import AsyncIterator, Iterator

import pytest

from agents_core.llm.base import Endpoint
from agents_core.llm.errors import ModelAuthenticationError, ModelUnreachable
from agents_core.llm.providers.anthropic import AnthropicProvider
from agents_core.llm.providers.openai import OpenAIProvider, is_openai
from agents_core.llm.providers.openai_compatible import OpenAICompatibleProvider
from agents_core.llm.types import ChatMessage, ModelRequest, Sent, Text
from tests.llm.fake_server import FakeModelServer

HELLO = ModelRequest("gpt-4o-mini", "Be brief.", (ChatMessage("user", (Text("Hi"),)),))


@pytest.fixture
def server() -> Iterator[FakeModelServer]:
    with FakeModelServer() as fake:
        yield fake


@pytest.fixture
async def provider(server: FakeModelServer) -> AsyncIterator[OpenAICompatibleProvider]:
    connected = OpenAICompatibleProvider(Endpoint("a-key", server.url, timeout_s=5))
    yield connected
    await connected.aclose()


async def windows(provider: OpenAICompatibleProvider) -> dict[str, tuple[int, str]]:
    return {model.name: (model.context_window, model.context_window_source) for model in await provider.list_models()}


@pytest.mark.parametrize("field", ["max_model_len", "context_length", "context_window"])
async def test_windows_in_the_list_itself(
    provider: OpenAICompatibleProvider, server: FakeModelServer, field: str
) -> None:
    server.models = [{"id": "a", field: 8_192}, {"id": "gpt-4o", field: None}]
    assert await windows(provider) == {"a": (8_192, "provider"), "gpt-4o": (128_000, "catalog")}


async def test_a_bare_list_as_together_sends_it(provider: OpenAICompatibleProvider, server: FakeModelServer) -> None:
    server.pages["/v1/models"] = [{"id": "a", "context_length": 4_096}]
    assert await windows(provider) == {"a": (4_096, "provider")}


async def test_ollama_tells_what_it_serves_before_what_a_model_could(
    provider: OpenAICompatibleProvider, server: FakeModelServer
) -> None:
    server.models = [{"id": name, "owned_by": "library"} for name in ("loaded:1b", "idle:1b")]
    server.pages["/api/ps"] = {"models": [{"name": "loaded:1b", "context_length": 4_096}]}
    server.pages["/api/show"] = {"model_info": {"llama.context_length": 131_072}}
    assert await windows(provider) == {"loaded:1b": (4_096, "provider"), "idle:1b": (131_072, "provider")}
    server.pages["/api/show"]["parameters"] = 'stop "<|end|>"\nnum_ctx                        16384'
    assert (await windows(provider))["idle:1b"] == (16_384, "provider")


async def test_an_ollama_that_tells_nothing_still_lists_its_models(
    provider: OpenAICompatibleProvider, server: FakeModelServer
) -> None:
    server.models = [{"id": "a", "owned_by": "library"}]
    assert await windows(provider) == {"a": (32_768, "default")}


async def test_lmstudio(provider: OpenAICompatibleProvider, server: FakeModelServer) -> None:
    server.models = [{"id": "a", "owned_by": "organization_owner"}]
    server.pages["/api/v0/models"] = {
        "data": [{"id": "a", "max_context_length": 131_072, "loaded_context_length": 4_096}]
    }
    assert await windows(provider) == {"a": (4_096, "provider")}


async def test_gemini_is_asked_at_its_own_list_by_its_own_header(server: FakeModelServer) -> None:
    provider = OpenAICompatibleProvider(Endpoint("a-key", f"{server.origin}/v1beta/openai"))
    name = "models/gemini-new"
    server.pages["/v1beta/openai/models"] = {"data": [{"id": name}]}
    server.pages["/v1beta/models"] = {"models": [{"name": name, "inputTokenLimit": 99, "outputTokenLimit": 9}]}
    [model] = await provider.list_models()
    assert (model.name, model.context_window, model.max_output_tokens) == ("gemini-new", 99, 9)
    assert server.requests[-1].headers["x-goog-api-key"] == "a-key"
    assert "authorization" not in server.requests[-1].headers
    await provider.aclose()


async def test_anthropic_tells_its_windows(server: FakeModelServer) -> None:
    provider = AnthropicProvider(Endpoint("a-key", server.url))
    server.models = [{"id": "claude-new", "max_input_tokens": 777, "max_tokens": 77}]
    [model] = await provider.list_models()
    assert (model.context_window, model.context_window_source, model.max_output_tokens) == (777, "provider", 77)
    await provider.aclose()


async def test_openais_models_that_neither_chat_nor_embed_are_left_out() -> None:
    with FakeModelServer() as server:
        server.models = [{"id": "gpt-4o"}, {"id": "whisper-1"}, {"id": "text-embedding-3-small"}]
        compatible = OpenAIProvider(Endpoint("a-key", server.url))
        listed = await compatible.list_models()
        assert {model.name for model in listed} == {"gpt-4o", "text-embedding-3-small"}
        assert [model.embedding_dimensions for model in listed] == [None, 1_536]
        await compatible.aclose()


# --- the address decides -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "own"),
    [
        ("https://api.openai.com/v1", True),
        ("https://eu.api.openai.com/v1", True),
        ("http://localhost:11434/v1", False),
        ("https://api.openai.com.example.org/v1", False),
    ],
)
def test_openais_own_addresses(address: str, own: bool) -> None:
    assert is_openai(address) is own


async def first_url(provider: OpenAIProvider) -> str:
    sent = await anext(aiter(provider.stream(HELLO)))
    assert isinstance(sent, Sent)
    return sent.url


async def test_openai_speaks_responses_at_home_and_chat_completions_elsewhere() -> None:
    assert await first_url(OpenAIProvider(Endpoint("k"))) == "https://api.openai.com/v1/responses"
    elsewhere = OpenAIProvider(Endpoint("k", "http://localhost:8000/v1/"))
    assert await first_url(elsewhere) == "http://localhost:8000/v1/chat/completions"


@pytest.mark.parametrize("kind", [OpenAIProvider, AnthropicProvider])
async def test_a_missing_key_is_told_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch, kind: type[OpenAIProvider] | type[AnthropicProvider]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "not-for-us")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "not-for-us")
    check = await kind(Endpoint()).check()
    assert "No key is set" in check.summary
    with pytest.raises(ModelAuthenticationError):
        await kind(Endpoint()).list_models()


async def test_the_environments_key_is_never_sent_to_another_address(
    monkeypatch: pytest.MonkeyPatch, server: FakeModelServer
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    monkeypatch.setenv("OPENAI_ORG_ID", "secret")
    provider = OpenAICompatibleProvider(Endpoint(None, server.url))
    await provider.list_models()
    assert "secret" not in str(server.requests[-1].headers)
    await provider.aclose()


def test_a_compatible_provider_needs_an_address() -> None:
    with pytest.raises(ModelUnreachable, match="base URL"):
        OpenAICompatibleProvider(Endpoint("k"))


async def test_anthropics_address_may_end_in_v1(server: FakeModelServer) -> None:
    provider = AnthropicProvider(Endpoint("k", f"{server.origin}/v1/"))
    items = [item async for item in provider.stream(HELLO)]
    assert server.requests[-1].path == "/v1/messages"
    assert len(items) > 2
    await provider.aclose()
