"""The providers known by name: their address, the names of their settings, and what kind of server they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from agents_core.llm.base import Endpoint

CLOUD_TIMEOUT_S = 120.0
LOCAL_TIMEOUT_S = 600.0
"""A machine without a fast graphics card may read a long prompt for minutes before its first word."""


@dataclass(frozen=True, slots=True)
class Preset:
    """``name`` is the prefix of its handles (``groq/llama-3.3-70b-versatile``) and the V1 ``provider_type``.

    ``kind`` is its name in ``PROVIDERS``. ``key_env`` are the environment's names for the key; the first found counts.
    A server that is ``local`` needs no key, and its address may be given without the ``/v1``.
    """

    name: str
    label: str
    kind: str = "openai_compatible"
    base_url: str | None = None
    key_env: tuple[str, ...] = ()
    base_url_env: str = ""
    local: bool = False

    @property
    def needs_key(self) -> bool:
        return bool(self.key_env) and not self.local


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset("openai", "OpenAI", "openai", None, ("OPENAI_API_KEY",), "OPENAI_BASE_URL"),
        Preset("anthropic", "Anthropic", "anthropic", None, ("ANTHROPIC_API_KEY",), "ANTHROPIC_BASE_URL"),
        Preset(
            "google_ai",
            "Google Gemini",
            base_url="https://generativelanguage.googleapis.com/v1beta/openai",
            key_env=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
            base_url_env="GEMINI_BASE_URL",
        ),
        Preset(
            "groq",
            "Groq",
            base_url="https://api.groq.com/openai/v1",
            key_env=("GROQ_API_KEY",),
            base_url_env="GROQ_BASE_URL",
        ),
        Preset(
            "together",
            "Together AI",
            base_url="https://api.together.xyz/v1",
            key_env=("TOGETHER_API_KEY",),
            base_url_env="TOGETHER_BASE_URL",
        ),
        Preset(
            "openrouter",
            "OpenRouter",
            base_url="https://openrouter.ai/api/v1",
            key_env=("OPENROUTER_API_KEY",),
            base_url_env="OPENROUTER_BASE_URL",
        ),
        Preset(
            "ollama",
            "Ollama",
            base_url="http://localhost:11434/v1",
            key_env=("OLLAMA_API_KEY",),
            base_url_env="OLLAMA_BASE_URL",
            local=True,
        ),
        Preset(
            "vllm",
            "vLLM",
            base_url="http://localhost:8000/v1",
            key_env=("VLLM_API_KEY",),
            base_url_env="VLLM_BASE_URL",
            local=True,
        ),
        Preset(
            "lmstudio",
            "LM Studio",
            base_url="http://localhost:1234/v1",
            key_env=("LMSTUDIO_API_KEY",),
            base_url_env="LMSTUDIO_BASE_URL",
            local=True,
        ),
        Preset("offline", "Built in (rules, not a language model)", "offline"),
    )
}


def endpoint_for(preset: Preset, api_key: str | None, base_url: str | None) -> Endpoint:
    """The endpoint of a preset with a person's own key and address, where given."""
    address = base_url or preset.base_url
    if preset.local and address and not urlsplit(address).path.strip("/"):
        address = f"{address.rstrip('/')}/v1"
    return Endpoint(api_key, address, LOCAL_TIMEOUT_S if preset.local else CLOUD_TIMEOUT_S)


def endpoints_from(environ: Mapping[str, str]) -> dict[str, Endpoint]:
    """The providers that ``environ`` configures, by name: those with a key or an address, and always the built-in one.

    An address without a key is enough for any: ``OPENAI_BASE_URL`` often names a server that asks for none.
    """
    found: dict[str, Endpoint] = {}
    for preset in PRESETS.values():
        api_key = next((key for name in preset.key_env if (key := environ.get(name, "").strip())), None)
        base_url = environ.get(preset.base_url_env, "").strip() or None
        if (api_key and not preset.local) or base_url or not preset.key_env:
            found[preset.name] = endpoint_for(preset, api_key, base_url)
    return found
