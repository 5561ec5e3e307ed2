"""Signing in to an MCP server: a person is sent to it, and what they come back with is made into tokens.

The flow waits in the web process that began it; where the person comes back, any process may take the answer, for it goes through the
database. When the waiting process dies nothing is lost but the way: the person signs in again.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from django.db import connections
from django.utils import timezone

from agents_core.actions.mcp import Look
from agents_core.actions.mcp_tools import get_async, store
from agents_core.errors import AgentsError, InvalidInput, NotFound
from agents_core.models import McpKind, McpServer, McpSignIn
from agents_core.models.sealed import seal, unseal
from agents_core.tools.mcp.connection import CONNECT_S, Connection
from agents_core.tools.mcp.errors import McpTimeout, McpUnreachable
from agents_core.tools.mcp.listing import listing
from agents_core.tools.mcp.oauth import flow
from agents_core.tools.mcp.target import Target, target_of

if TYPE_CHECKING:
    from httpx2 import Auth
    from mcp.client.auth import AuthorizationCodeResult

Answer = TypeVar("Answer")

logger = logging.getLogger(__name__)

PATIENCE_S = 600.0
"""How long a person may take to sign in."""

_LOOK_S = 0.5
_going_on: set[asyncio.Task[None]] = set()


async def begin(server_id: str, return_url: str) -> str | None:
    """The address that the person has to visit, from which they come back to ``return_url``; None when the server lets us in as we are.

    Raises ``NotFound``; ``InvalidInput`` for a server that is a program; ``McpUnreachable`` when the server does not say where to sign in.
    """
    server = await get_async(server_id)
    if server.kind == McpKind.STDIO:
        raise InvalidInput(f"{server.name} is a program on this machine: it signs in by itself, or by its variables.")
    await McpSignIn.objects.filter(created_at__lt=timezone.now() - timedelta(seconds=PATIENCE_S)).adelete()
    signing_in = _SigningIn(server, return_url)
    task = asyncio.create_task(signing_in.go(), name=f"sign in to {server.name}")
    _going_on.add(task)
    task.add_done_callback(_going_on.discard)
    try:
        async with asyncio.timeout(CONNECT_S):
            return await asyncio.shield(signing_in.address)
    except TimeoutError:
        task.cancel()
        raise McpTimeout(f"{server.url} did not say within {CONNECT_S:g} s where to sign in.") from None


class _SigningIn:
    """One person on their way. ``address``: where they are sent, as soon as the server has told."""

    def __init__(self, server: McpServer, return_url: str) -> None:
        self._server = server
        self._return_url = return_url
        self._state = ""
        self.address: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()

    async def go(self) -> None:
        # What an earlier signing in gave is not looked at: the person may want to be somebody else.
        target = replace(target_of(self._server, {}), sign_in=None)
        connection = Connection(target, self._auth, PATIENCE_S)
        try:
            await connection.client()
            found = await listing(connection)
            await _apart(store, self._server.id, Look(found, None, 0.0))
            self._told(None)
        except AgentsError as error:
            await self._failed(error)
        finally:
            connection.end()
            await connection.closed()

    def _auth(self, target: Target) -> "Auth":
        return flow(target, self._return_url, self._redirect, self._callback)

    async def _redirect(self, url: str) -> None:
        if not url.startswith(("https://", "http://")):
            raise McpUnreachable("The server wants people to sign in at what is no web address.")
        self._state = parse_qs(urlsplit(url).query)["state"][0]
        await _apart(_sent, self._server.id, self._state)
        self._told(url)

    async def _callback(self) -> "AuthorizationCodeResult":
        from mcp.client.auth import AuthorizationCodeResult

        while True:
            await asyncio.sleep(_LOOK_S)
            row = await _apart(_row, self._state)
            if row is None or row.problem:
                raise McpUnreachable(row.problem if row else "Nobody signed in in time.")
            if row.sealed_answer:
                given = json.loads(unseal(row.sealed_answer))
                return AuthorizationCodeResult(code=given["code"], state=self._state, iss=given["iss"])

    def _told(self, address: str | None) -> None:
        if not self.address.done():
            self.address.set_result(address)

    async def _failed(self, error: AgentsError) -> None:
        if not self.address.done():
            self.address.set_exception(error)
            return
        logger.warning("Signing in to the MCP server %s failed: %s", self._server.name, error.message)
        await _apart(store, self._server.id, Look(None, error, 0.0))


async def _apart(function: Callable[..., Answer], *args: Any) -> Answer:
    """Runs it in a thread whose database connection goes back at once: the request that began this has ended long ago."""

    def run() -> Answer:
        try:
            return function(*args)
        finally:
            connections.close_all()

    return await asyncio.to_thread(run)


def _sent(server_id: str, state: str) -> None:
    McpSignIn.objects.create(server_id=server_id, state=state)


def _row(state: str) -> McpSignIn | None:
    return McpSignIn.objects.filter(state=state).first()


def answer(state: str, *, code: str, iss: str | None, problem: str) -> str:
    """Takes what a person came back with, once; gives the server's id. Raises ``NotFound`` for a state that nobody waits for."""
    waiting = McpSignIn.objects.filter(state=state, sealed_answer=None, problem="")
    row = waiting.first()
    if row is None:
        raise NotFound("Nobody waits for this sign-in any more: begin again on the server's page.")
    if code and not problem:
        taken = waiting.update(sealed_answer=seal(json.dumps({"code": code, "iss": iss})))
    else:
        taken = waiting.update(problem=f"The server did not let you in: {problem or 'it gave no code'}.")
    if not taken:
        raise NotFound("This sign-in was answered already.")
    return row.server_id
