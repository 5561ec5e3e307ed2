"""A PostgreSQL of somebody else's."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from agents_core.embedded import outside
from agents_core.embedded.cluster import Cluster
from agents_core.embedded.errors import DatabaseUnavailable
from agents_core.embedded.place import Place


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    cluster = Cluster(Place(tmp_path_factory.mktemp("outside")), durable=False)
    cluster.start()
    cluster.wait()
    yield cluster.connection
    cluster.stop()


def administer(server: dict[str, Any], *statements: str) -> None:
    with psycopg.connect(**server, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def test_one_that_has_all_is_accepted(server: dict[str, Any]) -> None:
    outside.OutsideDatabase(server).wait()


def test_the_extension_is_made_where_it_may_be(server: dict[str, Any]) -> None:
    administer(server, "CREATE DATABASE bare TEMPLATE template0")
    outside.check(server | {"dbname": "bare"})
    with psycopg.connect(**server | {"dbname": "bare"}) as connection:
        assert connection.execute("SELECT '[1]'::vector::text").fetchone() == ("[1]",)


def test_a_user_who_may_not_make_the_extension_is_told_what_to_run(server: dict[str, Any]) -> None:
    administer(server, "CREATE DATABASE guarded TEMPLATE template0", "CREATE ROLE guest LOGIN PASSWORD 'guest'")
    with pytest.raises(DatabaseUnavailable, match="run CREATE EXTENSION vector there"):
        outside.check(server | {"dbname": "guarded", "user": "guest", "password": "guest"})


def test_one_that_cannot_be_reached_is_told(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match="cannot be reached"):
        outside.check({"host": os.fspath(tmp_path), "dbname": "x"})


def test_an_old_version_is_refused() -> None:
    with pytest.raises(DatabaseUnavailable, match="is PostgreSQL 14: 15 or newer is needed"):
        outside._check_version(140_012)
