"""Telling a callback URL that something has ended: one signed POST, and what came of it.

Signed as Standard Webhooks (standardwebhooks.com) says, so that its libraries can check it: ``webhook-signature`` is the HMAC-SHA256,
under the installation's key, of ``<webhook-id>.<webhook-timestamp>.<body>``.
"""

import asyncio
import hmac
import time
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from ssl import SSLContext
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from agents_core.conf import conf
from agents_core.errors import InvalidInput, Unavailable
from agents_core.events.publish import Publication
from agents_core.events.types import CallbackSent
from agents_core.models import pipeline
from agents_core.models.pipeline import Statement

if TYPE_CHECKING:
    from httpx2 import AsyncClient

TIMEOUT_S = 5.0
"""How long the receiver may take to answer."""

_LONGEST_URL = 2000


class CallbackFailed(Unavailable):
    """The receiver could not be reached, or did not say that it took the callback."""

    code = "callback_failed"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came of one POST. ``status_code`` None: nothing was answered; ``error`` None: it was taken."""

    status_code: int | None
    error: str | None


def checked_url(url: str | None) -> str | None:
    """``url``, if callbacks can be sent there. Raises ``InvalidInput``."""
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or len(url) > _LONGEST_URL or any(letter.isspace() for letter in url):
        raise InvalidInput(f"{url[:200]!r} is no address to call back: begin it with http:// or https:// and a host.")
    return url


def signature(message_id: str, timestamp: int, body: bytes) -> str:
    signed = hmac.digest(conf().webhook_key, f"{message_id}.{timestamp}.".encode() + body, "sha256")
    return f"v1,{b64encode(signed).decode()}"


async def post(url: str, message_id: str, body: bytes) -> Delivery:
    """Sends ``body``, which is JSON; redirects are not followed. ``message_id`` is the same whenever it is sent again."""
    now = int(time.time())
    headers = {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(now),
        "webhook-signature": signature(message_id, now, body),
    }
    import httpx2

    try:
        async with (
            asyncio.timeout(TIMEOUT_S),
            _client() as client,
            client.stream("POST", url, content=body, headers=headers) as response,
        ):
            status = response.status_code
    except TimeoutError:
        return Delivery(None, f"No answer within {TIMEOUT_S:g} s.")
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        return Delivery(None, f"{type(error).__name__}: {error}")
    return Delivery(status, None if 200 <= status < 300 else f"It was answered with status {status}, not with 2xx.")


def _client() -> "AsyncClient":
    import httpx2

    return httpx2.AsyncClient(verify=_tls(), timeout=TIMEOUT_S, follow_redirects=False)


@cache
def _tls() -> SSLContext:
    """Read once: it takes longer than all else."""
    import httpx2

    return httpx2.create_ssl_context()


_RECORD = "UPDATE {table} SET callback_sent_at = now(), callback_status_code = %s, callback_error = %s WHERE id = %s"


async def record_of_run(agent_id: str, run_id: str, delivery: Delivery) -> None:
    """Keeps what came of the callback of a run, and tells of it."""
    publication = Publication(agent_id, run_id)
    publication.add(CallbackSent(delivery.status_code, delivery.error))
    values = (delivery.status_code, delivery.error, run_id)
    await pipeline.run([publication.statement(), Statement(_RECORD.format(table="run"), values)])


async def record_of_batch(batch_id: str, delivery: Delivery) -> None:
    values = (delivery.status_code, delivery.error, batch_id)
    await pipeline.run([Statement(_RECORD.format(table="batch"), values)])
