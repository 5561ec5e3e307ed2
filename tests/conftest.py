"""One PostgreSQL for the whole session, in a home folder that goes with it; DATABASE_URL names another instead.

The environment is set while this file is imported, which is before Django's settings are read.
"""

import fcntl
import gc
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import hypothesis
import pytest
import pytest_asyncio
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import TransactionTestCase
from pytest_django import DjangoDbBlocker
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from agents_core.embedded.cluster import Cluster
from agents_core.embedded.place import Place

_ours = not os.environ.get("DATABASE_URL")
_is_first = "PYTEST_XDIST_WORKER" not in os.environ  # the others test on its server, each in a database of its own
_home = Path(tempfile.mkdtemp(prefix="mnemoscope-test-") if _is_first else os.environ["MNEMOSCOPE_HOME"])
_cluster = Cluster(Place(_home), durable=False) if _ours and _is_first else None

os.environ |= {"MNEMOSCOPE_HOME": str(_home), "DJANGO_SETTINGS_MODULE": "ade.settings"}
if _cluster:
    _cluster.start()


# Else each of the hundreds of Python processes of a run compiles the same files.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

# Emptying by TRUNCATE and then announcing a migration, as Django does, costs half a second a test; this costs a few milliseconds.
_KEPT = ("django_migrations", "django_content_type", "auth_permission", "tool")
_EMPTY = """
SET session_replication_role = replica;
{deletes}
DELETE FROM tool WHERE tool_type IN ('custom', 'external_mcp');
SET session_replication_role = DEFAULT;
"""


def _empty_database(test_case: TransactionTestCase) -> None:
    tables = [table for table in connection.introspection.table_names() if table not in _KEPT]
    with connection.cursor() as cursor:
        cursor.execute(_EMPTY.format(deletes="".join(f'DELETE FROM "{table}";' for table in tables)))


def pytest_configure() -> None:
    if _ours:  # as a superuser: only one may pass over the triggers
        TransactionTestCase._fixture_teardown = _empty_database  # type: ignore[attr-defined]
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_sessionstart() -> None:
    if _cluster:
        _cluster.wait()


def pytest_unconfigure() -> None:
    if _cluster:
        _cluster.stop()
    if _is_first:
        shutil.rmtree(_home)


class _ByFile(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """A file stays in one process, for its servers; and so do all that run code as one user, whose processes are counted together.

    The longest come first: one that is begun last is waited for by all other processes.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = Path(nodeid.partition("::")[0])
        return str(path.parent if path.parent.name == "sandbox" else path)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    config.option.loadscopereorder = False  # by the number of tests, which tells little of how long they take
    return _ByFile(config, log)


_LONG = ("sandbox", "ade", "e2e", "browser", "runtime", "sdk", "tools", "api")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        return _LONG.index(folder) if folder in _LONG else len(_LONG)

    items.sort(key=place)


def pytest_collection_finish() -> None:
    gc.freeze()  # Thousands of tests and their modules, which each collection of garbage would look through.


@pytest.fixture(scope="session")
def django_db_keepdb(request: pytest.FixtureRequest) -> bool:
    """Our database goes with its folder; dropping it first would wait for every connection to close."""
    return _ours or bool(request.config.getvalue("reuse_db"))


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: DjangoDbBlocker
) -> None:
    """Migrating takes seconds: the first process does it in our server's own database, of which all others are copies."""
    if not _ours:
        return
    done = _home / "migrated"
    with open(done.with_suffix(".lock"), "w") as lock, django_db_blocker.unblock():
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            call_command("migrate", verbosity=0)
            connection.close()  # A database is copied only while nobody uses it.
            connection.close_pool()  # type: ignore[attr-defined]
            done.touch()
    connection.settings_dict["TEST"]["TEMPLATE"] = connection.settings_dict["NAME"]


@pytest_asyncio.fixture(scope="module")
async def pool() -> AsyncIterator[None]:
    """The connections of a file's tests: a new one has to read the catalogue and plan all anew, which costs more than a test."""
    from agents_core.models.pipeline import close_pool

    yield
    await close_pool()
