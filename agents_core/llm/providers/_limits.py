"""Context windows where a server tells them, each kind of server in its own place."""

import asyncio
import re
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from agents_core.llm import catalog
from agents_core.llm.errors import ModelError
from agents_core.llm.providers._http import Connection
from agents_core.llm.providers._wire import JSON, section
from agents_core.llm.types import ModelInfo

Limits = dict[str, tuple[int, int | None]]
"""By model: context window and, where told, output limit, in tokens."""

MODELS_ASKED_AT_ONCE = 8


def model_info(name: str, window: int | None, max_output: int | None = None) -> ModelInfo:
    """A listed model, with what its provider tells first and the catalog's knowledge for the rest."""
    known = catalog.facts(name)
    return ModelInfo(
        name,
        window or known.context_window,
        "provider" if window else known.source,
        max_output or known.max_output_tokens or None,
        known.embedding_dimensions,
    )


async def compatible_models(connection: Connection) -> list[ModelInfo]:
    """The models at ``/models``, with the limits that the server tells in whichever way its kind does."""
    listed = _entries(await connection.get_json("/models"))
    told = {entry["id"]: _limits(entry) for entry in listed}
    told.update(await _told_elsewhere(connection, listed))
    return [model_info(name.removeprefix("models/"), *told[name]) for name in told]


def _entries(payload: Any) -> list[JSON]:
    """The list of models: under ``data``, or bare as Together sends it."""
    entries = payload.get("data") if isinstance(payload, dict) else payload
    return [entry for entry in entries or [] if isinstance(entry, dict) and isinstance(entry.get("id"), str)]


def _limits(entry: JSON) -> tuple[int | None, int | None]:
    window = entry.get("max_model_len") or entry.get("context_length") or entry.get("context_window")
    output = entry.get("max_completion_tokens") or section(entry, "top_provider").get("max_completion_tokens")
    return _number(window), _number(output)


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and value > 0 else None


async def _told_elsewhere(connection: Connection, listed: list[JSON]) -> Limits:
    """What the server's own API tells besides. A server without it, or one that fails, tells nothing."""
    owners = {entry.get("owned_by") for entry in listed}
    names = [entry["id"] for entry in listed]
    try:
        if "library" in owners:
            return await _ollama(connection, names)
        if "organization_owner" in owners:
            return await _lmstudio(connection)
        if any(name.startswith("models/") for name in names):
            return await _gemini(connection)
    except (ModelError, ValueError, TypeError, AttributeError, KeyError):
        pass
    return {}


def _beside(connection: Connection, path: str) -> str:
    """A URL on the provider's host, outside of its base URL."""
    scheme, host, *_ = urlsplit(connection.target.base_url)
    return urlunsplit((scheme, host, path, "", ""))


async def _ollama(connection: Connection, names: list[str]) -> Limits:
    """A loaded model's window goes first: Ollama serves fewer tokens than a model could, and cuts what is beyond."""
    running = await connection.get_json(_beside(connection, "/api/ps"))
    loaded = {model["name"]: _number(model.get("context_length")) for model in running.get("models") or []}
    gate = asyncio.Semaphore(MODELS_ASKED_AT_ONCE)

    async def window(name: str) -> int | None:
        if loaded.get(name):
            return loaded[name]
        async with gate:
            return _ollama_window(await connection.post_json(_beside(connection, "/api/show"), {"model": name}))

    windows = await asyncio.gather(*(window(name) for name in names))
    return {name: (tokens, None) for name, tokens in zip(names, windows, strict=True) if tokens}


def _ollama_window(shown: JSON) -> int | None:
    if setting := re.search(r"^num_ctx\s+(\d+)", shown.get("parameters") or "", re.MULTILINE):
        return int(setting[1])
    info = section(shown, "model_info")
    return next((_number(value) for key, value in info.items() if key.endswith(".context_length")), None)


async def _lmstudio(connection: Connection) -> Limits:
    listed = _entries(await connection.get_json(_beside(connection, "/api/v0/models")))
    windows = {e["id"]: _number(e.get("loaded_context_length")) or _number(e.get("max_context_length")) for e in listed}
    return {name: (tokens, None) for name, tokens in windows.items() if tokens}


async def _gemini(connection: Connection) -> Limits:
    """Gemini's own list beside its compatible one: ``…/v1beta/models``."""
    url = f"{connection.target.base_url.rstrip('/').removesuffix('/openai')}/models?pageSize=1000"
    listed = await connection.get_json_by_key(url, "x-goog-api-key")
    limits = {
        e["name"]: (_number(e.get("inputTokenLimit")), _number(e.get("outputTokenLimit"))) for e in listed["models"]
    }
    return {name: (window, output) for name, (window, output) in limits.items() if window}
