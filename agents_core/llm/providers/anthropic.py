"""Claude models, through the Messages API and the ``anthropic`` SDK. An entry of ``PROVIDERS``."""

from typing import TYPE_CHECKING, Any

from agents_core.llm.base import Endpoint
from agents_core.llm.providers._http import SDK, Connection
from agents_core.llm.providers._limits import model_info
from agents_core.llm.providers._messages import MESSAGES
from agents_core.llm.providers._provider import WireProvider
from agents_core.llm.providers._refusals import Target
from agents_core.llm.types import ModelInfo

if TYPE_CHECKING:
    import httpx2
    from anthropic import AsyncAnthropic

ADDRESS = "https://api.anthropic.com"


class AnthropicProvider(WireProvider):
    def __init__(self, endpoint: Endpoint) -> None:
        # The format's paths have their own /v1; people write it into the address all the same.
        base_url = (endpoint.base_url or ADDRESS).rstrip("/").removesuffix("/v1")
        target = Target("Anthropic", base_url, "ANTHROPIC_API_KEY", endpoint.timeout_s)
        connection = Connection(SDK("anthropic", _make_client), endpoint, target, needs_key=base_url == ADDRESS)
        super().__init__(connection, MESSAGES, _models)


def _make_client(sdk: Any, target: Target, api_key: str, http_client: "httpx2.AsyncClient") -> "AsyncAnthropic":
    # The SDK sends the key as a bearer token. Servers other than Anthropic's know the older header.
    headers = {} if target.base_url == ADDRESS else {"X-Api-Key": api_key}
    client: AsyncAnthropic = sdk.AsyncAnthropic(
        api_key=api_key,
        base_url=target.base_url,
        timeout=http_client.timeout,
        max_retries=0,
        default_headers=headers,
        open_telemetry=False,
        http_client=http_client,
    )
    return client


async def _models(connection: Connection) -> list[ModelInfo]:
    listed = await connection.get_json("/v1/models?limit=1000")
    return [model_info(e["id"], e.get("max_input_tokens"), e.get("max_tokens")) for e in listed["data"]]
