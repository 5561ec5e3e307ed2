"""Which sandbox is chosen, and what is said where none can be."""

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agents_core.errors import NotFound
from agents_core.sandbox import choose as choosing
from agents_core.sandbox.base import SandboxCall, SandboxUnavailable
from agents_core.sandbox.choose import choose

_ROOT = Path(__file__).parents[2]
_CALL = SandboxCall("def f():\n    return 'ran'", "f", {})


@pytest.fixture(autouse=True)
def nothing_found_out_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "_refusals", {})


@pytest.fixture
def without_bubblewrap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")
async def test_bubblewrap_is_chosen_where_it_works() -> None:
    sandbox = await choose()
    status = sandbox.status()
    assert (status.name, status.available, status.warm) == ("bubblewrap", True, True)
    assert (await sandbox.call(_CALL)).value == "ran"
    await sandbox.aclose()


async def test_landlock_steps_in_and_says_how_to_get_better(without_bubblewrap: None) -> None:
    sandbox = await choose()
    status = sandbox.status()
    if not status.available:
        pytest.skip(status.reason)
    assert status.name == "landlock"
    assert "not installed" in status.reason
    assert "apt-get install bubblewrap" in status.advice
    assert (await sandbox.call(_CALL)).value == "ran"
    await sandbox.aclose()


async def test_call_is_refused_with_reason_and_remedy_where_nothing_works(without_bubblewrap: None) -> None:
    sandbox = await choose("bubblewrap")
    assert not sandbox.status().available
    assert sandbox.status().name == "none"
    with pytest.raises(SandboxUnavailable, match=r"not installed.*apt-get install bubblewrap"):
        await sandbox.call(_CALL)


@pytest.mark.parametrize(
    ("platform", "words"),
    [
        ("darwin", r"No code is run on this machine: macOS has nothing .* Linux virtual machine .* Lima\."),
        ("win32", r"No code is run on this machine: Windows has nothing .* WSL 2"),
        ("freebsd14", r"needs Linux .* Linux virtual machine"),
    ],
)
async def test_other_systems_are_refused_with_the_reason_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch, platform: str, words: str
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    sandbox = await choose()
    with pytest.raises(SandboxUnavailable, match=words):
        await sandbox.call(_CALL)
    status = sandbox.status()
    assert (status.name, status.available) == ("none", False)
    assert status.reason
    assert status.advice


async def test_modules_can_be_imported_on_other_systems() -> None:
    """Where there is no ``fcntl``, ``pwd`` or ``resource``, the refusal must still be spoken."""
    program = """
import asyncio, sys
for name in ("fcntl", "pwd", "resource", "grp"):
    sys.modules[name] = None
sys.platform = "win32"
from agents_core.sandbox.choose import choose
print(asyncio.run(choose()).status().name)
"""
    ran = await asyncio.create_subprocess_exec(sys.executable, "-c", program, cwd=_ROOT, stdout=subprocess.PIPE)
    assert (await ran.communicate())[0] == b"none\n"


async def test_verdict_is_found_out_once(without_bubblewrap: None, monkeypatch: pytest.MonkeyPatch) -> None:
    await choose("bubblewrap")
    monkeypatch.undo()
    choosing._refusals["bubblewrap"] = "said before"
    assert (await choose("bubblewrap")).status().reason == "bubblewrap: said before."
    choosing._refusals.clear()


async def test_unknown_preference_names_the_known_ones() -> None:
    with pytest.raises(NotFound, match="bubblewrap, landlock"):
        await choose("docker")  # type: ignore[arg-type]


async def test_arguments_that_are_no_json_are_the_callers_mistake() -> None:
    sandbox = await choose()
    if not sandbox.status().available:
        pytest.skip(sandbox.status().reason)
    with pytest.raises(TypeError):
        await sandbox.call(SandboxCall("def f(x):\n    return x", "f", {"x": object()}))
    assert (await sandbox.call(_CALL)).value == "ran"
    await sandbox.aclose()
