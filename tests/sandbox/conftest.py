"""The same tests in each sandbox, by this user and, where this is root, by a plain user with another Python too."""

import os
import shutil
import sys
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from agents_core.sandbox.base import SandboxUnavailable
from tests.sandbox.runners import KINDS, SYSTEM_PYTHON, Elsewhere, Here, Runner


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=KINDS)
async def sandbox(request: pytest.FixtureRequest) -> AsyncIterator[Runner]:
    kind: str = request.param
    runner: Here | Elsewhere
    if kind.endswith("as nobody"):
        if os.geteuid() != 0:
            pytest.skip("becoming another user needs root; the tests without 'as nobody' already run as a plain user")
        if shutil.which(SYSTEM_PYTHON) is None or sys.version_info[:2] < (3, 11):
            pytest.skip(f"there is no {SYSTEM_PYTHON}")
        runner = await Elsewhere.start(kind)
    else:
        runner = Here(kind)
    try:
        await runner.run("def f():\n    return 1")
    except SandboxUnavailable as error:
        await runner.aclose()
        pytest.skip(f"this machine cannot do {kind}: {error}")
    yield runner
    await runner.aclose()
