"""A TypeScript tool reaches the hosts it names, through the proxy, with what Node.js has; nothing else."""

import shutil
from pathlib import Path
from typing import cast

import pytest

from agents_core.sandbox.base import Sandbox, SandboxCall, SandboxOutcome
from agents_core.tools.typescript.run import run
from tests.sandbox.runners import Runner
from tests.tools.typescript_sources import CALLED

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js"),
]


async def asked(
    sandbox: Runner, clients: str, function: str, url: str, hosts: tuple[str, ...] = ("allowed.test",)
) -> SandboxOutcome:
    folder = "/packages" if sandbox.kind.startswith("bubblewrap") else clients
    env = {"SSL_CERT_FILE": str(Path(folder) / "authority.pem")}
    call = SandboxCall(CALLED, function, {"url": url}, env, packages=clients, hosts=hosts)
    return await run(cast("Sandbox", sandbox), call)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("function", ["ask", "askOld"])
async def test_fetch_and_the_modules_of_node_reach_an_allowed_host(
    sandbox: Runner, clients: str, function: str, scheme: str
) -> None:
    outcome = await asked(sandbox, clients, function, f"{scheme}://allowed.test/path?query=1")
    assert (outcome.value, outcome.error) == ("allowed.test /path?query=1", "")


@pytest.mark.parametrize("function", ["ask", "askOld"])
async def test_another_host_is_refused_in_words(sandbox: Runner, clients: str, function: str) -> None:
    outcome = await asked(sandbox, clients, function, "https://other.test/")
    assert "This tool may reach allowed.test, not 'other.test'." in outcome.error


async def test_without_hosts_nothing_is_reached(sandbox: Runner, clients: str) -> None:
    assert (await asked(sandbox, clients, "ask", "http://allowed.test/", ())).status == "error"
