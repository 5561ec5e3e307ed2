"""A PostgreSQL of somebody else's: whether it will do."""

from typing import Any

from agents_core.embedded.errors import DatabaseUnavailable

OLDEST = 15
OLDEST_PGVECTOR = (0, 7)
_PATIENCE_S = 10


class OutsideDatabase:
    """Stands where a ``Cluster`` may stand: started and stopped by others, checked by us.

    Args:
        connection: libpq parameters.
    """

    def __init__(self, connection: dict[str, Any]) -> None:
        self.connection = connection

    def start(self) -> None: ...

    def wait(self) -> None:
        """Raises ``DatabaseUnavailable`` as ``check`` does."""
        check(self.connection)

    def ended(self) -> bool:
        return False

    def stop(self) -> None: ...


def check(connection: dict[str, Any]) -> None:
    """Returns when the database at these libpq parameters has what is needed; makes the extension if it may.

    Raises ``DatabaseUnavailable`` when it cannot be reached, is older than 15, or has no pgvector 0.7 or newer.
    """
    import psycopg

    try:
        with psycopg.connect(**{"connect_timeout": _PATIENCE_S, **connection}, autocommit=True) as open_connection:
            _check_version(open_connection.info.server_version)
            _check_pgvector(open_connection)
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable(f"The database of DATABASE_URL cannot be reached: {str(error).strip()}") from error


def _check_version(number: int) -> None:
    if number // 10_000 < OLDEST:
        raise DatabaseUnavailable(
            f"The database of DATABASE_URL is PostgreSQL {number // 10_000}: {OLDEST} or newer is needed. "
            "Without DATABASE_URL the one that comes with Mnemoscope is used."
        )


def _check_pgvector(connection: Any) -> None:
    import psycopg

    row = connection.execute(
        "SELECT default_version, installed_version FROM pg_available_extensions WHERE name = 'vector'"
    ).fetchone()
    if row is None:
        raise DatabaseUnavailable(
            "The database of DATABASE_URL lacks pgvector: install it on its machine "
            "(Debian: postgresql-<version>-pgvector)."
        )
    default, installed = row
    found = tuple(int(part) for part in (installed or default).split(".")[:2])
    if found < OLDEST_PGVECTOR:
        remedy = "install a newer one and run ALTER EXTENSION vector UPDATE in this database"
        raise DatabaseUnavailable(
            f"The database of DATABASE_URL has pgvector {installed or default}: 0.7 is needed; {remedy}."
        )
    try:
        connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    except psycopg.errors.InsufficientPrivilege:
        raise DatabaseUnavailable(
            "The user of DATABASE_URL may not create the extension pgvector: "
            "run CREATE EXTENSION vector there as an administrator."
        ) from None
