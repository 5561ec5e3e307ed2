"""Any server that speaks chat completions, through the ``openai`` SDK. An entry of ``PROVIDERS``.

Ollama, vLLM, LM Studio, Groq, Together, OpenRouter, Gemini's compatible endpoint and many more.
"""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from agents_core.llm.base import Endpoint
from agents_core.llm.errors import ModelUnreachable
from agents_core.llm.providers._chat import CHAT
from agents_core.llm.providers._http import SDK, Connection
from agents_core.llm.providers._limits import compatible_models
from agents_core.llm.providers._provider import WireProvider
from agents_core.llm.providers._refusals import Target

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI


class OpenAICompatibleProvider(WireProvider):
    """Raises ``ModelUnreachable`` when the endpoint has no address: this kind has none of its own."""

    def __init__(self, endpoint: Endpoint) -> None:
        if not endpoint.base_url:
            raise ModelUnreachable("This provider has no address.", advice="Set its base URL in the settings.")
        target = Target(host_of(endpoint.base_url), endpoint.base_url, "its key", endpoint.timeout_s)
        super().__init__(Connection(SDK("openai", make_client), endpoint, target), CHAT, compatible_models)


def host_of(base_url: str) -> str:
    """The host and port in ``base_url``, as a name for the server there."""
    return urlsplit(base_url).netloc or base_url


def make_client(sdk: Any, target: Target, api_key: str, http_client: "httpx2.AsyncClient") -> "AsyncOpenAI":
    client: AsyncOpenAI = sdk.AsyncOpenAI(
        api_key=api_key,
        base_url=target.base_url,
        timeout=http_client.timeout,
        max_retries=0,
        http_client=http_client,
    )
    # The SDK takes these from the environment; they are OpenAI's and nobody else's business.
    client.organization = client.project = None
    return client
