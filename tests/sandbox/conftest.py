"""The same tests in each sandbox, by this user and, where this is root, by a plain user with another Python too."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from importlib.metadata import distribution
from pathlib import Path

import pytest
import pytest_asyncio

from agents_core.sandbox.base import SandboxUnavailable
from tests.sandbox.runners import KINDS, Runner, StandIns, start
from tests.sandbox.web import Web

_CLIENTS = (
    *("requests", "urllib3", "idna", "certifi", "charset-normalizer"),
    *("httpx", "httpcore", "h11", "anyio", "sniffio", "typing-extensions"),
)


@pytest.fixture(scope="session")
def web() -> Iterator[Web]:
    """A web server of this machine that stands for the internet."""
    with Web() as server:
        yield server


@pytest.fixture(scope="session")
def stand_ins(web: Web) -> StandIns:
    """The name all tests may reach, one that leads to the same server, and one where nobody answers."""
    ports = {"80": web.http_port, "443": web.https_port}
    return {"allowed.test": ports, "deep.allowed.test": ports, "other.test": ports, "silent.test": {"80": 1, "443": 1}}


@pytest.fixture(scope="session")
def public() -> Iterator[Path]:
    """A folder that every user of the machine can reach; pytest's own is closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="sandbox-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def clients(public: Path, web: Web) -> str:
    """requests and httpx as an installation into a folder leaves them, and the certificate of ``web``'s authority."""
    target = public / "clients"
    for name in _CLIENTS:
        for file in distribution(name).files or []:
            if ".." not in file.parts and file.suffix != ".pyc":
                (target / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file.locate(), target / file)
    (target / "authority.pem").write_bytes(web.authority)
    return str(target)


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=KINDS)
async def sandbox(request: pytest.FixtureRequest, stand_ins: StandIns) -> AsyncIterator[Runner]:
    try:
        runner = await start(request.param, stand_ins)
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    yield runner
    await runner.aclose()
