"""What the tests of the stream need: a committed database, and connections to it."""

import pytest


@pytest.fixture(autouse=True)
def database(transactional_db: None, pool: None) -> None:
    pass
