"""Whether the database has every migration, told in two queries and without loading an app."""

import hashlib
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from psycopg import Connection
from psycopg.sql import SQL, Literal


def is_current(connection: Connection[Any], apps: list[str]) -> bool:
    """Whether nothing has changed, in the files or in the database, since ``remember`` was called on it.

    A database that somebody migrated by hand is reported as not current once, which costs one needless ``migrate``.
    """
    exists = connection.execute("SELECT to_regclass('django_migrations') IS NOT NULL").fetchone()
    if not exists or not exists[0]:
        return False
    noted = connection.execute("SELECT obj_description('django_migrations'::regclass)").fetchone()
    return noted == (_digest(connection, apps),)


def remember(connection: Connection[Any], apps: list[str]) -> None:
    """Notes on the table of migrations, where a dump takes it along, that all of them are applied."""
    connection.execute(SQL("COMMENT ON TABLE django_migrations IS {}").format(Literal(_digest(connection, apps))))


def _digest(connection: Connection[Any], apps: list[str]) -> str:
    recorded = connection.execute("SELECT app, name FROM django_migrations ORDER BY app, name").fetchall()
    files = {app: sorted(path.name for path in (_folder(app) / "migrations").glob("*.py")) for app in apps}
    return hashlib.sha256(json.dumps([files, recorded]).encode()).hexdigest()


def _folder(app: str) -> Path:
    """Of an app's package, importing at most the top one: some of these packages take a while."""
    top, *rest = app.split(".")
    spec = find_spec(top)
    assert spec, f"{app} is in INSTALLED_APPS"
    assert spec.submodule_search_locations, f"{app} is a package"
    return Path(spec.submodule_search_locations[0], *rest)
