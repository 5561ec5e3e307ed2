"""A connection that takes a batch of statements as libpq does: sent all at once, prepared at first use, and read at once.

psycopg's own pipeline waits for the socket around every statement and runs a cursor for each, which costs several times what sending and
reading do (``python -m benchmarks.batches``).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import count
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.abc import PQGen
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.generators import fetch_many, send
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult
from psycopg.types.numeric import Int8BinaryDumper, Int8Dumper

Row = tuple[Any, ...]
Rows = list[Row]
_Key = tuple[bytes, tuple[int, ...]]

_MOST_PREPARED = 500
_PLACE = re.compile(r"%(?:s|\((\w+)\)s|%)")


class Statement(NamedTuple):
    """SQL with ``%s`` or ``%(name)s`` places, and what goes there."""

    sql: str
    params: Sequence[Any] | Mapping[str, Any] = ()


class BatchConnection(AsyncConnection[Row]):
    """A connection for ``batch``; it has to be autocommitting."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # One type for all numbers: else a statement would be prepared anew for each size of its numbers.
        for dumper in (Int8Dumper, Int8BinaryDumper):
            self.adapters.register_dumper(int, dumper)
        self._transformer = Transformer(self)
        self._statements: dict[_Key, bytes] = {}
        self._names = count()

    async def batch(self, statements: Iterable[Statement]) -> list[Rows]:
        """Runs ``statements`` in one round trip and one transaction; gives the rows of each.

        Raises what psycopg raises for the first that fails; then none has taken effect.
        """
        results = await self.wait(self._exchange(statements))
        for result in results:
            if result.status == ExecStatus.FATAL_ERROR:
                raise error_from_result(result, self.info.encoding)
        return [self._rows(result) for result in results]

    def _rows(self, result: PGresult) -> Rows:
        if result.status != ExecStatus.TUPLES_OK:
            return []
        self._transformer.set_pgresult(result)
        return self._transformer.load_rows(0, result.ntuples, tuple)

    def _exchange(self, statements: Iterable[Statement]) -> PQGen[list[PGresult]]:
        """Sends it all, then reads it all. What stands behind an error is not done; its results say so."""
        self.pgconn.enter_pipeline_mode()
        newly = [self._send(statement) for statement in statements]
        self.pgconn.pipeline_sync()
        yield from send(self.pgconn)
        results: list[PGresult] = []
        for new in newly:
            if new is not None:
                [prepared] = yield from fetch_many(self.pgconn)
                if prepared.status != ExecStatus.COMMAND_OK:
                    self._statements.pop(new, None)
                    results.append(prepared)
            results += yield from fetch_many(self.pgconn)
        while (end := (yield from fetch_many(self.pgconn))) and end[0].status != ExecStatus.PIPELINE_SYNC:
            results += end  # what only the commit could find
        self.pgconn.exit_pipeline_mode()
        return results

    def _send(self, statement: Statement) -> _Key | None:
        """Sends a statement; gives its key when it had to be prepared for that."""
        sql, names = _numbered(statement.sql)
        params = statement.params
        values = [params[name] for name in names] if isinstance(params, Mapping) else params
        written = self._transformer.dump_sequence(values, [_format_of(value) for value in values])
        key = (sql, self._transformer.types or ())
        name, new = self._statements.get(key), None
        if name is None:
            name, new = b"", key
            if len(self._statements) < _MOST_PREPARED:
                name = self._statements[key] = f"batch_{next(self._names)}".encode()
            self.pgconn.send_prepare(name, sql, param_types=key[1])
        self.pgconn.send_query_prepared(name, written, param_formats=self._transformer.formats)
        return new


def _format_of(value: Any) -> PyFormat:
    """An array of bytes would be written in hexadecimal digits."""
    return PyFormat.BINARY if type(value) is list and value and type(value[0]) is bytes else PyFormat.AUTO


@cache
def _numbered(sql: str) -> tuple[bytes, tuple[str, ...]]:
    """``sql`` with its places numbered as PostgreSQL wants them, and the names of the places, if they have names."""
    names: list[str] = []

    def place(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        if found[1] is None:
            names.append("")
            return f"${len(names)}"
        if found[1] not in names:
            names.append(found[1])
        return f"${names.index(found[1]) + 1}"

    return _PLACE.sub(place, sql).encode(), tuple(names)
