"""The unchanged client against a running server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from letta_client import Letta

from tests.e2e.homes import filled
from tests.e2e.serving import Server

PASSWORD = "open-sesame-7"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.timeout(400))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """``manage.py serve`` on a home of its own, with a password."""
    with Server(filled(tmp_path_factory.mktemp("sdk") / "home"), MNEMOSCOPE_PASSWORD=PASSWORD) as server:
        yield server
        server.stop()


@pytest.fixture(scope="session")
def client(server: Server) -> Letta:
    return Letta(base_url=f"http://localhost:{server.port}", api_key=PASSWORD)
