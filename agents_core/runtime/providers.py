"""From a model handle to an open connection: the operator's mapping, then the provider set up in the settings or the environment."""

import asyncio
import os
import time
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from agents_core.errors import NotFound
from agents_core.llm.base import PROVIDERS, Endpoint, Provider
from agents_core.llm.presets import PRESETS, endpoint_for, endpoints_from
from agents_core.models import pipeline
from agents_core.models.pipeline import Statement
from agents_core.models.sealed import unseal

_FRESH_S = 1.0

_FIND = """
SELECT target.handle, account.kind, account.base_url, account.sealed_key
FROM (SELECT coalesce((SELECT target FROM handle_mapping WHERE handle = %s), %s) AS handle) AS target
LEFT JOIN provider_account AS account ON account.name = split_part(target.handle, '/', 1)
"""


class UnknownModel(NotFound):
    """No provider serves the handle."""

    code = "unknown_model"


@dataclass(frozen=True, slots=True)
class Connection:
    """An open provider and what to ask it for. ``handle`` is the one in use, after any mapping."""

    handle: str
    provider_name: str
    model: str
    provider: Provider


class Connections:
    """The providers one event loop keeps open, one per kind and endpoint."""

    def __init__(self) -> None:
        self._providers: dict[tuple[str, Endpoint], Provider] = {}
        self._found: dict[str, tuple[float, Connection]] = {}

    async def connect(self, handle: str) -> Connection:
        """The connection for ``handle``. A change of settings counts within a second. Raises ``UnknownModel``."""
        found = self._found.get(handle)
        if found is None or found[0] < time.monotonic():
            row = (await pipeline.run([Statement(_FIND, (handle, handle))]))[0][0]
            found = (time.monotonic() + _FRESH_S, await self._open(*row))
            self._found[handle] = found
        return found[1]

    async def _open(self, handle: str, kind: str | None, base_url: str | None, sealed_key: Any) -> Connection:
        name, _, model = handle.partition("/")
        if not model:
            raise UnknownModel(f"{handle!r} is not a model handle: write provider/model, such as openai/gpt-4o-mini.")
        kind, endpoint = endpoint_of(name, kind, base_url, sealed_key)
        key = (kind, endpoint)
        if key not in self._providers:
            # An SDK takes seconds to import: other runs go on meanwhile.
            self._providers[key] = await asyncio.to_thread(lambda: PROVIDERS.load(kind)(endpoint))
        return Connection(handle, name, model, self._providers[key])

    async def aclose(self) -> None:
        for provider in self._providers.values():
            await provider.aclose()
        self._providers.clear()
        self._found.clear()


def endpoint_of(
    name: str, kind: str | None, base_url: str | None, sealed_key: bytes | memoryview | None
) -> tuple[str, Endpoint]:
    """The kind and endpoint of a provider: its account's where there is one (``kind``), else the environment's. Raises ``UnknownModel``."""
    if kind is not None:
        api_key = unseal(sealed_key) if sealed_key else None
        preset = PRESETS.get(name)
        return kind, endpoint_for(preset, api_key, base_url) if preset else Endpoint(api_key, base_url)
    endpoint = endpoints_from(os.environ).get(name)
    if endpoint is not None:
        return PRESETS[name].kind, endpoint
    if name == "scripted":
        return "scripted", Endpoint(base_url=os.environ.get("SCRIPTED_BASE_URL"))
    raise UnknownModel(
        f"No provider named {name!r} is set up. Add it under Settings → Providers, or set its key in the environment."
    )


async def endpoint_for_embedding(handle: str) -> Endpoint | None:
    """Where the embedder of ``handle`` is reached; None for a local one. Raises ``UnknownModel``."""
    name = handle.partition("/")[0]
    if name == "local":
        return None
    row = (await pipeline.run([Statement(_FIND, (handle, handle))]))[0][0]
    return endpoint_of(name, *row[1:])[1]


_connections: WeakKeyDictionary[asyncio.AbstractEventLoop, Connections] = WeakKeyDictionary()


def connections() -> Connections:
    """The connections of the running event loop."""
    return _connections.setdefault(asyncio.get_running_loop(), Connections())
