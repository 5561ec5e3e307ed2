"""Batches of SQL in one round trip and one transaction, for the few hot paths where the ORM's round trips cost more than the work."""

import asyncio
import json as stdlib_json
import re
import select
from collections import deque
from collections.abc import Iterable
from math import isfinite
from typing import Any
from weakref import WeakKeyDictionary

from django.db import InterfaceError as DjangoInterfaceError
from django.db import OperationalError as DjangoOperationalError
from django.db import connection as django_connection
from django.db import connections, transaction
from psycopg import AsyncConnection, InterfaceError, OperationalError
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from agents_core.models.libpq import BatchConnection, Rows, Statement

__all__ = ["Rows", "Statement", "close_pool", "json", "make_pool", "pool", "run", "run_sync", "storable"]

APPLICATION_NAME = "mnemoscope runs"
"""How these connections show in pg_stat_activity."""

DATABASE_LOST = (OperationalError, InterfaceError, DjangoOperationalError, DjangoInterfaceError)
"""What a statement raises under which the database was lost: psycopg's errors, and Django's for the ORM."""

_PATIENCE_S = 20.0

_pools: WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncConnectionPool[BatchConnection]] = WeakKeyDictionary()


def connection_settings() -> dict[str, Any]:
    """The arguments of ``psycopg.connect`` for the project's database."""
    given = connections["default"].settings_dict
    names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    options = {name: value for name, value in given["OPTIONS"].items() if name not in ("pool", "server_side_binding")}
    return {**options, **{names[name]: given[name] for name in names if given[name]}}


async def pool() -> AsyncConnectionPool[BatchConnection]:
    """This event loop's pool, opened at first use."""
    loop = asyncio.get_running_loop()
    if loop not in _pools:
        made = _pools[loop] = make_pool(connection_class=BatchConnection, min_size=1, max_size=16)
        await made.open()
        try:
            await made.wait(_PATIENCE_S)  # Whoever asks before the first connection is there has a second one made.
        except OperationalError:
            _pools.pop(loop, None)
            raise
    return _pools[loop]


def make_pool(**options: Any) -> AsyncConnectionPool[Any]:
    """A pool of autocommitting connections, not opened yet. A statement is one round trip there: nothing is asked before it, nothing
    said after."""
    settings = {**connection_settings(), "application_name": APPLICATION_NAME}
    settings["options"] = f"{settings.get('options', '')} -c plan_cache_mode=force_generic_plan"
    own = {"timeout": _PATIENCE_S, "configure": _autocommit, "open": False}
    return _Pool(kwargs=settings, **{**options, **own})


class _Pool(AsyncConnectionPool[Any]):
    """Gives the connection that came back last: its process in the database has plans and pages at hand, which saves a tenth of a
    message's time. psycopg's own takes turns."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "check": self._refuse_closed})
        self._pool = _Stack()

    async def _refuse_closed(self, connection: AsyncConnection[Any]) -> None:
        """Raises for an idle connection with something to read: the server has said good-bye. It costs no round trip."""
        poll = select.poll()
        poll.register(connection.fileno(), select.POLLIN)
        if poll.poll(0):
            await connection.close()  # Otherwise the pool takes it back.
            # The others are dead too: the pool would try one after the other, and wait longer after each.
            await self.drain()
            raise OperationalError("The server has closed the connection.")


class _Stack(deque[Any]):
    """A queue that is taken from at the left, and put to there too."""

    def append(self, connection: Any) -> None:
        self.appendleft(connection)


async def _autocommit(connection: AsyncConnection[Any]) -> None:
    await connection.set_autocommit(True)


async def close_pool() -> None:
    """Closes this event loop's pool, if there is one."""
    opened = _pools.pop(asyncio.get_running_loop(), None)
    if opened is not None:
        await opened.close()


async def run(statements: Iterable[Statement]) -> list[Rows]:
    """Runs ``statements`` in one round trip and one transaction; gives the rows of each, [] for one that returns none.

    It commits whole or not at all. Raises what psycopg raises.
    """
    async with (await pool()).connection() as connection:
        try:
            return await connection.batch(statements)
        except asyncio.CancelledError:
            await connection.close()
            raise


def run_sync(statements: Iterable[Statement]) -> list[Rows]:
    """As ``run``, on Django's connection and within its transaction."""
    with transaction.atomic(), django_connection.cursor() as cursor:
        results = []
        for statement in statements:
            cursor.execute(statement.sql, statement.params)
            results.append(cursor.fetchall() if cursor.description else [])
        return results


def json(value: Any) -> Jsonb:
    """``value`` as a parameter for a jsonb column, without what PostgreSQL cannot hold."""
    return Jsonb(value, dumps=_dumps)


def _dumps(value: Any) -> str:
    try:
        text = stdlib_json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        text = ""
    if text and "\\u0000" not in text and not _SURROGATE.search(text):
        return text
    return stdlib_json.dumps(storable(value), ensure_ascii=False)


_SURROGATE = re.compile("[\ud800-\udfff]")


def storable(value: Any) -> Any:
    """A JSON value without what PostgreSQL cannot hold: NUL characters go, half surrogates become "?", NaN and infinity None.

    Models write these, and tools print them.
    """
    match value:
        case str():
            return _SURROGATE.sub("?", value.replace("\x00", ""))
        case float() if not isfinite(value):
            return None
        case dict():
            return {storable(key): storable(inner) for key, inner in value.items()}
        case list() | tuple():
            return [storable(inner) for inner in value]
    return value
