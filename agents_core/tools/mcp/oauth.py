"""Signing in to a server with OAuth: the SDK's flow, whose tokens and registration are kept sealed with the server."""

import json
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from agents_core.models import pipeline
from agents_core.models.pipeline import Statement
from agents_core.models.sealed import seal, unseal
from agents_core.tools.mcp.target import Target

if TYPE_CHECKING:
    from httpx2 import Auth
    from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
    from mcp.shared.auth import OAuthClientInformationFull, OAuthToken

_UPDATE = "UPDATE mcp_server SET sealed_sign_in = %s WHERE id = %s"

Redirect = Callable[[str], Awaitable[None]]
Callback = Callable[[], Awaitable["AuthorizationCodeResult"]]


class _Kept:
    """What OAuth gave for a server: the SDK's ``TokenStorage``. JSON {tokens, expires_at, client, server, resource}."""

    def __init__(self, target: Target) -> None:
        self._server_id = target.server_id
        self.stored: dict[str, Any] = json.loads(unseal(target.sign_in)) if target.sign_in else {}
        self.provider: OAuthClientProvider | None = None

    async def get_tokens(self) -> "OAuthToken | None":
        from mcp.shared.auth import OAuthToken

        return OAuthToken.model_validate(self.stored["tokens"]) if "tokens" in self.stored else None

    async def set_tokens(self, tokens: "OAuthToken") -> None:
        assert self.provider is not None
        context = self.provider.context
        self.stored |= {
            "tokens": tokens.model_dump(mode="json"),
            "expires_at": time.time() + tokens.expires_in if tokens.expires_in else None,
            "server": context.oauth_metadata and context.oauth_metadata.model_dump(mode="json"),
            "resource": context.protected_resource_metadata
            and context.protected_resource_metadata.model_dump(mode="json"),
        }
        await pipeline.run([Statement(_UPDATE, (seal(json.dumps(self.stored)), self._server_id))])

    async def get_client_info(self) -> "OAuthClientInformationFull | None":
        from mcp.shared.auth import OAuthClientInformationFull

        return OAuthClientInformationFull.model_validate(self.stored["client"]) if "client" in self.stored else None

    async def set_client_info(self, client_info: "OAuthClientInformationFull") -> None:
        self.stored["client"] = client_info.model_dump(mode="json")


def auth_of(target: Target) -> "Auth | None":
    """What signs the requests to a server that somebody has signed in to; it refreshes its token by itself."""
    return flow(target, "http://localhost/", None, None) if target.sign_in else None


def flow(target: Target, return_url: str, redirect: Redirect | None, callback: Callback | None) -> "Auth":
    """Signing in to a server. ``redirect`` is called with the address that a person has to visit, ``callback`` waits for what comes back
    to ``return_url``; without them nobody can be asked, and a server that wants it refuses."""
    from mcp.client.auth import OAuthClientProvider
    from mcp.shared.auth import OAuthClientMetadata

    kept = _Kept(target)
    about = OAuthClientMetadata.model_validate({"client_name": "Mnemoscope", "redirect_uris": [return_url]})
    kept.provider = OAuthClientProvider(target.url, about, kept, redirect, callback)
    _recall(kept)
    return kept.provider


def _recall(kept: _Kept) -> None:
    """The SDK reads back tokens and registration, and would refresh at the wrong place, or not at all, without the rest."""
    from mcp.shared.auth import OAuthMetadata, ProtectedResourceMetadata

    assert kept.provider is not None
    context = kept.provider.context
    context.token_expiry_time = kept.stored.get("expires_at")
    if server := kept.stored.get("server"):
        context.oauth_metadata = OAuthMetadata.model_validate(server)
    if resource := kept.stored.get("resource"):
        context.protected_resource_metadata = ProtectedResourceMetadata.model_validate(resource)
