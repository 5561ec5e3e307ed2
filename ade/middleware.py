"""Who may reach the server: the guard before every HTTP request and every websocket.

A server on this machine's own address is still in reach of every web page its owner visits. So the guard looks at
``Host`` (a page that rebinds its name to 127.0.0.1 shows here), at ``Origin`` and ``Sec-Fetch-Site`` (a form, a script
or a websocket of another site shows there), and, when a password is set, asks for it.
"""

import ipaddress
import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from functools import lru_cache
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from ade.password import COOKIE, Password, TooManyAttemptsError, server_password

Scope = dict[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Scope, Any, Any], Awaitable[None]]

API_PREFIXES = ("/v1/", "/latest/")
_PROGRAMS_ONLY = ("/mcp", "/mcp/")
_OPEN_PATHS = frozenset(
    {"/login"}
    | {f"{prefix}{name}{slash}" for prefix in API_PREFIXES for name in ("health", "ready") for slash in ("", "/")}
)
_DEFAULT_PORTS = {"http": "80", "https": "443"}

SECURITY_HEADERS = {
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "content-security-policy": (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
}


@dataclass(frozen=True)
class Refusal:
    """Why a request stops here. ``close_code`` is for a websocket, ``location`` sends a browser elsewhere."""

    status: int
    detail: str
    close_code: int = 4403
    location: str = ""


@dataclass(frozen=True)
class Policy:
    """The rules. ``hosts`` as in Django's ALLOWED_HOSTS, ``origins`` as ``scheme://host[:port]``."""

    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    password: Password | None = None

    def refusal(self, scope: Scope, headers: dict[str, str]) -> Refusal | None:
        return self._host(headers) or self._origin(scope, headers) or self._login(scope, headers)

    def _host(self, headers: dict[str, str]) -> Refusal | None:
        return _host_refusal(headers.get("host", ""), self.hosts)

    def _origin(self, scope: Scope, headers: dict[str, str]) -> Refusal | None:
        origin = headers.get("origin")
        if origin is None:
            return self._fetch_site(scope, headers)
        if origin in self.origins or _is_at(origin, headers["host"]):
            return None
        return Refusal(403, f"Pages of {origin} may not use this server: add it to ALLOWED_ORIGINS if they should.")

    def _fetch_site(self, scope: Scope, headers: dict[str, str]) -> Refusal | None:
        """A browser that sends no Origin still says when another site asks. Following a link to a page is fine."""
        foreign = headers.get("sec-fetch-site") in {"cross-site", "same-site"}
        link = headers.get("sec-fetch-mode") == "navigate" and scope.get("method") == "GET"
        if not foreign or (link and not _is_for_programs(scope["path"])):
            return None
        return Refusal(403, "A page of another site may not use this server.")

    def _login(self, scope: Scope, headers: dict[str, str]) -> Refusal | None:
        path: str = scope["path"]
        if self.password is None or path in _OPEN_PATHS or path.startswith("/static/"):
            return None
        try:
            if self._shows_password(self.password, scope, headers):
                return None
        except TooManyAttemptsError:
            return Refusal(429, "Too many wrong passwords: wait a minute.", close_code=4429)
        if _is_for_programs(path) or scope["type"] == "websocket":
            return Refusal(401, "Unauthorized", close_code=4401)
        return Refusal(303, "Log in first.", location=f"/login?next={quote(path)}")

    def _shows_password(self, password: Password, scope: Scope, headers: dict[str, str]) -> bool:
        cookie = _cookie(headers.get("cookie", ""))
        if cookie and password.accepts_cookie(cookie):
            return True
        offered = _bearer(headers)
        return offered is not None and password.accepts(offered, address_of(scope))


def _is_for_programs(path: str) -> bool:
    """Whether a browser never goes there by itself, so that a refusal is an answer and not the login page."""
    return path.startswith(API_PREFIXES) or path in _PROGRAMS_ONLY


@lru_cache(maxsize=256)
def _host_refusal(host: str, own: tuple[str, ...]) -> Refusal | None:
    name, _ = split_domain_port(host)
    if name and (is_loopback(name) or validate_host(name, own)):
        return None
    return Refusal(403, f"The host {name or '(none)'!r} is not this server's: add it to ALLOWED_HOSTS if it should be.")


def policy_from_settings() -> Policy:
    own = () if settings.HOST in {"0.0.0.0", "::", ""} else (settings.HOST,)
    return Policy((*own, *settings.TRUSTED_HOSTS), tuple(settings.TRUSTED_ORIGINS), server_password())


class Guard:
    """ASGI middleware that applies a ``Policy`` and adds the security headers to every answer."""

    def __init__(self, app: Asgi, policy: Policy) -> None:
        self.app = app
        self.policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self.policy.refusal(scope, headers)
        if scope["type"] == "websocket":
            await (_close(refusal, receive, send) if refusal else self.app(scope, receive, send))
            return
        guarded = _with_headers(send, self._cors(headers))
        if refusal:
            await _answer(refusal, headers, guarded)
        elif scope["method"] == "OPTIONS" and headers.get("origin") in self.policy.origins:
            await _send(guarded, 204, b"")
        else:
            await self.app(scope, receive, guarded)

    def _cors(self, headers: dict[str, str]) -> dict[str, str]:
        """What lets the pages of an allowed origin read our answers."""
        origin = headers.get("origin", "")
        if origin not in self.policy.origins:
            return {}
        asked = headers.get("access-control-request-headers", "")
        return {
            "access-control-allow-origin": origin,
            "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE",
            "access-control-allow-headers": asked,
            "access-control-max-age": "600",
            "vary": "Origin",
        }


def is_loopback(name: str) -> bool:
    """Whether a host name or address, IPv6 in brackets or not, always means the machine itself."""
    name = name.strip("[]").removesuffix(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def address_of(scope: Scope) -> str:
    """The client's address, for counting its attempts."""
    client = scope.get("client") or ("",)
    return str(client[0])


def _is_at(origin: str, host: str) -> bool:
    """Whether ``origin`` names the host and port that the request went to. "null" names none."""
    scheme, _, authority = origin.lower().partition("://")
    if scheme not in _DEFAULT_PORTS:
        return False
    (name, port), (own_name, own_port) = split_domain_port(authority), split_domain_port(host.lower())
    default = _DEFAULT_PORTS[scheme]
    return bool(name) and (name, port or default) == (own_name, own_port or default)


def _bearer(headers: dict[str, str]) -> str | None:
    bare = headers.get("x-bare-password", "")
    if bare.startswith("password "):
        return bare.removeprefix("password ")
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _cookie(header: str) -> str:
    try:
        morsel = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def _with_headers(send: Send, more: dict[str, str]) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = {name.lower() for name, _ in message.get("headers", [])}
            added = [(name.encode(), value.encode("latin-1")) for name, value in (SECURITY_HEADERS | more).items()]
            message["headers"] = [*message.get("headers", []), *(pair for pair in added if pair[0] not in present)]
        await send(message)

    return wrapped


async def _close(refusal: Refusal, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.close", "code": refusal.close_code, "reason": refusal.detail})


async def _answer(refusal: Refusal, headers: dict[str, str], send: Send) -> None:
    if refusal.location and headers.get("hx-request") == "true":
        await _send(send, 401, b"", ("hx-redirect", refusal.location))
    elif refusal.location:
        await _send(send, refusal.status, b"", ("location", refusal.location))
    else:
        body = json.dumps({"detail": refusal.detail}).encode()
        await _send(send, refusal.status, body, ("content-type", "application/json"))


async def _send(send: Send, status: int, body: bytes, *headers: tuple[str, str]) -> None:
    pairs = [(name.encode(), value.encode("latin-1")) for name, value in (*headers, ("content-length", str(len(body))))]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})
