"""One PostgreSQL for the whole session, in a home folder that goes with it; DATABASE_URL names another instead.

The environment is set while this file is imported, which is before Django's settings are read.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from django.conf import settings

from agents_core.embedded.cluster import Cluster
from agents_core.embedded.place import Place

_home = Path(tempfile.mkdtemp(prefix="mnemoscope-test-"))
_cluster = None if os.environ.get("DATABASE_URL") else Cluster(Place(_home), durable=False)

os.environ |= {"MNEMOSCOPE_HOME": str(_home), "DJANGO_SETTINGS_MODULE": "ade.settings"}
if _cluster:
    _cluster.start()


def pytest_configure() -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_unconfigure() -> None:
    if _cluster:
        _cluster.stop()
    shutil.rmtree(_home)


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Called by pytest-django before it makes the test database."""
    if _cluster:
        _cluster.wait()
