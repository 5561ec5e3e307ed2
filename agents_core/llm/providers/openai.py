"""OpenAI, through the ``openai`` SDK. An entry of ``PROVIDERS``."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from agents_core.llm.base import Endpoint
from agents_core.llm.providers._chat import CHAT
from agents_core.llm.providers._http import SDK, Connection
from agents_core.llm.providers._limits import compatible_models
from agents_core.llm.providers._provider import WireProvider
from agents_core.llm.providers._refusals import Target
from agents_core.llm.providers._responses import RESPONSES
from agents_core.llm.providers._wire import Wire
from agents_core.llm.providers.openai_compatible import host_of, make_client
from agents_core.llm.types import ModelInfo

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI

ADDRESS = "https://api.openai.com/v1"

# Parts of the names of models that neither chat nor embed.
_OTHER_KINDS = ("audio", "dall-e", "image", "moderation", "realtime", "sora", "transcribe", "tts", "whisper")


class OpenAIProvider(WireProvider):
    """OpenAI's own address speaks the Responses API; any other, set as ``OPENAI_BASE_URL``, chat completions.

    That is the rule because people set such an address to reach a local server or a proxy, and those rarely have the
    Responses API, or all of it. ``wire`` is for those who know better.
    """

    def __init__(self, endpoint: Endpoint, wire: Wire | None = None) -> None:
        base_url = endpoint.base_url or ADDRESS
        own = is_openai(base_url)
        name = "OpenAI" if own else host_of(base_url)
        target = Target(name, base_url, "OPENAI_API_KEY", endpoint.timeout_s)
        connection = Connection(SDK("openai", _make_client if own else make_client), endpoint, target, needs_key=own)
        super().__init__(connection, wire or (RESPONSES if own else CHAT), _models)


def is_openai(base_url: str) -> bool:
    """Whether ``base_url`` is OpenAI's own, regional ones included."""
    host = urlsplit(base_url).hostname or ""
    return host == "api.openai.com" or host.endswith(".api.openai.com")


def _make_client(sdk: Any, target: Target, api_key: str, http_client: "httpx2.AsyncClient") -> "AsyncOpenAI":
    client: AsyncOpenAI = sdk.AsyncOpenAI(
        api_key=api_key,
        base_url=target.base_url,
        timeout=http_client.timeout,
        max_retries=0,
        http_client=http_client,
    )
    return client


async def _models(connection: Connection) -> list[ModelInfo]:
    listed = await compatible_models(connection)
    return [model for model in listed if not any(kind in model.name for kind in _OTHER_KINDS)]
